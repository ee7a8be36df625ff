"""Timeouts: hands each attempt the limits of its group, and gives the client their refusal."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, Self

from litellm_homelab import refusals
from litellm_homelab.adapter import context
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.fail_closed import log_and_continue
from litellm_homelab.adapter.litellm_api import attempt_limits, no_retry, transport
from litellm_homelab.adapter.outcome import Level
from litellm_homelab.adapter.policy import Policy
from litellm_homelab.config.sections import TimeoutSection
from litellm_homelab.timeouts.groups import limits_of
from litellm_homelab.timeouts.rule import Timed

if TYPE_CHECKING:
    from litellm_homelab.adapter.wiring import Shared

LATER: Final = 30
"""Seconds by which LiteLLM's own `timeout` and `stream_timeout` come after `total`: ours act first."""


class TimeoutsPolicy(Policy):
    """Limits how long an attempt may take to connect, to begin, to continue and to finish."""

    name = "timeouts"

    def __init__(self, section: Mapping[str, TimeoutSection], lanes: Collection[str]) -> None:
        self._section = section
        self._lanes = lanes
        self._known: dict[str, tuple[Timed | None, int | None]] = {}

    @classmethod
    def build(cls, shared: Shared) -> Self:
        """Make it from what policies share; the transport asks for limits from here on."""
        transport.send_with(attempt_limits.send)
        no_retry.install()
        return cls(shared.settings.homelab.timeouts, shared.lanes.lanes)

    async def attempt(
        self,
        ctx: RequestContext | None,
        kwargs: dict[str, Any],
        call_type: Any,  # noqa: ANN401, ARG002 - LiteLLM's enum, or None
    ) -> dict[str, Any] | None:
        """
        Note the limits of the attempt.

        Raises:
            AskedAgain: its group has reached one for this request, and a retry policy asks it again.

        """
        chosen = context.chosen()
        if ctx is None or chosen is None or chosen.deployment is None or ctx.stats.chosen is None:
            return None
        group = ctx.stats.chosen
        if ctx.timeouts:
            _refuse_again(ctx, group)
        timed, later = self._of(group)
        if timed is None:
            return None
        chosen.timed = timed
        return _longer(kwargs, later) if later is not None else None

    async def attempt_failed(self, ctx: RequestContext, error: Exception) -> None:  # noqa: ARG002 - any error
        """Refuse where the first attempt reached a limit: LiteLLM shows its error, if no fallback answers."""
        with log_and_continue(self.name):
            if not no_retry.reached_a_limit():
                ctx.failed_otherwise = True
            elif not ctx.failed_otherwise:
                reached = [one for _, one in ctx.timeouts]
                refusal = refusals.upstream_timeout(ctx.asked or "", reached, to_child=ctx.is_optillms)
                ctx.outcome.withdraw(self.name)
                ctx.outcome.refuse(self.name, refusal, Level.ATTEMPT)

    def _of(self, group: str) -> tuple[Timed | None, int | None]:
        """The limits of a group, and what LiteLLM's own timeouts become; None where they stay."""
        if group not in self._known:
            limits, judged = limits_of(group, self._section), group not in self._lanes
            limits = limits if judged else limits.whole
            timed = None if limits.is_empty else Timed(group, limits, limits.whole, judged)
            self._known[group] = timed, None if limits.total is None else math.ceil(limits.total) + LATER
        return self._known[group]


def _refuse_again(ctx: RequestContext, group: str) -> None:
    again = [reached for name, reached in ctx.timeouts if name == group]
    if again:
        raise no_retry.AskedAgain(refusals.upstream_timeout(ctx.asked or group, again).message)


def _longer(kwargs: dict[str, Any], later: int) -> dict[str, Any] | None:
    """The arguments with LiteLLM's own timeouts after ours; None where it has none."""
    whole, streamed = kwargs.get("timeout"), kwargs.get("stream_timeout")
    if whole is None and streamed is None:
        return None
    changed = {**kwargs}
    if whole is not None:
        changed["timeout"] = later
    if streamed is not None:
        changed["stream_timeout"] = later
    return changed
