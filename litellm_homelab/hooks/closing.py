"""What the client gets in the place of an error: our own refusal, or the error without upstream names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from litellm_homelab.answers.redaction import Words
from litellm_homelab.decision import Refuse
from litellm_homelab.hooks import client_error, context, own_errors
from litellm_homelab.hooks.client_error import ClientError
from litellm_homelab.hooks.closed import broken
from litellm_homelab.hooks.context import Record
from litellm_homelab.hooks.deployments import Deployments
from litellm_homelab.hooks.refusal import Refused
from litellm_homelab.hooks.root_keeper import RootKeeper
from litellm_homelab.optillm import lineage

CLIENT_LEFT = 499
"""The status with which LiteLLM reports a client that hung up (`cancel_on_disconnect`)."""


class Closing:
    """Every failure hook asks here, so that their order is free: LiteLLM takes the first answer."""

    def __init__(self, public: Iterable[str], deployments: Deployments, keeper: RootKeeper | None) -> None:
        self._public = tuple(public)
        self._deployments = deployments
        self._keeper = keeper

    async def failure(self, error: Exception) -> ClientError | None:
        """The error to show instead of `error`, which is rewritten alike; None to leave it."""
        record = context.current()
        verdict = await self._closed_verdict(record, error) if record else None
        if verdict is None and record is not None:
            verdict = record.refusal
        if verdict is not None and not (isinstance(error, Refused) and error.refusal == verdict):
            return ClientError.of(verdict).replace(error)
        clean = self.refined(error)
        return clean.replace(error) if clean else None

    async def _closed_verdict(self, record: Record, error: Exception) -> Refuse | None:
        """The verdict; a refusal where it cannot be found, or LiteLLM would show the upstream's error."""
        try:
            return await self._verdict(record, error)
        except Exception as problem:  # noqa: BLE001 - closed, whatever it was
            refused = broken("loop_guard", problem)
            context.refused(refused.rule or "loop_guard", refused.refusal)
            return refused.refusal

    async def _verdict(self, record: Record, error: Exception) -> Refuse | None:
        if self._keeper is None or record.root is None:
            return None
        if client_error.status_of(error) == CLIENT_LEFT:
            await self._keeper.ledger.leave(record.root.id)
            return None
        return await self._keeper.close(record, error, failed=True)

    def refined(self, error: Exception) -> ClientError | None:
        """An upstream's error without the operator's names, None where it says none."""
        record = context.current()
        if record is not None and client_error.is_guardrails(error):
            record.guardrail = True
        return own_errors.readable(record, error) or client_error.refined(error, self.scrub)

    def scrub(self, text: str) -> str:
        """
        A text without the names and addresses of upstreams, without secrets and without marks.

        A refusal of this gateway stays as it is: it says nothing of upstreams.
        """
        record = context.current()
        if record is not None and record.is_own(text):
            return text
        asked = (record.asked, record.model) if record else ()
        public = frozenset((*self._public, *filter(None, asked)))
        names = client_error.scrubber(self._deployments.all(), public)
        words = Words(public, partial(_said, record.fields if record else {}))
        return client_error.cleaned(lineage.erased(text), names, words)


def _said(fields: Mapping[str, Any], text: str) -> bool:
    """Whether the client's own request has a text in it."""
    return text in str(fields)
