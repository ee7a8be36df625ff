"""The entry of `model_list` for what was probed, to be pasted into a router.yaml."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from litellm_homelab.probe.findings import ProbeVerdict
from litellm_homelab.probe.parameters import PARAMETERS
from litellm_homelab.probe.run import ProbeReport
from litellm_homelab.probe.target import ProbeTarget

PROVIDER: Final = "lm_studio"
"""LiteLLM's provider for any OpenAI-compatible chat server (docs/add-a-backend.md)."""
KINDS: Final = {"llama.cpp": "openai", "litellm": "openai"}
"""Kinds of ours that `homelab.backends` has no word for."""
NEEDED: Final = frozenset({"stream", "max_tokens"})
"""Fields that cannot be left out without another answer than was asked for."""
LONGEST_NAME: Final = 40


def dropped(report: ProbeReport) -> list[str]:
    """Fields that the server rejects, in every form that was tried."""
    verdicts: dict[str, set[ProbeVerdict]] = {}
    fields = {one.name: one.field or one.name for one in PARAMETERS}
    for each in report.findings:
        verdicts.setdefault(fields[each.parameter], set()).add(each.verdict)
    return [
        name for name, found in verdicts.items() if found == {ProbeVerdict.REJECTED} and name not in NEEDED
    ]


def written(report: ProbeReport, where: ProbeTarget, key_variable: str) -> str:
    """The entry as YAML, with a comment on what belongs into `homelab:`."""
    return "".join(f"{line}\n" for line in _lines(report, where, key_variable))


def _lines(report: ProbeReport, where: ProbeTarget, key_variable: str) -> Iterator[str]:
    handle = handle_of(report.model)
    key = f"os.environ/{key_variable}" if key_variable else "none"
    yield "model_list:"
    yield f"  - model_name: {_yaml(handle)}"
    yield "    litellm_params:"
    yield f"      model: {_yaml(f'{PROVIDER}/{report.model}')}"
    yield f"      api_base: {_yaml(where.api_base)}"
    yield f"      api_key: {key}"
    yield "      use_chat_completions_api: true"
    if rejected := dropped(report):
        yield f"      additional_drop_params: [{', '.join(rejected)}]"
    if report.server.kind == "optillm":
        yield "      num_retries: 0"
        yield "      cooldown_time: 0"
        yield "      timeout: 1800"
        yield "      stream_timeout: 1800"
    yield f"    model_info: {{{', '.join(_info(report))}}}"
    kind = KINDS.get(report.server.kind, report.server.kind)
    yield f"# homelab.showroom.handles: [{_yaml(handle)}]"
    yield f"# homelab.backends: {{{_yaml(handle)}: {{at: [{_yaml(where.api_base)}], kind: {kind}}}}}"


def _info(report: ProbeReport) -> Iterator[str]:
    yield "mode: chat"
    context = (report.server.context or {}).get(report.model)
    if context:
        yield f"max_input_tokens: {context}"
    verdicts = {one.parameter: one.verdict for one in report.findings}
    for name, parameter in SUPPORTS.items():
        if verdicts.get(parameter) is ProbeVerdict.ACCEPTED:
            yield f"{name}: true"
        elif verdicts.get(parameter) in (ProbeVerdict.REJECTED, ProbeVerdict.IGNORED):
            yield f"{name}: false"


SUPPORTS: Final = {
    "supports_function_calling": "tools",
    "supports_tool_choice": "tool_choice",
    "supports_response_schema": "response_format json_schema",
}
"""What LiteLLM's `model_info` has a word for."""


def handle_of(model: str) -> str:
    """A name for clients, made of the last part of a model's name."""
    last = model.rstrip("/").rpartition("/")[2] or model
    found = re.sub(r"[^a-z0-9._]+", "-", last.lower()).strip("-.")[:LONGEST_NAME].strip("-.")
    if not found or found.startswith("mlx-"):
        found = f"my-{found.removeprefix('mlx-')}".strip("-")
    return found


def _yaml(text: str) -> str:
    """A text as a YAML scalar: plain where that is safe."""
    return text if re.fullmatch(r"[A-Za-z][A-Za-z0-9._/-]*", text) else json.dumps(text)
