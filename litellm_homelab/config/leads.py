"""
Where LiteLLM may take a request besides the router's fallbacks: by what a deployment says.

Read from LiteLLM 1.106.2: `litellm_params.fallbacks` and its like, `silent_model` (a copy of every request),
`context_window_fallback_dict`, and the routers that choose a group by looking at the prompt (`auto_router/`,
with a semantic, complexity, adaptive or quality configuration; `strategy_router_dependencies`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from litellm_homelab.config.deployments import Deployment
from litellm_homelab.config.references import resolve

Lead = tuple[str, str, tuple[str, ...]]
"""(where it is, group, targets); the group `*` is every group."""
STEERING: Final = re.compile(r"fallback|silent|router|mirror|shadow")
"""Parameters of a deployment that name other models."""
NAMES: Final = frozenset(
    {
        *("tiers", "available_models", "default_model", "embedding_model", "model_name"),
        *("fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "default_fallbacks"),
        *("silent_model", "auto_router_default_model", "auto_router_embedding_model"),
        *("complexity_router_default_model", "adaptive_router_default_model", "quality_router_default_model"),
        *("context_window_fallback_dict", "model_fallbacks"),
    }
)
"""Keys below which every text is the name of a model."""
TEXTS: Final = re.compile(
    r"keyword|utterance|description|prompt|example|instruction|pattern|marker|label|messages|_path$"
)
"""Keys below which texts are not names."""
EVERYWHERE: Final = (
    ("litellm_settings", "model_fallbacks"),
    ("router_settings", "default_litellm_params"),
)
"""Settings that put such parameters into every request."""


def of_deployments(deployments: Iterable[Deployment], environ: Mapping[str, str]) -> Iterator[Lead]:
    """What each deployment leads to; `targets` are names as they are written, of groups or not."""
    found = tuple(deployments)
    known = {name for one in found for name in (one.group, one.model)}
    for deployment in found:
        for name, value in deployment.params.items():
            if isinstance(name, str) and STEERING.search(name):
                targets = _unique(_targets(name, _parsed(name, value), environ), known)
                if targets:
                    yield f"{deployment.where}.litellm_params.{name}", deployment.group, targets


def of_settings(sections: Mapping[str, Mapping[str, Any]], environ: Mapping[str, str]) -> Iterator[Lead]:
    """What the sections of settings add to every request."""
    for section, setting in EVERYWHERE:
        value = sections.get(section, {}).get(setting)
        inner = value.items() if isinstance(value, dict) else [(setting, value)]
        for name, one in inner:
            if isinstance(name, str) and STEERING.search(name):
                targets = _unique(_targets(name, one, environ), frozenset())
                if targets:
                    yield f"{section}.{setting}", "*", targets


def _unique(found: Iterable[tuple[str, bool]], known: Iterable[str]) -> tuple[str, ...]:
    """What is a name for certain, and what is one of the names in the file."""
    names = set(known)
    return tuple(dict.fromkeys(text for text, certain in found if text and (certain or text in names)))


def _parsed(name: str, value: object) -> object:
    """`auto_router_config` is JSON in a text; one that is not JSON stops LiteLLM's own start."""
    if isinstance(value, str) and name.endswith("_config"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _targets(
    key: str, value: object, environ: Mapping[str, str], *, certain: bool = False
) -> Iterator[tuple[str, bool]]:
    """Texts below a setting, each with whether it is certainly a model's name."""
    certain = certain or key in NAMES
    if isinstance(value, str):
        yield str(resolve(value, environ)), certain
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _targets(key, item, environ, certain=certain)
    elif isinstance(value, dict):
        yield from _targets_below(key, value, environ, certain=certain)


def _targets_below(
    key: str, value: dict[Any, Any], environ: Mapping[str, str], *, certain: bool
) -> Iterator[tuple[str, bool]]:
    if certain and ("model" in value or "model_name" in value):  # `{model: name, messages: [...]}`
        yield from _targets("model_name", value.get("model") or value.get("model_name"), environ)
        return
    for name, item in value.items():
        if not (isinstance(name, str) and TEXTS.search(name)):
            inner = "model_name" if key == "routes" and name == "name" else str(name)
            yield from _targets(inner, item, environ, certain=certain)
