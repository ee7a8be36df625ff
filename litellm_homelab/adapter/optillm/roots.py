"""The roots of this gateway: opened at their first attempt at OptiLLM, closed with a verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from litellm_homelab import refusals
from litellm_homelab.adapter.context import RequestContext, Root
from litellm_homelab.adapter.fail_closed import broken
from litellm_homelab.adapter.litellm_api import client_error
from litellm_homelab.adapter.optillm import admission
from litellm_homelab.adapter.outcome import Level, Outcome
from litellm_homelab.attempts import hops
from litellm_homelab.attempts.hops import GatewayIdentity
from litellm_homelab.config.sections import Lane
from litellm_homelab.decision import Refuse
from litellm_homelab.optillm import child_failures, fanout, hearsay, lineage, loop_guard
from litellm_homelab.optillm.child_failures import ChildFailure
from litellm_homelab.optillm.fanout import Summary, Usage
from litellm_homelab.optillm.ledger import Ledger
from litellm_homelab.state import Cause, StateUnavailable

ROOT_SECONDS: Final = 3600.0
"""How long a root may take, and its mark holds: longer than any timeout of the shipped router.yaml."""


class RootKeeper:
    """Opens, marks and closes roots; what the loop guard's hooks and the closing of errors share."""

    def __init__(
        self,
        lanes: Mapping[str, Lane],
        secret: str,
        ledger: Ledger,
        scrub: Callable[[str], str] = str,
        identity: GatewayIdentity | None = None,
        rank: Callable[[RequestContext], int] | None = None,
    ) -> None:
        """`rank` says in which order a request's children wait; None where nothing waits."""
        self._lanes = lanes
        self._secret = secret
        self._scrub = scrub
        self._identity = identity or GatewayIdentity.of(secret, ())
        self._rank = rank
        self.ledger = ledger

    async def attempt(self, record: RequestContext, group: str, approach: str) -> Refuse | None:
        """Open the root at its first attempt; refuse a later one once something has gone wrong."""
        if record.root is None:
            record.root = await self._open(record, group, approach)
            return None
        root, outcome = record.root, record.outcome
        if outcome.verdict is None:
            self._end(outcome, _problem(await self.ledger.read(root.id)))
        root.carried, root.wire = False, None
        return outcome.verdict

    @staticmethod
    def _end(outcome: Outcome, verdict: Refuse | None) -> None:
        if verdict is not None:
            outcome.refuse(admission.RULE, verdict, Level.ROOT)

    async def _open(self, record: RequestContext, group: str, approach: str) -> Root:
        now = time.time()
        lane = self._lanes[group]
        root_id, deadline = lineage.new_root(), now + ROOT_SECONDS
        handle = record.asked or group
        passed = hops.joined(record.hops or (), self._identity.pairs(handle, group))
        opened = await self.ledger.open(
            fanout.RootRecord(
                *(root_id, handle, approach, lane.max_calls, now, deadline, passed),
                rank=self._rank(record) if self._rank is not None else None,
            )
        )
        if not opened:
            raise LookupError("a root id that is taken already")
        mark = lineage.mint(self._secret, root_id, 1, deadline) if lane.carrier == "model" else ""
        return Root(root_id, handle, approach, mark, returns=await self.ledger.returns())

    async def close(self, record: RequestContext, answer: object, *, failed: bool) -> Refuse | None:
        """
        End the request's root, once: the refusal that the client must get instead of `answer`, if any.

        `answer` is looked at only where OptiLLM came back without a mark while the root was under way.
        """
        root, outcome = record.root, record.outcome
        if root is None or root.summary is not None:
            return outcome.verdict
        summary = await self.ledger.end(root.id)
        root.summary = summary or _unknown(root)
        if outcome.verdict is None:
            self._end(outcome, _problem(summary) or await self.returned(root, answer))
        if outcome.verdict is None and not failed and root.mark and not root.carried:
            self._end(outcome, refusals.rule_failed(admission.RULE))
        failure = self._failure(root, answer, failed=failed) if outcome.verdict is None else None
        if failure is not None:
            outcome.backend_failed(failure)
        return outcome.verdict

    def _failure(self, root: Root, answer: object, *, failed: bool) -> ChildFailure | None:
        """
        What a backend said to a call without which there is no answer; None where there is one.

        Where no call was answered, OptiLLM's own answer is an error, whatever its status: moa, bon and others
        answer 200 with "Error: Could not generate any completions" (measured on 0.3.12 and 0.4.0).
        """
        summary = root.summary
        if summary is None or not summary.failures:
            return None
        if not failed and (summary.finished or not root.carrying):
            return None
        said = _said(answer) if failed else ""
        cause = child_failures.cause(summary.failures, said)
        return replace(cause, message=self._scrub(cause.message)) if cause else None

    async def returned(self, root: Root, answer: object) -> Refuse | None:
        """A loop that only the answer shows: OptiLLM was refused, and no mark said whose call it was."""
        now = await self.ledger.returns()
        if now == root.returns or not _tells_of_return(answer):
            return None
        return loop_guard.swallowed_return(root.handle, root.returns, now, _said(answer))

    async def headers(self, root: Root) -> dict[str, str]:
        """The `x-homelab-*` headers of an answer."""
        summary = root.summary or await self.ledger.read(root.id) or _unknown(root)
        return {
            "x-homelab-root": root.id,
            "x-homelab-approach": root.approach,
            "x-homelab-calls": str(summary.children),
            "x-homelab-tokens": str(summary.usage.total_tokens),
        }


def _said(answer: object) -> str:
    return client_error.text_of(answer) if isinstance(answer, BaseException) else str(answer)


def _tells_of_return(answer: object) -> bool:
    if isinstance(answer, BaseException):
        return hearsay.error_tells_of_return(client_error.text_of(answer))
    return hearsay.tells_of_return(answer)


def _problem(summary: Summary | None) -> Refuse | None:
    """Why the client of a root gets no answer; an account that is lost is logged and counted."""
    if summary is None:
        broken("loop_guard", StateUnavailable("", Cause.LOST))
    return loop_guard.root_problem(summary)


def blank_headers() -> dict[str, str]:
    """The headers of an answer whose account could not be read."""
    return dict.fromkeys(("x-homelab-root", "x-homelab-approach", "x-homelab-calls", "x-homelab-tokens"), "")


def _unknown(root: Root) -> Summary:
    known = fanout.RootRecord(root.id, root.handle, root.approach, 0, 0.0, 0.0)
    return Summary(known, 0, 0, Usage(), None, ended=True)
