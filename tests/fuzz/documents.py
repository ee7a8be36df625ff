"""Random router.yaml documents, as YAML would hold them: settings that exist, with values of any kind."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

SECTIONS = (
    *("homelab", "model_list", "router_settings", "litellm_settings", "general_settings", "include"),
    *("environment_variables", "credential_list", "search_tools", "guardrails"),
)
INNER = (
    *("showroom", "handles", "hidden", "internal", "roots", "handles_file", "registry", "callers"),
    *("key", "next_key", "routes", "role", "gate", "open", "optillm", "approaches", "default"),
    *("max_calls", "tags", "carrier", "limits", "body_mb", "state", "secret", "model_name"),
    *("litellm_params", "model_info", "model", "api_base", "base_url", "api_key", "custom_llm_provider"),
    *("mode", "fallbacks", "silent_model", "tiers", "context_window_fallbacks", "default_fallbacks"),
    *("model_group_alias", "callbacks", "retry_policy", "name", "x", "extra_body"),
    *("complexity_router_config", "auto_router_config", "quality_router_config", "available_models"),
    *("search_tool_name", "auto_router_default_model", "litellm_credential_name", "credential_name"),
    *("credential_values", "model_fallbacks", "default_litellm_params", "master_key", "custom_auth"),
)
SCALARS: tuple[object, ...] = (
    *(None, True, False, 0, -1, 10**400, 1.5, float("nan"), float("inf"), b"bytes", dt.date(2026, 1, 1)),
    *("", "main", "spare", "boost", "*", "a\nb", "openai/main", "auto_router/complexity_router", "\ud800"),
    *("os.environ/SET", "os.environ/UNSET", "os.environ/\ud800", "os.environ/", "os.environ/A=B", "\0"),
    *("os.environ/\0", "${X}", "http://127.0.0.1:8080/v1", "http://[::1", "//@:x", "x" * 300, "memory://"),
    *('{"routes": [{"name": "main"}]}', "[" * 3000, "redis://u:p@h:1/0", "sqlite:///\0", "moa-main", "mlx-"),
    *("litellm_homelab.plugin", frozenset({"a"})),
)
KEYS: tuple[object, ...] = (
    *(*INNER, 7, None, True, 1.5, ("a", "b"), b"key", dt.date(2026, 1, 1), "\ud800", ""),
)


def documents(count: int, *, seed: int = 0) -> Iterator[dict[Any, Any]]:
    """`count` documents, the same ones for the same arguments; some have all that a good file needs."""
    chance = random.Random(seed)
    for _ in range(count):
        found = {chance.choice(SECTIONS): _value(chance, 4) for _ in range(chance.randint(1, 5))}
        if chance.random() < 0.6:
            found.setdefault("model_list", [])
            if isinstance(found["model_list"], list):
                found["model_list"] += [_deployment(chance, name) for name in ("main", "spare", "boost")]
        if chance.random() < 0.6:
            found["homelab"] = {"showroom": {"handles": ["main"]}, **_mapping(chance, 3)}
        yield found


def _deployment(chance: random.Random, name: str) -> dict[Any, Any]:
    params = {"model": f"openai/{name}", **_mapping(chance, 3)}
    return {"model_name": name, "litellm_params": params}


def _mapping(chance: random.Random, depth: int) -> dict[Any, Any]:
    return {chance.choice(KEYS): _value(chance, depth - 1) for _ in range(chance.randint(0, 3))}


def _value(chance: random.Random, depth: int) -> object:
    kind = chance.randrange(4) if depth > 0 else 3
    if kind == 0:
        return [_value(chance, depth - 1) for _ in range(chance.randint(0, 3))]
    if kind == 1:
        return _mapping(chance, depth)
    return chance.choice(SCALARS)
