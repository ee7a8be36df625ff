"""
Writes what the installed LiteLLM knows in a router.yaml to litellm_homelab/check/litellm.json.

`litellm-homelab check` reads that file, so that it needs no LiteLLM. Run this when the lock gets another one:

    .venv/bin/python scripts/litellm_settings.py

`tests/check/test_known.py` fails where the file and the installed LiteLLM differ.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

from repository import REPOSITORY, main

# isort: split
import litellm
from litellm.proxy._types import ConfigGeneralSettings
from litellm.router import Router
from litellm.types import guardrails, router
from litellm.types.caching import LiteLLMCacheType

from litellm_homelab.adapter.litellm_api import parameters

FILE = REPOSITORY / "litellm_homelab" / "check" / "litellm.json"
SOURCE = Path(inspect.getfile(litellm)).parent
MANAGED = "ROUTER_SETTINGS_MANAGED_OUTSIDE_CONFIG"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
PLAIN = re.compile(r"[a-z0-9][a-z0-9.:@_-]*", re.IGNORECASE)


def written() -> str:
    """The text of the file: one name a line, so that a new LiteLLM is easy to compare with the last."""
    return json.dumps(known(), indent=1, sort_keys=True) + "\n"


def known() -> dict[str, Any]:
    """Everything that the file has."""
    read = {name: set(_read(name)) for name in ("config", "general_settings", "litellm_settings")}
    return {
        "version": version("litellm"),
        "sections": sorted({*read["config"], "include", "homelab"}),
        "router_settings": sorted(_router_settings()),
        "litellm_settings": sorted({*_module_settings(), *_compared("key"), *read["litellm_settings"]}),
        "general_settings": sorted({*ConfigGeneralSettings.model_fields, *read["general_settings"]}),
        "model_list": sorted(router.Deployment.model_fields),
        "litellm_params": sorted(router.LiteLLM_Params.model_fields),
        "parameters": sorted(parameters.names()),
        "model_info": sorted({*_model_info()}),
        "numbers": dict(sorted(_numbers())),
        "retry_policy": sorted(router.RetryPolicy.model_fields),
        "allowed_fails_policy": sorted(router.AllowedFailsPolicy.model_fields),
        "optional_pre_call_checks": sorted(get_args(get_args(router.OptionalPreCallChecks)[0])),
        "routing_strategies": sorted(_strategies()),
        "guardrail_modes": sorted(one.value for one in guardrails.GuardrailEventHooks),
        "guardrails": sorted({*_guardrails()}),
        "providers": sorted({*_providers()}),
        "callbacks": sorted({*_callbacks()}),
        "cache_types": sorted(one.value for one in LiteLLMCacheType),
        "models": sorted(_models()),
    }


def _router_settings() -> Iterator[str]:
    from litellm.proxy import proxy_server

    outside = getattr(proxy_server, MANAGED, {"model_list", "search_tools", "assistants_config"})
    yield from (name for name in Router.get_valid_args() if name not in outside)


def _module_settings() -> Iterator[str]:
    """What `litellm_settings` sets: the module's variables, made there or imported there."""
    for node in ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8")).body:
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            value = getattr(litellm, alias.asname or alias.name, None)
            if isinstance(value, bool | int | float | str | list | dict | None) and not alias.name.isupper():
                yield alias.asname or alias.name
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name) and not target.id.startswith("_") and not target.id.isupper():
                yield target.id


def _read(section: str) -> Iterator[str]:
    """Keys that a module reads from a dict of this name: `x.get("key")`, `x["key"]`, `"key" in x`."""
    patterns = (
        rf"\b{section}\.get\(\s*[\"'](\w+)[\"']",
        rf"\b{section}\[[\"'](\w+)[\"']\]",
        rf"[\"'](\w+)[\"'] (?:not )?in {section}\b",
    )
    places = [SOURCE / "proxy" / "proxy_server.py"] if section == "config" else SOURCE.rglob("*.py")
    for path in places:
        text = path.read_text(encoding="utf-8")
        for pattern in patterns:
            yield from re.findall(pattern, text)


def _compared(name: str) -> Iterator[str]:
    """Keys of `litellm_settings` that the start compares: `key == "cache_params"`."""
    text = (SOURCE / "proxy" / "proxy_server.py").read_text(encoding="utf-8")
    yield from re.findall(rf"\b{name} == \"(\w+)\"", text)


def _model_info() -> Iterator[str]:
    """Fields of `model_info`, and what the list of models says about a model."""
    yield from router.ModelInfo.model_fields
    for entry in litellm.model_cost.values():
        yield from (name for name in entry if NAME.fullmatch(name))
    pattern = re.compile(r"model_info(?:\.get\(\s*|\[)[\"'](\w+)[\"']")
    for path in SOURCE.rglob("*.py"):
        yield from pattern.findall(path.read_text(encoding="utf-8"))


def _numbers() -> Iterator[tuple[str, str]]:
    """Parameters of a deployment with which LiteLLM leaves it out where they are no number."""
    for name, field in router.LiteLLM_Params.model_fields.items():
        kinds = {one for one in (*get_args(field.annotation), field.annotation) if one is not type(None)}
        kinds -= {one for one in kinds if get_args(one)}
        if kinds == {int}:
            yield name, "integer"
        elif kinds and kinds <= {int, float}:
            yield name, "number"


def _strategies() -> Iterator[str]:
    try:
        Router(model_list=[], routing_strategy="none of them")  # type: ignore[arg-type]
    except ValueError as error:
        listed = str(error).partition("Valid options: [")[2].partition("]")[0]
        yield from re.findall(r"'([\w-]+)'", listed)
    else:
        yield from (one.value for one in router.RoutingStrategy)
        yield "simple-shuffle"


def _guardrails() -> Iterator[str]:
    from litellm.proxy.guardrails.guardrail_registry import guardrail_initializer_registry

    yield from guardrail_initializer_registry
    yield from (one.value for one in guardrails.SupportedGuardrailIntegrations)


def _providers() -> Iterator[str]:
    """What may be in front of a model: providers, and services that keep prompts."""
    yield from (str(getattr(one, "value", one)) for one in litellm.provider_list)
    yield from litellm._known_custom_logger_compatible_callbacks


def _callbacks() -> Iterator[str]:
    """Names of callbacks that are LiteLLM's own: the newer kind, and those that its logging compares."""
    yield from litellm._known_custom_logger_compatible_callbacks
    text = (SOURCE / "litellm_core_utils" / "litellm_logging.py").read_text(encoding="utf-8")
    yield from re.findall(r"\bcallback == \"(\w+)\"", text)


def _models() -> Iterator[str]:
    """Names without a provider from which LiteLLM knows the provider."""
    lists = [one for one in vars(litellm).values() if isinstance(one, list | tuple | set | frozenset | dict)]
    for name in {name for one in lists for name in one if isinstance(name, str)}:
        if not PLAIN.fullmatch(name):
            continue
        try:
            litellm.get_llm_provider(name)
        except litellm.exceptions.BadRequestError:
            continue
        yield name


if __name__ == "__main__":
    main(FILE, written())
