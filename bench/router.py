"""The router.yaml of the benchmark: the same for both sides, but for what is ours."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import yaml

MASTER_KEY: Final = "sk-benchmark"
PLAIN: Final = "main"
LANE: Final = "boost"
BASE: Final = "base"
OURS: Final = "litellm_homelab."
CALLBACKS: Final = ("litellm_homelab.plugin",)
MEMORY: Final = "memory://"
SQLITE: Final = "sqlite:///bench.db"


def document(handles: int, upstream: str, *, hooks: bool = True, state: str = MEMORY) -> dict[str, Any]:
    """
    A gateway of that many handles: one that is OptiLLM, others that are not, all on one upstream.

    With hooks it is the shipped file's choice of callbacks; without, stock LiteLLM with `prometheus` alone.
    """
    names = [PLAIN, LANE, *(f"handle-{number}" for number in range(3, handles + 1))]
    general = {"master_key": "os.environ/LITELLM_MASTER_KEY", "disable_model_info_refresh": True}
    made = {
        "model_list": [*_groups(names, upstream)],
        "litellm_settings": {
            "callbacks": ["prometheus", *(CALLBACKS if hooks else ())],
            "disable_hf_tokenizer_download": True,
        },
        "general_settings": general,
    }
    if not hooks:
        return made
    general["custom_auth"] = "litellm_homelab.gate"
    return {"homelab": _section(names, state), **made}


def _section(names: list[str], state: str) -> dict[str, Any]:
    return {
        "showroom": {"handles": names, "internal": [BASE]},
        "callers": {
            "app": {"key": "sk-benchmark-app"},
            "optillm": {"key": "sk-benchmark-optillm", "role": "optillm"},
        },
        "optillm": {LANE: {"approaches": ["none", "re2", "moa"], "max_calls": 12}},
        "state": state,
    }


def _groups(names: list[str], upstream: str) -> Iterable[dict[str, Any]]:
    for name in (*names, BASE):
        model, root = (BASE, f"{upstream}/optillm") if name == LANE else (f"real-{name}", upstream)
        params = {"api_base": f"{root}/v1", "api_key": "none", "use_chat_completions_api": True}
        yield {
            "model_name": name,
            "litellm_params": {"model": f"lm_studio/{model}", **params},
            "model_info": {"id": f"id-{name}", "mode": "chat"},
        }


def written(folder: Path, content: dict[str, Any], name: str) -> Path:
    """
    The document as a file, in a folder of its own.

    A folder each: beside a router.yaml LiteLLM looks for modules, and SQLite's file is made there.
    """
    place = folder / name
    place.mkdir()
    file = place / "router.yaml"
    # LibYAML where it is there: 10,000 handles take PyYAML's own emitter some seconds.
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    file.write_text(yaml.dump(content, Dumper=dumper, sort_keys=False), encoding="utf-8")
    return file
