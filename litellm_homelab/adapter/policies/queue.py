"""Slots and queues of backends: an attempt waits until its backend has room for it."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Self

from litellm_homelab import refusals
from litellm_homelab.adapter import context
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.litellm_api.exceptions import Skipped
from litellm_homelab.adapter.litellm_api.own_errors import Unsent
from litellm_homelab.adapter.log_limits import log_seldom
from litellm_homelab.adapter.policies import ranks
from litellm_homelab.adapter.policies.error_response import CLIENT_LEFT
from litellm_homelab.adapter.policies.waiting import left, waited
from litellm_homelab.adapter.policy import Policy
from litellm_homelab.adapter.recording import meter
from litellm_homelab.backends.priority import NAMES
from litellm_homelab.backends.slots import Full, Gone, Slot, Slots

if TYPE_CHECKING:
    from litellm_homelab.adapter.wiring import Shared

LOST: Final = (
    "homelab queue: the store of slots does not answer (%s); until it does, each worker serves its own share "
    "of each backend's slots."
)


class _Shown:
    """Counts what happens to slots."""

    def slots_used(self, backend: str, used: int) -> None:
        meter().slots_used(backend, used)

    def waiting(self, backend: str, number: int) -> None:
        meter().waiting(backend, number)

    def waited(self, backend: str, rank: int, seconds: float) -> None:
        meter().queued(backend, NAMES[rank], seconds)

    def store_lost(self, error: Exception) -> None:
        meter().rule_error(QueuePolicy.name)
        log_seldom(logging.WARNING, LOST % (str(error) or type(error).__name__))


class QueuePolicy(Policy):
    """Gives each attempt a slot of its backend, or lets it wait for one."""

    name = "queue"

    def __init__(self, slots: Mapping[str, Slots], shared: Shared) -> None:
        self._directory = shared.directory
        self._slots = slots
        self._rank = ranks.of(shared.settings)
        self._known: dict[tuple[str, str | None], Slots | None] = {}

    @classmethod
    def build(cls, shared: Shared) -> Self:
        """Make it from what policies share."""
        sections, watching = shared.settings.homelab.backends, _Shown()
        slots = {
            name: Slots(
                name,
                one.slots,
                length=one.queue.length,
                wait_seconds=one.queue.wait_seconds,
                store=shared.store,
                workers=workers(os.environ),
                watching=watching,
            )
            for name, one in sections.items()
            if one.slots is not None
        }
        return cls(slots, shared)

    async def attempt(
        self,
        ctx: RequestContext | None,
        kwargs: dict[str, Any],  # noqa: ARG002 - the showroom has read the group off it
        call_type: Any,  # noqa: ANN401, ARG002 - LiteLLM's enum, or None
    ) -> dict[str, Any] | None:
        """
        Take a slot, once for an attempt: LiteLLM calls this twice for one of messages or responses.

        Raises:
            Skipped: there is none, and the request may not wait, or not any longer.
            Unsent: the client left.

        """
        chosen = context.chosen()
        if ctx is None or chosen is None or chosen.deployment is None:
            return None
        deployment = chosen.deployment
        if ctx.slots is not None:
            _leave_others(ctx.slots, deployment)
            held = ctx.slots.get(deployment)
            if held is not None and held.is_held:
                return None
        slots = self._of(deployment, ctx.stats.chosen)
        if slots is not None:
            await self._take(ctx, deployment, slots)
        return None

    async def _take(self, ctx: RequestContext, deployment: str, slots: Slots) -> None:
        rank = self._rank(ctx) if self._rank is not None else 0
        try:
            slot = await slots.take(rank, lambda: left(ctx))
        except Full as full:
            waited(ctx, full.waited)
            refusal = refusals.backend_busy(
                ctx.asked or "", full.waited, full.retry_after, to_child=ctx.is_optillms
            )
            raise Skipped(refusal, self.name) from None
        except Gone:
            raise Unsent(CLIENT_LEFT, "The client left while its request waited.") from None
        if slot.waited:
            waited(ctx, slot.waited)
        ctx.slots = {**(ctx.slots or {}), deployment: slot}

    def _of(self, deployment: str, group: str | None) -> Slots | None:
        """The slots of a deployment's backend; None where it has no limit."""
        known = (deployment, group)
        if known not in self._known:
            self._known[known] = self._slots.get(self._directory.of(deployment, group))
        return self._known[known]


def _leave_others(slots: Mapping[str, Slot], deployment: str) -> None:
    """Give back what attempts before this one have taken and not sent."""
    for other, slot in slots.items():
        if other != deployment and not slot.is_sent:
            slot.release()


def workers(environ: Mapping[str, str]) -> int:
    """How many workers this gateway has: LiteLLM writes it there for them (1.106.2)."""
    found = environ.get("NUM_WORKERS", "1")
    return max(1, int(found)) if found.isdecimal() else 1
