"""The shipped configuration with every chain that a test can break, in which nothing rests or is retried."""

from __future__ import annotations

import contextlib
import copy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.config import shipped
from tests.real import breaking_upstream
from tests.real import gateway as real
from tests.real.gateway import Gateway
from tests.real.upstreams import listening

RUNGS = {"vllm": "vllm-qwen", "ollama": "ollama-qwen", "cloud": "openai-gpt4o"}
"""Each rung of the shipped chain by the demo backend that is behind it, in order."""
EMBED_RUNGS = {"mlx": "embed", "ollama": "embed-rung"}
"""The chain for embeddings, which the shipped file does not have."""
TORN = ("deep", "fast")
"""Handles whose upstream breaks in mid-stream, reached by two of LiteLLM's providers."""
EMBED_ENVIRON = {
    "EMBED_RUNG_MODEL": "openai/e5-small-upstream",
    "EMBED_RUNG_API_BASE": "http://127.0.0.1:4103/v1",
    "EMBED_RUNG_API_KEY": "none",
}


def identifier(group: str) -> str:
    """The deployment id that each group has here; LiteLLM would make one from the settings."""
    return f"deployment-of-{group.replace('/', '-')}"


def document() -> dict[str, Any]:
    """The shipped router.yaml, changed as the module says."""
    changed = copy.deepcopy(shipped.ROUTER)
    rung = copy.deepcopy(next(one for one in changed["model_list"] if one["model_name"] == "embed"))
    rung["model_name"] = "embed-rung"
    rung["litellm_params"] |= {
        name: f"os.environ/EMBED_RUNG_{name.upper()}" for name in ("model", "api_base", "api_key")
    }
    changed["model_list"].append(rung)
    for entry in changed["model_list"]:
        entry["model_info"]["id"] = identifier(entry["model_name"])
    changed["homelab"]["showroom"]["internal"].append("embed-rung")
    changed["router_settings"]["fallbacks"].append({"embed": ["embed-rung"]})
    changed["homelab"]["timeouts"]["lil-jerry"] = {"total": 5}  # for a limit that a test may wait for
    for backend in changed["homelab"]["backends"].values():
        del backend["presence"]  # a rung that one test ends would be passed over in the next one
    changed["homelab"]["backends"]["torn-box"] = {  # probed, and always there
        "at": ["os.environ/DEEP_API_BASE"],
        "presence": {"probe_seconds": 1, "on_absent": "wake"},
        "wake": {"url": "http://127.0.0.1:9/never"},
    }
    changed["router_settings"]["disable_cooldowns"] = True
    changed["router_settings"]["num_retries"] = 0
    del changed["router_settings"]["retry_policy"]
    # LiteLLM encrypts ids of responses otherwise, and nobody would see what it hides in them.
    changed["general_settings"]["disable_responses_id_security"] = True
    return changed


@contextlib.contextmanager
def gateway(folder: Path) -> Iterator[Gateway]:
    """Run it from `folder`."""
    shutil.copy(shipped.FOLDER / "registry.json", folder)
    config = folder / "router.yaml"
    config.write_text(yaml.safe_dump(document(), sort_keys=False), encoding="utf-8")
    with (
        listening(breaking_upstream.APP) as url,
        real.gateway(config, environ={**EMBED_ENVIRON, **_torn_environ(url)}) as running,
    ):
        yield running


def _torn_environ(url: str) -> dict[str, str]:
    return {
        "DEEP_MODEL": "openai/torn/deep-upstream",
        "FAST_MODEL": "custom_openai/torn/fast-upstream",
        **{f"{handle.upper()}_API_BASE": f"{url}/v1" for handle in TORN},
    }
