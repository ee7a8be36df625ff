"""What LiteLLM knows in a router.yaml: read from `litellm.json`, which scripts/litellm_settings.py writes."""

from __future__ import annotations

import functools
import json
import pkgutil
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import Any, Final

from litellm_homelab.config.settings import Known

SLIP: Final = 0.8
"""
How like one of LiteLLM's names a misspelt one must be (`wording.closest`).

`strem_timeout` and `stream_timeout` have 0.96; with this many names, a lower bound finds wrong ones.
"""
DEFAULT_PORT: Final = 4000
SECTIONS: Final = ("router_settings", "litellm_settings", "general_settings")


@dataclass(frozen=True, slots=True)
class LiteLLMNames:
    """The names of one LiteLLM."""

    version: str
    settings: Mapping[str, frozenset[str]]
    """Settings of the three sections, and `sections`: the keys of the file itself."""
    params: frozenset[str]
    """What a deployment's `litellm_params` may have: parameters of the router and of its calls."""
    parameters: frozenset[str]
    """Parameters by which LiteLLM's functions take a request's fields."""
    numbers: Mapping[str, str]
    """Parameters of a deployment that must be numbers, with `integer` or `number`."""
    model_info: frozenset[str]
    retry_policy: frozenset[str]
    allowed_fails_policy: frozenset[str]
    pre_call_checks: frozenset[str]
    strategies: frozenset[str]
    guardrails: frozenset[str]
    guardrail_modes: frozenset[str]
    callbacks: frozenset[str]
    cache_types: frozenset[str]
    types: Mapping[str, Mapping[str, str]]
    """By section: settings that are one plain value, with `boolean`, `integer` or `number`."""
    providers: frozenset[str]
    models: frozenset[str]
    """Models that LiteLLM knows without a provider in front."""

    def section_of(self, name: str) -> str | None:
        """The section that has a setting of this name, the router's first; None where none has it."""
        return next((section for section in SECTIONS if name in self.settings[section]), None)


@functools.cache
def litellm_names() -> LiteLLMNames:
    """The names of the LiteLLM in this package's lock."""
    data: dict[str, Any] = json.loads(pkgutil.get_data("litellm_homelab.check", "litellm.json") or "{}")
    schema = json.loads(pkgutil.get_data("litellm_homelab.config", "litellm.schema.json") or "{}")
    return LiteLLMNames(
        version=data["version"],
        settings={one: frozenset(data[one]) for one in (*SECTIONS, "sections")},
        params=frozenset((*data["litellm_params"], *data["parameters"])),
        parameters=frozenset(data["parameters"]),
        numbers=data["numbers"],
        model_info=frozenset(data["model_info"]),
        retry_policy=frozenset(data["retry_policy"]),
        allowed_fails_policy=frozenset(data["allowed_fails_policy"]),
        pre_call_checks=frozenset(data["optional_pre_call_checks"]),
        strategies=frozenset(data["routing_strategies"]),
        guardrails=frozenset(data["guardrails"]),
        guardrail_modes=frozenset(data["guardrail_modes"]),
        callbacks=frozenset(data["callbacks"]),
        cache_types=frozenset(data["cache_types"]),
        types={one: dict(_types(schema[one])) for one in SECTIONS},
        providers=frozenset(data["providers"]),
        models=frozenset(data["models"]),
    )


def _types(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Settings of the schema that are a boolean or a number, and may be null."""
    for name, schema in settings.items():
        kinds = {one.get("type") for one in schema.get("anyOf", [schema])} - {"null"}
        yield from ((name, kind) for kind in kinds & {"boolean", "integer", "number"} if len(kinds) == 1)


def known_litellm(environ: Mapping[str, str], version: str | None = None) -> Known:
    """What the start would know of LiteLLM, of which `version` is the installed one where it is not said."""
    names = litellm_names()
    return Known(
        retry_policy=names.retry_policy,
        allowed_fails_policy=names.allowed_fails_policy,
        params=names.parameters,
        port=own_port(environ),
        version=installed_version() if version is None else version,
        hostnames=(socket.gethostname(),),
    )


def own_port(environ: Mapping[str, str]) -> int:
    """The port that the gateway would listen on."""
    found = environ.get("PORT", "")
    return int(found) if found.isdecimal() else DEFAULT_PORT


def installed_version() -> str:
    """The installed LiteLLM's version, read without importing it; empty where there is none."""
    try:
        return installed("litellm")
    except PackageNotFoundError:
        return ""
