"""
Deployments that LiteLLM hands to its Rust core, which asks no Python hook.

LiteLLM documents `litellm_params.rust: true` (docs/proxy/rust_gateway, 2026-10-10: from 1.94 on for messages
of Anthropic models; chat on `anthropic` and `bedrock` is announced). 1.106.0 to 1.110.2 have the key in two
lists only: it is taken out of a request (`types/litellm_params.py`), and refused from a client
(`proxy/auth/auth_utils.py`). What they read is `LITELLM_RUST` (`rust_bridge/configuration.py`), at each call:
messages of some providers (1.108.7: anthropic, deepseek, vertex_ai) then leave through an HTTP client of the
Rust core, past our check of the transport. What one version obeys, or will, stops the start on all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from litellm_homelab.config import references
from litellm_homelab.config.findings import Caution
from litellm_homelab.config.wording import quoted, shown

if TYPE_CHECKING:
    from litellm_homelab.config.router_file import Deployment
    from litellm_homelab.config.settings import Settings

KEY: Final = "rust"
VARIABLE: Final = "LITELLM_RUST"
ON: Final = frozenset({"1", "on", "t", "true", "y", "yes"})
"""What pydantic, with which LiteLLM reads the variable, takes for true."""
OFF: Final = frozenset({"", "0", "f", "false", "n", "no", "none", "null", "off"})
SECTIONS: Final = ("general_settings", "litellm_settings", "router_settings")
DEFAULTS: Final = "default_litellm_params"
WHY: Final = "LiteLLM's Rust core asks no Python hook, so no rule of this package would hold there"


def problems(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    """Each place that switches the Rust core on; a problem where a rule applies to what it serves."""
    rules = _rules(settings)
    seen: set[str] = set()
    for one in settings.router.deployments:
        place = _place(settings, one)
        if place and one.where not in seen:
            # A wildcard's names have its place: one line for all of them, and the names first.
            same = [other for other in settings.router.deployments if other.where == one.where]
            found = next((other.group for other in same if other.group in rules), "")
            seen.add(one.where)
            yield _of_deployment(f"{one.where}.{place}", found or one.group, rules.get(found, ""))
    yield from _of_sections(settings)
    yield from _of_variable(settings, environ)


def is_on(value: object) -> bool:
    """Whether a value of `rust` switches it on; whatever is not plainly off counts as on."""
    if isinstance(value, str):
        return value.strip().lower() not in OFF
    return bool(value)


def _rules(settings: Settings) -> dict[str, str]:
    """Which rule applies to each group, in words; groups that no name reaches are not in it."""
    placed = settings.homelab.showroom
    return {
        **dict.fromkeys(placed.internal, "an internal name"),
        **dict.fromkeys(placed.hidden, "a hidden name"),
        **dict.fromkeys(settings.handles, "a handle"),
        **dict.fromkeys(settings.homelab.optillm, "an OptiLLM handle"),
    }


def _place(settings: Settings, deployment: Deployment) -> str:
    """Where a deployment has the key, below its own place; empty where it is not switched on."""
    if is_on(deployment.params.get(KEY)):
        return f"litellm_params.{KEY}"
    entries = settings.router.document.get("model_list")
    number = deployment.where.removeprefix("model_list[").removesuffix("]")
    if not isinstance(entries, list) or not number.isdigit() or int(number) >= len(entries):
        return ""
    entry = entries[int(number)]
    if is_on(entry.get(KEY)):
        return KEY
    info = entry.get("model_info")
    return f"model_info.{KEY}" if isinstance(info, dict) and is_on(info.get(KEY)) else ""


def _of_deployment(where: str, group: str, rule: str) -> str:
    if not rule:
        return Caution(
            f"{where}: no client can reach {quoted(group)}; {WHY}; remove it before you list the name"
        )
    return f"{where}: not supported: {quoted(group)} is {rule}; {WHY}; remove `{KEY}` from this deployment"


def _of_sections(settings: Settings) -> Iterator[str]:
    """The key where it would hold for every deployment."""
    for name in SECTIONS:
        section: Mapping[str, Any] = settings.router.sections.get(name, {})
        below = section.get(DEFAULTS)
        if is_on(section.get(KEY)):
            yield f"{name}.{KEY}: not supported, got {shown(section[KEY])}; {WHY}; remove it"
        if isinstance(below, dict) and is_on(below.get(KEY)):
            yield (
                f"{name}.{DEFAULTS}.{KEY}: not supported, got {shown(below[KEY])}: it would hold for every "
                f"deployment; {WHY}; remove it"
            )


def _of_variable(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    """`LITELLM_RUST`, in the environment or in the file, which LiteLLM reads at every call."""
    in_file = dict(references.late_values(settings.router.document.get("environment_variables"), environ))
    for where, values in (("environment_variables.", in_file), ("environment variable ", environ)):
        value = values.get(VARIABLE, "")
        if value.strip().lower() in ON:
            yield f"{where}{VARIABLE}: not supported, got {shown(value)}; {WHY}; remove it"
