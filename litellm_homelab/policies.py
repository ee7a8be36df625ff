"""The registry of policies: what the gateway does with a request, in the order in which it happens."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydantic import BaseModel

    from litellm_homelab.adapter.policy import Policy
    from litellm_homelab.config.sections import Homelab


@dataclass(frozen=True, slots=True)
class Registered:
    """One line of `POLICIES`."""

    name: str
    """The value of the label `rule`: refusals and failures are counted under it."""
    policy: str
    """`module:Class`, imported when the plugin is made: LiteLLM is not needed to read the registry."""
    section: str = ""
    """The part of the `homelab:` section that makes the policy active; empty for one that always is."""
    settings: str = ""
    """`module:Model`: the pydantic model of the section, where config/sections.py does not have it."""
    applies: Callable[[Homelab], bool] | None = None
    """Whether the policy is active, where that is not "its section is set"."""

    def is_active(self, homelab: Homelab) -> bool:
        """Whether the settings make the policy active."""
        if self.applies is not None:
            return self.applies(homelab)
        return not self.section or bool(getattr(homelab, self.section))

    def load(self) -> type[Policy]:
        """Import the policy's class."""
        found: type[Policy] = _imported(self.policy)
        return found

    def load_settings(self) -> type[BaseModel]:
        """Import the model of the policy's section."""
        found: type[BaseModel] = _imported(self.settings)
        return found


def _imported(place: str) -> Any:  # noqa: ANN401 - a class
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def _always(_: Homelab) -> bool:
    return True


def _calls_back(homelab: Homelab) -> bool:
    """Whether OptiLLM's calls may come in."""
    return bool(homelab.optillm) or any(one.role == "optillm" for one in homelab.callers.values())


def _has_slots(homelab: Homelab) -> bool:
    """Whether a backend has a limit."""
    return any(one.slots is not None for one in homelab.backends.values())


def _has_presence(homelab: Homelab) -> bool:
    """Whether a backend is to be followed."""
    return any(one.presence is not None for one in homelab.backends.values())


_HERE: Final = "litellm_homelab.adapter.policies"
POLICIES: Final = (
    Registered("fields", f"{_HERE}.fields:FieldsPolicy", "fields", applies=_always),
    Registered("showroom", f"{_HERE}.showroom:ShowroomPolicy", "showroom"),
    Registered("hops", f"{_HERE}.hops:HopsPolicy"),
    Registered("approach", f"{_HERE}.approach:ApproachPolicy", "optillm", applies=_always),
    Registered("loop_guard", f"{_HERE}.loop_guard:LoopGuardPolicy", "optillm", applies=_calls_back),
    Registered("presence", f"{_HERE}.presence:PresencePolicy", "backends", applies=_has_presence),
    Registered("timeouts", f"{_HERE}.timeouts:TimeoutsPolicy", "timeouts"),
    Registered("quota", f"{_HERE}.quotas:QuotaPolicy", "quotas"),
    Registered("queue", f"{_HERE}.queue:QueuePolicy", "backends", applies=_has_slots),
    Registered("keep_alive", f"{_HERE}.keep_alive:KeepAlivePolicy", "keep_alive"),
    Registered("metrics", f"{_HERE}.metrics:MetricsPolicy"),
)
"""Every policy, in the order in which a request meets them at each stage."""


def active(homelab: Homelab, registered: Iterable[Registered] = POLICIES) -> tuple[Registered, ...]:
    """The policies that the settings make active, in their order."""
    return tuple(one for one in registered if one.is_active(homelab))
