"""Who is calling back, and may they: the part of the loop guard that decides on OptiLLM's calls."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from dataclasses import replace
from typing import Final, NoReturn

from litellm_homelab.adapter.context import Child, RequestContext
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.adapter.log_limits import log_seldom
from litellm_homelab.adapter.recording import meter
from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.optillm import topology
from litellm_homelab.optillm.fanout import Admitted, Ended, Looped, Spent, Unknown
from litellm_homelab.optillm.hearsay import RETURN_TEXT
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
                raise Refused(orphaned(self._orphans.limit), RULE)

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
            _refuse(record, returned(group, group), None)

    async def _refuse_marked(self, record: RequestContext, child: Child, group: str) -> None:
        summary = await self._ledger.read(child.root)
        start = summary.root.handle if summary else group
        await self._ledger.loop(child.root, topology.written((start, topology.OPTILLM, group)))
        _refuse(record, returned(start, group), start)

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
            record.refusal = self._not_admitted(record, admission)
            raise Refused(record.refusal, RULE)
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
            return spent(admission.limit, to_child=True)
        if isinstance(admission, Looped):
            return looped(admission.path, to_child=True)
        if isinstance(admission, Unknown):
            log_seldom(logging.WARNING, UNKNOWN)
        # The mark is not shown: who presents it again must learn nothing from it.
        record.forged = "ended" if isinstance(admission, Ended) else "unknown"
        return ended()


def _refuse(record: RequestContext, refusal: Refuse, handle: str | None) -> NoReturn:
    if record.refusal is None:  # else this request has been told, on its way through the fallbacks
        meter().loop(handle)
    # Remembered, since inside a fallback LiteLLM would show the error that led to it, which OptiLLM retries.
    record.refusal = refusal
    raise Refused(refusal, RULE)


def returned(start: str, group: str) -> Refuse:
    """What OptiLLM is told when it asks for an OptiLLM handle."""
    path = topology.written((start, topology.OPTILLM, group))
    return Refuse(
        RefusalType.LOOP_DETECTED,
        f"{RETURN_TEXT} ({path}) and would go round for ever. OptiLLM must call back a model that is not "
        "OptiLLM: set its base model to an internal name.",
        param="model",
        to_child=True,
    )


def looped(path: str, *, to_child: bool = False) -> Refuse:
    """What the client, or a later child, of a root that has met itself is told."""
    return Refuse(
        RefusalType.LOOP_DETECTED,
        f"Loop detected: {path}. OptiLLM calls back a name that leads to OptiLLM again, so the request would "
        "never end. The operator's fix: let this handle's OptiLLM call back a model that is not OptiLLM.",
        param="model",
        to_child=to_child,
    )


def spent(limit: int, *, to_child: bool = False) -> Refuse:
    """What the client, or a later child, of a root that has had all its calls is told."""
    return Refuse(
        RefusalType.FANOUT_EXCEEDED,
        f"This request has made the {limit} calls that its handle allows (max_calls). Ask for a cheaper "
        "approach or a smaller n.",
        param="optillm_approach",
        to_child=to_child,
    )


def orphaned(limit: int) -> Refuse:
    """What OptiLLM is told when too many of its calls belong to no request."""
    return Refuse(
        RefusalType.FANOUT_EXCEEDED,
        f"OptiLLM has {limit} calls under way that belong to no request (homelab.limits.orphans); it is "
        f"heard again {REST_SECONDS:.0f} seconds after they have ended. Either a model that it calls back "
        "leads to OptiLLM again through a server that this gateway does not know, or something asks OptiLLM "
        "without asking this gateway.",
        param="model",
        to_child=True,
    )


def ended() -> Refuse:
    """What a child is told whose root has been answered, has been given up, or is unknown."""
    return Refuse(
        RefusalType.PARAM_NOT_ALLOWED,
        "The parent request has already finished; this call was rejected.",
        param="model",
        to_child=True,
    )
