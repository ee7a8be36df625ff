"""Settings of LiteLLM that our promises rest on, said at the start where router.yaml lacks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from litellm_homelab.config.entry_points import GATE
from litellm_homelab.config.findings import Caution
from litellm_homelab.config.key_checks import is_local
from litellm_homelab.config.references import is_unset

if TYPE_CHECKING:
    from litellm_homelab.config.settings import Settings

CHAT_SERVERS: Final = frozenset({"openai", "custom_openai", "azure_ai"})
"""Providers whose /v1/responses LiteLLM 1.106.2 asks for where a deployment does not say otherwise."""
SHOWN: Final = 5


def cautions(settings: Settings) -> Iterator[str]:
    """What is missing, each with the line to add."""
    general, litellm = (_section(settings, name) for name in ("general_settings", "litellm_settings"))
    if general.get("custom_auth") == GATE and general.get("custom_auth_run_common_checks") is not True:
        yield _missing(
            "general_settings.custom_auth_run_common_checks: true",
            "without it LiteLLM does not check budgets and lists of models of its own keys",
        )
    if litellm.get("global_disable_no_log_param") is not True:
        yield _missing(
            "litellm_settings.global_disable_no_log_param: true",
            "without it a request can keep itself out of your logs where `no-log` is let through",
        )
    if litellm.get("expose_router_debug_in_errors") is not False:
        yield _missing(
            "litellm_settings.expose_router_debug_in_errors: false",
            "without it LiteLLM writes your fallbacks into every error, and only our scrubber takes them out",
        )
    if general.get("cancel_on_disconnect") is not True:
        yield _missing(
            "general_settings.cancel_on_disconnect: true",
            "without it a model goes on working for a client that has left",
        )
    if litellm.get("require_auth_for_metrics_endpoint") is False:
        yield Caution(
            "litellm_settings.require_auth_for_metrics_endpoint: false opens nothing here: /metrics asks for "
            "a key of role metrics or the master key; to open it add `homelab.gate.open: [/metrics]`"
        )
    yield from _with_optillm(settings, general, litellm)
    yield from _responses(settings)
    yield from _aliases(settings)


def _with_optillm(
    settings: Settings, general: Mapping[str, Any], litellm: Mapping[str, Any]
) -> Iterator[str]:
    if not settings.homelab.optillm:
        return
    if general.get("disable_model_info_refresh") is not True:
        yield _missing(
            "general_settings.disable_model_info_refresh: true",
            "without it LiteLLM asks OptiLLM about its models again and again",
        )
    if litellm.get("cache") is True:
        yield Caution(
            "litellm_settings.cache: true: LiteLLM's cache does not know approaches, so OptiLLM handles are "
            "never cached; write `cache: false` unless other handles need it"
        )


def _responses(settings: Settings) -> Iterator[str]:
    """Local chat servers of which LiteLLM would ask /v1/responses, which few of them have."""
    groups = [
        one.group
        for one in settings.router.deployments
        if one.provider in CHAT_SERVERS
        and one.mode == "chat"
        and one.api_base
        and not is_unset(one.api_base)
        and is_local(one.api_base)
        and "use_chat_completions_api" not in one.params
        and not one.wildcard
    ]
    names = list(dict.fromkeys(groups))
    if names:
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        yield Caution(
            f"model_list: {', '.join(names[:SHOWN])}{more}: LiteLLM sends /v1/responses to the same path of "
            "these servers; where a server has none, add `use_chat_completions_api: true` to litellm_params"
        )


def _aliases(settings: Settings) -> Iterator[str]:
    for alias, group in settings.router.aliases.items():
        yield Caution(
            f"router_settings.model_group_alias.{alias}: clients cannot call it; to serve it, make it a "
            f"model_name of model_list with the deployments of {group}, and list it under "
            "homelab.showroom.handles"
        )


def _missing(line: str, why: str) -> Caution:
    name, _, value = line.partition(": ")
    section, setting = name.split(".")
    return Caution(f"{name}: not set to {value}; {why}; add `{setting}: {value}` to {section}")


def _section(settings: Settings, name: str) -> Mapping[str, Any]:
    return settings.router.sections.get(name, {})
