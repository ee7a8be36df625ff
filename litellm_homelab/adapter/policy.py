"""What a policy may do with a request, stage by stage, and the registry of all policies."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from pydantic import BaseModel

    from litellm_homelab.adapter.context import RequestContext
    from litellm_homelab.adapter.wiring import Shared
    from litellm_homelab.config.sections import Homelab


class Policy:
    """
    Applies a rule to requests: one method for each stage, in the order in which a request meets them.

    A stage that a policy does not override costs nothing.  A stage that refuses raises `Refused`; any other
    exception refuses as well (`policy_error`), is logged and is counted under the policy's name.  `ctx` is
    None where LiteLLM works for itself: health checks and background jobs.
    """

    name: ClassVar[str] = ""
    """The policy's name in `POLICIES` and the value of the metrics' label `rule`."""

    @classmethod
    def build(cls, shared: Shared) -> Self:
        """Make the policy from checked settings and from what policies share."""
        raise NotImplementedError

    async def pre_call(self, ctx: RequestContext, data: dict[str, Any], call_type: str) -> None:
        """Decide on a request before it is routed; change `data`, LiteLLM's request dict, in place."""

    async def attempt(
        self,
        ctx: RequestContext | None,
        kwargs: dict[str, Any],
        call_type: Any,  # noqa: ANN401 - LiteLLM's enum, or None
    ) -> dict[str, Any] | None:
        """Decide on one attempt; give back other arguments for it, or None to leave them."""

    def sending(self, ctx: RequestContext | None, body: dict[str, Any]) -> None:
        """See the body that is about to be sent; it cannot be refused here: LiteLLM swallows exceptions."""

    async def attempt_answered(self, ctx: RequestContext, data: Mapping[str, Any], response: object) -> None:
        """See the answer of an attempt that is not streamed."""

    async def attempt_failed(self, ctx: RequestContext, error: Exception) -> None:
        """See how an attempt failed."""

    async def answer(self, ctx: RequestContext, response: Any) -> Any:  # noqa: ANN401 - LiteLLM's answer types
        """Change or refuse an answer that is not streamed."""

    def stream(self, ctx: RequestContext, chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Follow a stream; give back `chunks` themselves where nothing is to be done."""
        raise NotImplementedError

    async def headers(self, ctx: RequestContext) -> dict[str, str] | None:
        """Add headers to an answer."""

    async def logged(self, ctx: RequestContext | None, kwargs: dict[str, Any], result: Any) -> Any:  # noqa: ANN401
        """See, or change, what LiteLLM logs of a request; runs after the answer."""


STAGES: Final = (
    *("pre_call", "attempt", "sending", "attempt_answered", "attempt_failed"),
    *("answer", "stream", "headers", "logged"),
)
"""The methods of `Policy` that a request meets."""


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


_HERE: Final = "litellm_homelab.adapter.policies"
POLICIES: Final = (
    Registered("fields", f"{_HERE}.fields:FieldsPolicy", "fields", applies=_always),
    Registered("showroom", f"{_HERE}.showroom:ShowroomPolicy", "showroom"),
    Registered("approach", f"{_HERE}.approach:ApproachPolicy", "optillm", applies=_always),
    Registered("loop_guard", f"{_HERE}.loop_guard:LoopGuardPolicy", "optillm", applies=_calls_back),
    Registered("metrics", f"{_HERE}.metrics:MetricsPolicy"),
)
"""Every policy, in the order in which a request meets them at each stage."""


def active(homelab: Homelab, registered: Iterable[Registered] = POLICIES) -> tuple[Registered, ...]:
    """The policies that the settings make active, in their order."""
    return tuple(one for one in registered if one.is_active(homelab))


def defines(policy: Policy, stage: str) -> bool:
    """Whether a policy overrides a stage."""
    return getattr(type(policy), stage) is not getattr(Policy, stage)
