"""A router.yaml with a bit of everything, and the same with mistakes, for the map."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from litellm_homelab.drawing import marking, reading
from litellm_homelab.drawing.marking import MarkedMap
from litellm_homelab.drawing.reading import FileMap

LAB: Final = """\
homelab:
  showroom: {handles: [main, boost], hidden: [exact], internal: [base, spare]}
  callers:
    chat: {key: os.environ/CHAT_KEY, handles: [main, boost]}
    back: {key: os.environ/BACK_KEY, role: optillm}
    numbers: {key: os.environ/NUMBERS_KEY, role: metrics}
  optillm: {boost: {approaches: [none, moa], default: none}}
  backends: {gpu: {at: ['http://gpu:8000'], kind: vllm}}
  secret: 0123456789abcdef0123456789abcdef
model_list:
  - model_name: main
    litellm_params: {model: openai/main, api_base: 'http://gpu:8000/v1', api_key: none}
  - model_name: boost
    litellm_params: {model: openai/base, api_base: 'http://127.0.0.1:8100/v1', api_key: gate-key}
  - model_name: base
    litellm_params: {model: openai/base, api_base: 'http://gpu:8000/v1', api_key: none}
  - model_name: exact
    litellm_params: {model: openai/exact, api_base: os.environ/EXACT_API_BASE, api_key: none}
  - model_name: spare
    litellm_params: {model: groq/llama, api_key: cloud-key}
  - model_name: archive
    litellm_params: {model: openai/archive, api_base: 'http://user:pass@nas:8000/v1', api_key: none}
router_settings:
  fallbacks: [{main: [spare]}]
litellm_settings:
  callbacks: [litellm_homelab.plugin]
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
  custom_auth: litellm_homelab.gate
search_tools:
  - search_tool_name: web
    litellm_params: {search_provider: searxng, api_base: os.environ/SEARXNG_API_BASE}
"""
LOOP: Final = (
    "{model: openai/base, api_base: 'http://127.0.0.1:8100/v1'",
    "{model: openai/boost, api_base: 'http://127.0.0.1:8100/v1'",
)
"""OptiLLM asks for the handle that it is behind."""
LONG_LOOP: Final = ("[{main: [spare]}]", "[{main: [spare]}, {base: [spare, boost]}]")
"""What OptiLLM calls back falls back to OptiLLM, at the end of a chain."""
OWN_ADDRESS: Final = ("model: groq/llama", "model: openai/main, api_base: 'http://localhost:4000/v1'")
"""A deployment is at this gateway's own address, and asks it for the name that led there."""


def text(*changes: tuple[str, str]) -> str:
    """The lab's file, each change made once."""
    found = LAB
    for old, new in changes:
        assert found.count(old) == 1, old
        found = found.replace(old, new)
    return found


def read(*changes: tuple[str, str], environ: dict[str, str] | None = None) -> FileMap:
    """The lab's file as the map reads it."""
    found = reading.read(Path("router.yaml"), environ or {}, text(*changes))
    assert found is not None
    return found


def drawn(*changes: tuple[str, str]) -> MarkedMap:
    """The lab's map."""
    return marking.marked(read(*changes))
