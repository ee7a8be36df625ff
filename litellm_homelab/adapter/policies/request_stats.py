"""Counts a request once, when it has ended: what was refused, tried, stripped and spent, and its times."""

from __future__ import annotations

from typing import Final

from starlette.types import Scope

from litellm_homelab.access.callers import Keyring
from litellm_homelab.adapter.context import RequestContext, Root
from litellm_homelab.adapter.fail_closed import log_and_continue
from litellm_homelab.adapter.middleware.response_recorder import Watch
from litellm_homelab.adapter.middleware.route_access import sender
from litellm_homelab.adapter.optillm import optillm_fields
from litellm_homelab.adapter.policies.error_response import CLIENT_LEFT
from litellm_homelab.adapter.recording import meter
from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.metrics.labels import OTHER
from litellm_homelab.optillm.ledger import Ledger

FAILED: Final = 400
ABOUT_APPROACHES: Final = frozenset(
    {RefusalType.APPROACH_NOT_ALLOWED, RefusalType.APPROACH_IN_PROMPT, RefusalType.FANOUT_EXCEEDED}
)


class Count:
    """
    What `Edge` calls after each request.

    It is outside of LiteLLM, so that nothing a client sends (`no-log`) keeps a request from being
    counted; a fault of its own is logged and counted, and changes no answer.
    """

    def __init__(self, keyring: Keyring, ledger: Ledger) -> None:
        self._keyring = keyring
        self._ledger = ledger

    async def __call__(self, record: RequestContext, scope: Scope, watch: Watch) -> None:
        """Count a request that has ended, its client having left or not."""
        with log_and_continue("metrics"):
            self._attempts(record, watch)
            self._fields(record)
            for hook, seconds in record.stats.took.items():
                meter().hook(hook, seconds)
            refusal = shown(record, watch)
            if refusal is not None:
                self._refusal(record, scope, refusal)
            elif record.caller.role == "optillm" and record.asked is not None and record.child is None:
                meter().orphan()
            if record.root is not None:
                await self._root(record, record.root)

    def _attempts(self, record: RequestContext, watch: Watch) -> None:
        stats, handle = record.stats, record.asked
        stats.answered(ending(watch))
        for one in stats.attempts:
            meter().attempt(handle, one.target, one.outcome or "failed")
        if stats.lost is not None:
            meter().failed_over(handle, stats.lost)
        if watch.first_text_at is not None and record.child is None and handle is not None:
            meter().first_token(handle, watch.first_text_at - stats.began_at)

    def _fields(self, record: RequestContext) -> None:
        meter().stripped(record.asked, sorted(record.stats.stripped))

    def _refusal(self, record: RequestContext, scope: Scope, refusal: Refuse) -> None:
        # A root that has had all its calls is one refusal, not one more for every call it still tries.
        if refusal.type is RefusalType.FANOUT_EXCEEDED and record.child is not None:
            return
        rule = record.outcome.rule_of(refusal) or "loop_guard"
        if refusal.type in ABOUT_APPROACHES and rule == "approach":
            meter().approach(record.model or OTHER, _named(record), "refused")
        self._refused(rule, refusal, _handle(record, refusal), self._caller(record, scope))

    def _refused(self, rule: str, refusal: Refuse, handle: str | None, caller: str) -> None:
        meter().refused(rule, refusal.type, handle, caller)

    def _caller(self, record: RequestContext, scope: Scope) -> str:
        if record.opened:
            return record.caller.name
        found = sender(scope, self._keyring)
        return record.stats.sender or (found.name if found else OTHER)

    async def _root(self, record: RequestContext, root: Root) -> None:
        meter().approach(root.handle, root.approach, "neutralised" if record.stats.inert else "run")
        summary = root.summary or await self._ledger.read(root.id)  # no summary: the client left first
        meter().children(root.handle, root.approach, summary.children if summary else 0)


def shown(record: RequestContext, watch: Watch) -> Refuse | None:
    """The refusal that the client got, None where it got an answer or an upstream's error."""
    if watch.status is not None and watch.status < FAILED:
        return None
    return record.outcome.ours()


def ending(watch: Watch) -> str:
    """How an attempt ended of which no hook said how: streams, and requests whose client hung up."""
    if not watch.complete or watch.status == CLIENT_LEFT:
        return "left"
    return "failed" if watch.status is None or watch.status >= FAILED else "answered"


def _handle(record: RequestContext, refusal: Refuse) -> str | None:
    """The handle that a refusal is about; a name that a caller may not use is none."""
    if refusal.type is RefusalType.MODEL_NOT_FOUND:
        return None
    return record.root.handle if record.root else record.asked or record.model


def _named(record: RequestContext) -> str:
    """The approach that a refused request asked for."""
    if record.model in record.runs:
        return record.runs[record.model].approach.text
    asked = optillm_fields.asked(record)
    return asked[0] if len(asked) == 1 and isinstance(asked[0], str) else OTHER
