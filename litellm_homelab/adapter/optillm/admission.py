"""Gathers the facts for the loop guard (`optillm/loop_guard.py`) and applies what it answers."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from litellm_homelab.adapter.context import Child, RequestContext
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.adapter.log_limits import log_seldom
from litellm_homelab.adapter.outcome import Level
from litellm_homelab.adapter.recording import meter
from litellm_homelab.attempts import hops
from litellm_homelab.decision import Refuse
from litellm_homelab.optillm import loop_guard
from litellm_homelab.optillm.fanout import Unknown
from litellm_homelab.optillm.ledger import Ledger
from litellm_homelab.optillm.lineage import ChildName
from litellm_homelab.optillm.loop_guard import (
    UNTOUCHED,
    CallFacts,
    CountLoop,
    CountReturn,
    Effect,
    JoinRoot,
    LoopVerdict,
    MarkLooped,
    RejectToken,
    Reserve,
    StartChild,
)
from litellm_homelab.optillm.orphans import Orphans

RULE: Final = "loop_guard"
UNKNOWN: Final = (
    "homelab OptiLLM called back for a request that homelab.state does not know, and was refused. The request"
    " ended more than a minute ago, or the worker or gateway that sent it keeps its counters elsewhere."
)
"""What the log says once a minute; the counters of one gateway are in one place."""


class LineageGuard:
    """Asks the loop guard about each call that comes in, and about each attempt."""

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
        if not record.is_optillms:
            return
        facts = await self._facts(record, model if isinstance(model, str) else None)
        await self._apply(record, facts, loop_guard.enter(facts), Level.STAGE)

    async def attempt(self, record: RequestContext, group: str | None) -> None:
        """
        Decide on an attempt at `group`, which a fallback may have led there; charge a child to its root.

        Raises:
            Refused: it leads OptiLLM back to itself, or its root has had all its children or has ended.

        """
        if not record.is_optillms:
            return
        child = record.child
        facts = await self._facts(record, group, is_attempt=True)
        verdict = loop_guard.attempt(facts, is_charged=child is not None and child.admitted)
        await self._apply(record, facts, verdict, Level.ATTEMPT)

    async def _facts(
        self, record: RequestContext, group: str | None, *, is_attempt: bool = False
    ) -> CallFacts:
        optillm_group = group if group in self._lanes else None
        is_optillms, child = record.caller.role == "optillm", record.child
        if child is None:
            return CallFacts(UNTOUCHED, is_optillms, optillm_group, orphans=self._orphans.limit)
        known = start = None
        if optillm_group is not None:
            summary = await self._ledger.read(child.root)
            start = summary.root.handle if summary else None
        elif not is_attempt:
            known = await self._ledger.look_up(child.root)
        token = ChildName("", child.root, child.hop)
        return CallFacts(token, is_optillms, optillm_group, known, start, self._orphans.limit)

    async def _apply(
        self, record: RequestContext, facts: CallFacts, verdict: LoopVerdict, level: Level
    ) -> None:
        if isinstance(verdict.answer, Reserve):
            verdict = await self._reserve(record, facts, verdict.answer)
        for effect in verdict.effects:
            await self._do(record, effect)
        if isinstance(verdict.answer, Refuse):
            # An attempt's is remembered: inside a fallback LiteLLM would show the error that led to it.
            looped = any(isinstance(one, CountLoop) for one in verdict.effects)
            if looped or level is Level.ATTEMPT:
                record.outcome.refuse(RULE, verdict.answer, Level.ATTEMPT)
            raise Refused(verdict.answer, RULE)

    async def _reserve(self, record: RequestContext, facts: CallFacts, asked: Reserve) -> LoopVerdict:
        """Reserve in one step what other requests reserve at the same time, and ask again."""
        if asked.what == "orphan":
            record.orphan = self._orphans.enter(time.monotonic())
            return loop_guard.orphan_reserved(facts, granted=record.orphan)
        child = record.child
        return loop_guard.charged(await self._ledger.admit(child.root) if child else Unknown())

    async def _do(self, record: RequestContext, effect: Effect) -> None:
        match effect:
            case MarkLooped(root, path):
                await self._ledger.loop(root, path)
            case CountReturn(group):
                await self._ledger.returned(group)
            case CountLoop(handle):
                if record.outcome.refusal is None:  # else a fallback of this request has been refused before
                    meter().loop(handle)
            case RejectToken(reason):
                record.forged = reason
                if reason == "unknown":
                    log_seldom(logging.WARNING, UNKNOWN)
            case JoinRoot(root):
                record.child = replace(
                    _child(record), handle=root.handle, approach=root.approach, rank=root.rank
                )
                # OptiLLM forwards no header of its caller's: the ledger remembers what its request passed.
                if record.hops is not None:
                    record.hops = hops.joined(root.hops, record.hops)
            case StartChild():
                record.child = replace(_child(record), admitted=True, admitted_at=time.monotonic())


def _child(record: RequestContext) -> Child:
    if record.child is None:
        raise LookupError("a call without a lineage token has no root")
    return record.child
