"""Who is calling back, and may they: the part of the loop guard that decides on OptiLLM's calls."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from dataclasses import replace
from typing import Final, NoReturn

from litellm_homelab import refusals
from litellm_homelab.adapter.context import Child, RequestContext
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.adapter.log_limits import log_seldom
from litellm_homelab.adapter.outcome import Level
from litellm_homelab.adapter.recording import meter
from litellm_homelab.decision import Refuse
from litellm_homelab.optillm import topology
from litellm_homelab.optillm.fanout import Admitted, Ended, Looped, Spent, Unknown
from litellm_homelab.optillm.ledger import Ledger
from litellm_homelab.optillm.orphans import REST_SECONDS, Orphans

RULE: Final = "loop_guard"
UNKNOWN: Final = (
    "homelab OptiLLM called back for a request that homelab.state does not know, and was refused. The request"
    " ended more than a minute ago, or the worker or gateway that sent it keeps its counters elsewhere."
)
"""What the log says once a minute; the counters of one gateway are in one place."""


class LineageGuard:
    """Stops the first re-entry, and admits the children of a root one by one."""

    def __init__(self, lanes: Collection[str], ledger: Ledger, orphans: Orphans) -> None:
        self._lanes = lanes
        self._ledger = ledger
        self._orphans = orphans

    async def enter(self, record: RequestContext, model: object) -> None:
        """
        Decide on a request that comes in, if it is one of OptiLLM's.

        Raises:
            Refused: it asks for OptiLLM again, its root has ended or is unknown, or it has no root and too
                many others like it are under way.

        """
        if isinstance(model, str) and model in self._lanes:
            await self.refuse_return(record, model)
        if record.child is not None:
            await self._look_up(record, record.child)
        elif record.caller.role == "optillm" and record.forged is None:
            record.orphan = self._orphans.enter(time.monotonic())
            if not record.orphan:
                raise Refused(refusals.orphaned(self._orphans.limit, REST_SECONDS), RULE)

    async def refuse_return(self, record: RequestContext, group: str) -> None:
        """
        Refuse OptiLLM's way back to itself, known by the mark or by its key; others pass.

        Raises:
            Refused: it is one.

        """
        if record.child is not None:
            await self._refuse_marked(record, record.child, group)
        if record.caller.role == "optillm":
            await self._ledger.returned(group)
            _refuse(record, refusals.returned(_path(group, group)), None)

    async def _refuse_marked(self, record: RequestContext, child: Child, group: str) -> None:
        summary = await self._ledger.read(child.root)
        start = summary.root.handle if summary else group
        path = _path(start, group)
        await self._ledger.loop(child.root, path)
        _refuse(record, refusals.returned(path), start)

    async def admit(self, record: RequestContext) -> None:
        """
        Count a child, at the first of its attempts: one that another rule refuses uses up nothing.

        Raises:
            Refused: its root has had all its children, or has ended since.

        """
        child = record.child
        if child is None or child.admitted:
            return
        admission = await self._ledger.admit(child.root)
        if not isinstance(admission, Admitted):
            # Remembered, since inside a fallback LiteLLM would show the error that led to it.
            refusal = self._not_admitted(record, admission)
            record.outcome.refuse(RULE, refusal, Level.ATTEMPT)
            raise Refused(refusal, RULE)
        record.child = replace(child, admitted=True, admitted_at=time.monotonic())

    async def _look_up(self, record: RequestContext, child: Child) -> None:
        """Refuse a child whose root is over; count nothing."""
        admission = await self._ledger.look_up(child.root)
        if isinstance(admission, Ended | Unknown | Looped):
            raise Refused(self._not_admitted(record, admission), RULE)
        if isinstance(admission, Admitted):
            record.child = replace(child, handle=admission.root.handle, approach=admission.root.approach)

    @staticmethod
    def _not_admitted(record: RequestContext, admission: Spent | Looped | Ended | Unknown) -> Refuse:
        if isinstance(admission, Spent):
            return refusals.fan_out_spent(admission.limit, to_child=True)
        if isinstance(admission, Looped):
            return refusals.looped(admission.path, to_child=True)
        if isinstance(admission, Unknown):
            log_seldom(logging.WARNING, UNKNOWN)
        # The mark is not shown: who presents it again must learn nothing from it.
        record.forged = "ended" if isinstance(admission, Ended) else "unknown"
        return refusals.parent_finished()


def _refuse(record: RequestContext, refusal: Refuse, handle: str | None) -> NoReturn:
    if record.outcome.refusal is None:  # else a fallback of this request has been refused before
        meter().loop(handle)
    # Remembered, since inside a fallback LiteLLM would show the error that led to it, which OptiLLM retries.
    record.outcome.refuse(RULE, refusal, Level.ATTEMPT)
    raise Refused(refusal, RULE)


def _path(start: str, group: str) -> str:
    return topology.written((start, topology.OPTILLM, group))
