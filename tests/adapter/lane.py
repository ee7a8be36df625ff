"""Router.yaml files with OptiLLM handles, made for a test, and the mocked proxy on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from litellm_homelab.optillm.lineage import MARKER
from litellm_homelab.testing import MockProxy

CALLBACKS = ("litellm_homelab.plugin",)
ELSEWHERE = (("prometheus", *CALLBACKS), (*CALLBACKS, "prometheus"), (*CALLBACKS, "prometheus", *CALLBACKS))
"""Other places of the plugin in the list of callbacks, and two of them."""
KEYS = {"app": "sk-app-app-app", "optillm": "sk-optillm-optillm", "prometheus": "sk-prometheus-prometheus"}
CALLERS: dict[str, dict[str, Any]] = {"optillm": {"key": KEYS["optillm"], "role": "optillm"}}
TEXT = [{"role": "user", "content": "hello"}]
CONTENTS = [{"role": "user", "parts": [{"text": "hello"}]}]


def group(name: str, model: str | None = None, number: int = 0, **params: object) -> dict[str, Any]:
    """One entry of `model_list`: by default an `openai/` chat server that answers for `real-<name>`."""
    where = {"api_base": "http://127.0.0.1:9/v1", "api_key": "none", "use_chat_completions_api": True}
    return {
        "model_name": name,
        "litellm_params": {"model": model or f"openai/real-{name}", **where, **params},
        "model_info": {"id": f"id-{name}-{number}", "mode": "chat"},
    }


def document(
    models: Iterable[Mapping[str, Any]],
    lanes: Mapping[str, Mapping[str, Any]],
    *,
    internal: Iterable[str] = ("base",),
    fallbacks: Mapping[str, list[str]] | None = None,
    callers: Mapping[str, Mapping[str, Any]] = CALLERS,
    callbacks: Iterable[str] = CALLBACKS,
    state: str = "memory://",
) -> dict[str, Any]:
    """A router.yaml: every group that is not internal is a handle, `lanes` are those that are OptiLLM."""
    models, internal = [dict(model) for model in models], list(internal)
    names = dict.fromkeys(model["model_name"] for model in models)
    return {
        "homelab": {
            "showroom": {"handles": [name for name in names if name not in internal], "internal": internal},
            "callers": {name: dict(caller) for name, caller in callers.items()},
            "optillm": {name: dict(lane) for name, lane in lanes.items()},
            "state": state,
        },
        "model_list": models,
        "router_settings": {
            "num_retries": 1,
            "disable_cooldowns": True,
            "fallbacks": [{name: targets} for name, targets in (fallbacks or {}).items()],
        },
        "litellm_settings": {
            "callbacks": [*callbacks],
            "use_chat_completions_url_for_anthropic_messages": True,
            "disable_hf_tokenizer_download": True,
        },
        "general_settings": {
            "master_key": "os.environ/LITELLM_MASTER_KEY",
            "custom_auth": "litellm_homelab.gate",
            "disable_model_info_refresh": True,
        },
    }


def proxy_on(folder: Path, content: Mapping[str, Any]) -> MockProxy:
    """The mocked proxy on a router.yaml that is written to `folder`."""
    config = folder / "router.yaml"
    config.write_text(yaml.safe_dump(dict(content)), encoding="utf-8")
    return MockProxy(config)


def key_of(caller: str) -> dict[str, str]:
    """The header by which a caller of `KEYS` is known."""
    return {"Authorization": f"Bearer {KEYS[caller]}"}


def mark_of(wire: Mapping[str, Any]) -> str:
    """The mark behind the model name of a body that was sent to OptiLLM; empty without one."""
    _, marker, token = str(wire["model"]).partition(MARKER)
    return marker + token
