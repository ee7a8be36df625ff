"""Answers of roots and children on their way out: a child is booked, a root gets its bill or its refusal."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from typing import Any, Final

from litellm_homelab.adapter.context import Child, RequestContext, Root
from litellm_homelab.adapter.fail_closed import closed
from litellm_homelab.adapter.litellm_api import usage as bill
from litellm_homelab.adapter.litellm_api.client_error import StreamBroken
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.adapter.optillm import lineage_token
from litellm_homelab.adapter.optillm.roots import RootKeeper
from litellm_homelab.adapter.recording import meter, timed
from litellm_homelab.optillm import fanout
from litellm_homelab.optillm.fanout import Usage

PEEKED: Final = 16
"""Chunks of a stream that are looked at before the first is sent, where OptiLLM came back without a mark."""


class Answers:
    """What the loop guard does to an answer before it leaves, in one piece or streamed."""

    def __init__(self, keeper: RootKeeper) -> None:
        self._keeper = keeper

    async def whole(self, record: RequestContext, response: Any) -> Any:  # noqa: ANN401 - LiteLLM's answer types
        """
        Book a child; close a root and put the bill of its children on the answer.

        Raises:
            ClientError: the root looped, overspent or had every call refused: its client gets no answer.

        """
        if record.child is not None:
            await self._book(record.child, bill.used(response) or Usage())
        if record.root is None:
            return response
        await self._keeper.close(record, response, failed=False)
        ending = record.outcome.for_client(is_answer=True)
        if ending is not None:
            raise ending.error()
        return bill.mended(response, _usage(record.root))

    def stream(self, record: RequestContext, response: AsyncIterator[Any]) -> AsyncGenerator[Any, None]:
        """
        As for an answer in one piece: OptiLLM has finished all its calls before its stream begins.

        Raises:
            Refused: as above, before the first chunk.

        """
        return self._rooted(record, response) if record.root else self._booked(record, response)

    async def _rooted(
        self, record: RequestContext, response: AsyncIterator[Any]
    ) -> AsyncGenerator[Any, None]:
        # Some routes send nothing before the first chunk is asked for (completions on `openai/`, 1.106.2).
        ahead = await _taken(response, 1)
        lineage_token.take_off(record)
        if await self._may_have_looped(record):
            ahead += await _taken(response, PEEKED - 1)
        await self._close(record, ahead)
        for chunk in ahead:  # the bill is put on where the events leave (AnswerFilter)
            yield chunk
        async for chunk in response:
            yield chunk

    @closed("loop_guard")
    async def _may_have_looped(self, record: RequestContext) -> bool:
        """Whether OptiLLM came back without a mark since the root began, so that its answer must be read."""
        return record.root is not None and await self._keeper.ledger.returns() != record.root.returns

    @timed("stream")
    @closed("loop_guard")
    async def _close(self, record: RequestContext, ahead: list[Any]) -> None:
        refusal = await self._keeper.close(record, ahead, failed=False)
        # No HTTPException: for that LiteLLM answers an event stream (measured on 1.106.2).
        if refusal is not None:
            raise Refused(refusal)
        ending = record.outcome.for_client(is_answer=True)
        if ending is not None:
            raise StreamBroken(ending.error())

    async def _booked(
        self, record: RequestContext, response: AsyncIterator[Any]
    ) -> AsyncGenerator[Any, None]:
        used = bill.Meter()
        try:
            async for chunk in response:
                used.note(chunk)
                yield chunk
        finally:
            if record.child is not None:
                await self._book(record.child, used.usage)

    @closed("loop_guard")
    async def _book(self, child: Child, usage: Usage) -> None:
        seconds = time.monotonic() - child.admitted_at
        booked = replace(usage, seconds=seconds)
        await self._keeper.ledger.finish(child.root, booked)
        amounts = fanout.amounts(booked)
        meter().tokens(child.handle, child.approach, amounts["prompt_tokens"], amounts["completion_tokens"])


async def _taken(stream: AsyncIterator[Any], most: int) -> list[Any]:
    taken: list[Any] = []
    async for chunk in stream:
        taken.append(chunk)
        if len(taken) >= most:
            break
    return taken


def _usage(root: Root | None) -> Usage:
    return root.summary.usage if root and root.summary else Usage()
