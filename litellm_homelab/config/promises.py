"""Settings of LiteLLM that our promises rest on, said at the start where router.yaml lacks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from litellm_homelab.config.entry_points import GATE
from litellm_homelab.config.findings import Caution
from litellm_homelab.config.key_checks import is_local
from litellm_homelab.config.references import is_unset

if TYPE_CHECKING:
    from litellm_homelab.config.router_file import Deployment
    from litellm_homelab.config.settings import Settings

CHAT_SERVERS: Final = frozenset({"openai", "custom_openai", "azure_ai"})
"""Providers whose /v1/responses LiteLLM 1.106.2 asks for where a deployment does not say otherwise."""
CHAT_COMPLETIONS: Final = "use_chat_completions_api"
"""The setting of a deployment with which LiteLLM makes chat completions of /v1/responses."""
SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Promise:
    """A setting of LiteLLM that a promise rests on: `check` says that it is missing, `init` adds it."""

    section: str
    name: str
    value: bool
    why: str
    """What happens without it."""
    of: Literal["", "gate", "optillm"] = ""
    """It matters with the gate, or with an OptiLLM handle, only."""

    def applies(self, *, gate: bool, optillm: bool) -> bool:
        """Whether it matters to a file that has the gate, or an OptiLLM handle."""
        return {"": True, "gate": gate, "optillm": optillm}[self.of]

    def missing(self) -> Caution:
        """What the start says of a file without it."""
        value = str(self.value).lower()
        return Caution(
            f"{self.section}.{self.name}: not set to {value}; without it {self.why}; "
            f"add `{self.name}: {value}` to {self.section}"
        )


PROMISES: Final = (
    Promise(
        "general_settings",
        "custom_auth_run_common_checks",
        True,
        "LiteLLM does not check budgets and lists of models of its own keys",
        of="gate",
    ),
    Promise(
        "litellm_settings",
        "global_disable_no_log_param",
        True,
        "a request can keep itself out of your logs where `no-log` is let through",
    ),
    Promise(
        "litellm_settings",
        "expose_router_debug_in_errors",
        False,
        "LiteLLM writes your fallbacks into every error, and only our scrubber takes them out",
    ),
    Promise(
        "general_settings",
        "cancel_on_disconnect",
        True,
        "a model goes on working for a client that has left",
    ),
    Promise(
        "general_settings",
        "disable_model_info_refresh",
        True,
        "LiteLLM asks OptiLLM about its models again and again",
        of="optillm",
    ),
)
"""docs/configuration.md has the reasons at length."""


def cautions(settings: Settings) -> Iterator[str]:
    """What is missing, each with the line to add."""
    general, litellm = (_section(settings, name) for name in ("general_settings", "litellm_settings"))
    has_gate, lanes = general.get("custom_auth") == GATE, bool(settings.homelab.optillm)
    for one in PROMISES:
        present = _section(settings, one.section).get(one.name)
        if one.applies(gate=has_gate, optillm=lanes) and present is not one.value:
            yield one.missing()
    if litellm.get("require_auth_for_metrics_endpoint") is False:
        yield Caution(
            "litellm_settings.require_auth_for_metrics_endpoint: false opens nothing here: /metrics asks for "
            "a key of role metrics or the master key; to open it add `homelab.gate.open: [/metrics]`"
        )
    yield from _with_optillm(settings, litellm)
    yield from _responses(settings)
    yield from _aliases(settings)


def _with_optillm(settings: Settings, litellm: Mapping[str, Any]) -> Iterator[str]:
    if not settings.homelab.optillm:
        return
    if litellm.get("cache") is True:
        yield Caution(
            "litellm_settings.cache: true: LiteLLM's cache does not know approaches, so OptiLLM handles are "
            "never cached; write `cache: false` unless other handles need it"
        )


def _responses(settings: Settings) -> Iterator[str]:
    """Local chat servers of which LiteLLM would ask /v1/responses, which few of them have."""
    groups = [one.group for one in settings.router.deployments if is_asked_for_responses(one)]
    names = list(dict.fromkeys(groups))
    if names:
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        yield Caution(
            f"model_list: {', '.join(names[:SHOWN])}{more}: LiteLLM sends /v1/responses to the same path of "
            f"these servers; where a server has none, add `{CHAT_COMPLETIONS}: true` to litellm_params"
        )


def is_asked_for_responses(deployment: Deployment) -> bool:
    """Whether LiteLLM asks a local chat server for /v1/responses."""
    return (
        deployment.provider in CHAT_SERVERS
        and deployment.mode == "chat"
        and bool(deployment.api_base)
        and not is_unset(deployment.api_base)
        and is_local(deployment.api_base)
        and CHAT_COMPLETIONS not in deployment.params
        and not deployment.wildcard
    )


def _aliases(settings: Settings) -> Iterator[str]:
    for alias, group in settings.router.aliases.items():
        yield Caution(
            f"router_settings.model_group_alias.{alias}: clients cannot call it; to serve it, make it a "
            f"model_name of model_list with the deployments of {group}, and list it under "
            "homelab.showroom.handles"
        )


def _section(settings: Settings, name: str) -> Mapping[str, Any]:
    return settings.router.sections.get(name, {})
