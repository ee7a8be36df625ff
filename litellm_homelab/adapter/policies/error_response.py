"""What the client gets in the place of an error: our own refusal, or the error without upstream names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from litellm_homelab import refusals
from litellm_homelab.adapter import context
from litellm_homelab.adapter.context import Broken, RequestContext
from litellm_homelab.adapter.fail_closed import broken, log_and_continue
from litellm_homelab.adapter.litellm_api import client_error, own_errors, upstream_failure
from litellm_homelab.adapter.litellm_api.client_error import ClientError, StreamBroken
from litellm_homelab.adapter.litellm_api.exceptions import Refused, Skipped
from litellm_homelab.adapter.optillm.roots import RootKeeper
from litellm_homelab.adapter.outcome import Level, Told
from litellm_homelab.decision import STATUS, RefusalType, Refuse
from litellm_homelab.optillm import child_failures
from litellm_homelab.optillm.child_failures import ChildFailure

TIMED_OUT = 408
CLIENT_LEFT = 499
"""The status with which LiteLLM reports a client that hung up (`cancel_on_disconnect`)."""


class ErrorResponse:
    """Decides on the error that the client gets."""

    def __init__(self, scrub: Callable[[str], str], keeper: RootKeeper | None) -> None:
        self.scrub = scrub
        self._keeper = keeper

    async def failure(self, error: Exception) -> ClientError | None:
        """The error to show instead of `error`, which is rewritten alike; None to leave it."""
        record = context.current()
        if record is None:
            return self._cleaned(error)
        if isinstance(error, Skipped):
            await self._note_skipped(record, error)
        await self._close(record, error)
        decided = record.outcome.for_client(is_answer=False)
        if decided is None:
            await self._note_child(record, error)
            return self._cleaned(error)
        if isinstance(error, Refused) and error.refusal == record.outcome.ours():
            return self._cleaned(error)
        await self._note_timeout(record)
        return decided.error().replace(error)

    def _cleaned(self, error: Exception) -> ClientError | None:
        clean = self.refined(error)
        return clean.replace(error) if clean else None

    async def _close(self, record: RequestContext, error: Exception) -> None:
        """Close a root; refuse where that fails, or LiteLLM would show the upstream's error."""
        try:
            await self._end_root(record, error)
        except Exception as problem:  # noqa: BLE001 - closed, whatever it was
            refused = broken("loop_guard", problem)
            rule = refused.rule or "loop_guard"
            record.outcome.refuse(rule, refused.refusal, Level.ROOT if record.root else Level.STAGE)

    async def _note_child(self, record: RequestContext, error: Exception) -> None:
        """Tell a child's root that the child's backend refused it, once."""
        child = record.child
        if self._keeper is None or child is None or not child.admitted or child.failed:
            return
        if isinstance(error, Refused):
            return
        with log_and_continue("loop_guard"):
            record.child = replace(child, failed=True)
            told = self._told(error)
            if told.status in child_failures.PASSED:
                later = (client_error.retry_after(error) or {}).get("retry-after", "")
                failed = ChildFailure(told.status, told.message, later)
                await self._keeper.ledger.failed(child.root, client_error.status_of(error), failed)

    async def _note_skipped(self, record: RequestContext, error: Skipped) -> None:
        """Refuse a request of which every attempt was skipped; tell a child's root, since that gets a 400."""
        refusal, child = _nearest(record, error.refusal), record.child
        record.outcome.refuse(error.rule, refusal, Level.ATTEMPT)
        if self._keeper is None or child is None or child.failed:
            return
        with log_and_continue(error.rule):
            record.child = replace(child, failed=True)
            sentence, later = child_failures.sentence(refusal.message), refusal.headers.get("retry-after", "")
            failed = ChildFailure(STATUS[refusal.type], sentence, later)
            await self._keeper.ledger.failed(child.root, refusal.status, failed)

    async def _note_timeout(self, record: RequestContext) -> None:
        """Tell a child's root that the child's backend did not answer in time: the child gets a 400."""
        refusal, child = record.outcome.refusal, record.child
        if self._keeper is None or child is None or refusal is None:
            return
        if refusal.type is RefusalType.UPSTREAM_TIMEOUT:
            with log_and_continue("timeouts"):
                status = STATUS[RefusalType.UPSTREAM_TIMEOUT]
                failed = ChildFailure(status, child_failures.sentence(refusal.message))
                await self._keeper.ledger.failed(child.root, refusal.status, failed)

    async def _end_root(self, record: RequestContext, error: Exception) -> None:
        if self._keeper is None or record.root is None:
            return
        if client_error.status_of(error) == CLIENT_LEFT:
            await self._keeper.ledger.leave(record.root.id)
        else:
            await self._keeper.close(record, error, failed=True)

    def _told(self, error: Exception) -> Told:
        """What the upstream said; a stream's error event has its status in its code alone."""
        status = upstream_failure.failure(error, sent=True).answered or client_error.status_of(error)
        return Told(status, child_failures.sentence(self.scrub(upstream_failure.said(error))))

    def refined(self, error: Exception) -> ClientError | None:
        """An upstream's error without internal names, None where it has none."""
        record = context.current()
        if isinstance(error, StreamBroken):  # the event is on its way: an HTTPException would cut the stream
            return None
        if record is not None and record.broken is not None:
            return self._broken(record.broken)
        if record is not None and record.timeouts and client_error.status_of(error) == TIMED_OUT:
            reached = [one for _, one in record.timeouts]  # of a stream that LiteLLM sends for late
            refusal = refusals.upstream_timeout(record.asked or "", reached, to_child=record.is_optillms)
            return ClientError.of(refusal)
        if record is not None and client_error.is_guardrails(error):
            record.guardrail = True
        if record is not None and getattr(error, "llm_provider", None):
            record.outcome.upstream_said(self._told(error))
        return own_errors.readable(record, error) or client_error.refined(error, self.scrub)

    def _broken(self, how: Broken) -> ClientError:
        """The error event of a stream that ended before it was complete."""
        return ClientError(how.status, self.scrub(how.message), type=how.type)


def _nearest(record: RequestContext, refusal: Refuse) -> Refuse:
    """Of a chain of which every attempt was skipped, the refusal that ends first."""
    if refusal not in record.skipped:
        return refusal
    later = [one for one in record.skipped if one.retry_after is not None]
    return min(later, key=lambda one: one.retry_after or 0, default=refusal)
