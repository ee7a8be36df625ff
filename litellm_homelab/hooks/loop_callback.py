"""The loop guard's hooks: re-entries, children, marks on the wire, the bill of a root."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from litellm_homelab import request
from litellm_homelab.hooks import attempt, bill, context, unmarking
from litellm_homelab.hooks.closed import closed, counted
from litellm_homelab.hooks.closing import Closing
from litellm_homelab.hooks.context import Child, Record, Root
from litellm_homelab.hooks.deployments import Deployments
from litellm_homelab.hooks.lineage_guard import LineageGuard
from litellm_homelab.hooks.metering import meter, timed, timing
from litellm_homelab.hooks.opening import Opening
from litellm_homelab.hooks.outgoing import ClientError
from litellm_homelab.hooks.refusal import Refused
from litellm_homelab.hooks.root_keeper import RootKeeper, blank_headers
from litellm_homelab.optillm import fanout
from litellm_homelab.optillm.fanout import Usage
from litellm_homelab.optillm.lanes import Lanes

SENT = "complete_input_dict"
"""What `log_pre_api_call` is given of a request that is sent, not of a refused one (1.106.2)."""
PEEKED = 16
"""Chunks of a stream that are looked at before the first is sent, where OptiLLM came back without a mark."""


class LoopGuardCallback(CustomLogger):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """Applies the loop guard to LiteLLM: every hook stands on this class itself (see ShowroomCallback)."""

    def __init__(
        self,
        lanes: Lanes,
        opening: Opening,
        deployments: Deployments,
        guard: LineageGuard,
        keeper: RootKeeper,
        closing: Closing,
    ) -> None:
        super().__init__()
        self._lanes = lanes
        self._opening = opening
        self._deployments = deployments
        self._guard = guard
        self._keeper = keeper
        self._closing = closing

    # --- deciding ----------------------------------------------------------------------------------

    @timed("pre_call")
    @closed("loop_guard")
    async def async_pre_call_hook(
        self,
        user_api_key_dict: Any,  # noqa: ANN401 - LiteLLM's signature
        cache: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        data: dict[str, Any],
        call_type: str,  # noqa: ARG002 - LiteLLM's signature
    ) -> dict[str, Any]:
        """Refuse a re-entry, a forged mark, a child too many."""
        await self._opening.open(data, user_api_key_dict)
        return data

    @timed("attempt")
    @closed("loop_guard")
    async def async_pre_call_deployment_hook(
        self,
        kwargs: dict[str, Any],
        call_type: Any,  # noqa: ANN401 - LiteLLM's signature
    ) -> dict[str, Any] | None:
        """Open the root of an attempt at OptiLLM; refuse it to OptiLLM, and once the root has failed."""
        record = context.current()
        chosen = request.deployment_id(kwargs)
        group = self._deployments.group_of(chosen) if chosen else None
        if record is None or group is None or group not in self._lanes.lanes:
            if record is not None and record.root is not None:
                record.root.carrying = False
            return None
        await self._guard.refuse_return(record, group)
        approach = attempt.approach_of(self._lanes, record, group)
        refusal = await self._keeper.attempt(record, group, approach.text)
        if refusal is not None:
            attempt.refuse(refusal, "loop_guard")
        if record.root is not None:
            record.root.carrying = attempt.is_sent(call_type)
        return None

    # --- the wire ----------------------------------------------------------------------------------

    def log_pre_api_call(self, model: Any, messages: Any, kwargs: Any) -> None:  # noqa: ANN401, ARG002
        """Put the mark behind the model name in the very dict that LiteLLM is about to send."""
        record = context.current()
        root = record.root if record else None
        if root is not None and root.carrying and root.mark and SENT in (kwargs.get("additional_args") or {}):
            with timing("wire"), counted("wire"):
                _carry(root, kwargs["additional_args"][SENT])

    async def async_post_call_success_deployment_hook(
        self,
        request_data: dict[str, Any],
        response: Any,  # noqa: ANN401 - LiteLLM's answer types
        call_type: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
    ) -> Any:  # noqa: ANN401 - LiteLLM's answer types
        """Take the mark off what was sent and what came back: LiteLLM keeps both for its logs."""
        record = context.current()
        _unmark(record)
        if record is not None and record.root is not None:
            unmarking.answer(response)
            unmarking.account(getattr(request_data.get("litellm_logging_obj"), "model_call_details", {}))

    async def async_post_call_failure_deployment_hook(
        self,
        request_data: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        exception: Exception,
        call_type: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        fallback_depth: int | None = None,  # noqa: ARG002 - LiteLLM's signature
    ) -> None:
        """As after success; and remember an attempt that failed because OptiLLM came back."""
        record = context.current()
        _unmark(record)
        root = record.root if record else None
        if root is not None and root.verdict is None:
            with counted("loop_guard"):
                root.verdict = await self._keeper.returned(root, exception)

    # --- answers -----------------------------------------------------------------------------------

    @timed("success")
    @closed("loop_guard")
    async def async_post_call_success_hook(
        self,
        data: dict[str, Any],  # noqa: ARG002 - LiteLLM's signature
        user_api_key_dict: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        response: Any,  # noqa: ANN401 - LiteLLM's answer types
    ) -> Any:  # noqa: ANN401 - LiteLLM's answer types
        """Book a child before its answer leaves; give a root the bill of its children, or the refusal."""
        record = context.required()
        if record.child is not None:
            await self._book(record.child, bill.used(response) or Usage())
        if record.root is None:
            return response
        refusal = await self._keeper.close(record, response, failed=False)
        if refusal is not None:
            raise ClientError.of(refusal)
        return bill.mended(response, _usage(record.root))

    async def async_post_call_streaming_iterator_hook(
        self,
        user_api_key_dict: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        response: AsyncIterator[Any],
        request_data: dict[str, Any],  # noqa: ARG002 - LiteLLM's signature
    ) -> AsyncGenerator[Any, None]:
        """As for an answer: OptiLLM has finished all its calls before its stream begins."""
        record = context.current()
        if record is None or (record.root is None and record.child is None):
            async for chunk in response:
                yield chunk
            return
        stream = self._rooted(record, response) if record.root else self._booked(record, response)
        async for chunk in stream:
            yield chunk

    async def _rooted(self, record: Record, response: AsyncIterator[Any]) -> AsyncGenerator[Any, None]:
        # Some routes send nothing before the first chunk is asked for (completions on `openai/`, 1.106.2).
        ahead = await _taken(response, 1)
        _unmark(record)
        if await self._may_have_looped(record):
            ahead += await _taken(response, PEEKED - 1)
        await self._close(record, ahead)
        lines = bill.StreamBill(_usage(record.root))
        for chunk in ahead:
            for line in lines.chunk(chunk):
                yield line
        async for chunk in response:
            for line in lines.chunk(chunk):
                yield line
        for line in lines.rest():
            yield line

    @closed("loop_guard")
    async def _may_have_looped(self, record: Record) -> bool:
        """Whether OptiLLM came back without a mark since the root began, so that its answer must be read."""
        return record.root is not None and await self._keeper.ledger.returns() != record.root.returns

    @timed("stream")
    @closed("loop_guard")
    async def _close(self, record: Record, ahead: list[Any]) -> None:
        refusal = await self._keeper.close(record, ahead, failed=False)
        if refusal is not None:
            # No HTTPException: for that LiteLLM answers an event stream (measured on 1.106.2).
            raise Refused(refusal)

    async def _booked(self, record: Record, response: AsyncIterator[Any]) -> AsyncGenerator[Any, None]:
        meter = bill.Meter()
        try:
            async for chunk in response:
                meter.note(chunk)
                yield chunk
        finally:
            if record.child is not None:
                await self._book(record.child, meter.usage)

    async def _book(self, child: Child, usage: Usage) -> None:
        seconds = time.monotonic() - child.admitted_at
        booked = Usage(usage.prompt_tokens, usage.completion_tokens, seconds)
        await self._keeper.ledger.finish(child.root, booked)
        amounts = fanout.amounts(booked)
        meter().tokens(child.handle, child.approach, amounts["prompt_tokens"], amounts["completion_tokens"])

    @timed("failure")
    async def async_post_call_failure_hook(
        self,
        request_data: dict[str, Any],  # noqa: ARG002 - LiteLLM's signature
        original_exception: Exception,
        user_api_key_dict: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        traceback_str: str | None = None,  # noqa: ARG002 - LiteLLM's signature
    ) -> Any:  # noqa: ANN401 - an HTTPException or None
        """Give the client of a root that looped or overspent the one clear refusal."""
        return await self._closing.failure(original_exception)

    @timed("headers")
    async def async_post_call_response_headers_hook(
        self,
        data: dict[str, Any],  # noqa: ARG002 - LiteLLM's signature
        user_api_key_dict: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        response: Any,  # noqa: ANN401, ARG002 - LiteLLM's answer types
        request_headers: dict[str, str] | None = None,  # noqa: ARG002 - LiteLLM's signature
        litellm_call_info: dict[str, Any] | None = None,  # noqa: ARG002 - LiteLLM's signature
    ) -> dict[str, str] | None:
        """Tell what a root cost; blanks where the account cannot be read."""
        record = context.current()
        if record is None or record.root is None:
            return None
        headers = blank_headers()
        with counted("headers"):
            headers.update(await self._keeper.headers(record.root))
        return headers

    # --- LiteLLM's own account ---------------------------------------------------------------------

    async def async_logging_hook(
        self,
        kwargs: dict[str, Any],
        result: Any,  # noqa: ANN401 - LiteLLM's answer types
        call_type: str,  # noqa: ARG002 - LiteLLM's signature
    ) -> tuple[dict[str, Any], Any]:
        """Strike a root's tokens and cost from what LiteLLM logs and exports: its children are there."""
        if self._is_root(kwargs):
            bill.struck(kwargs.get("standard_logging_object"))
            unmarking.account(kwargs)
            kwargs["response_cost"] = 0.0
            for name in ("async_complete_streaming_response", "complete_streaming_response"):
                if kwargs.get(name) is not None:
                    kwargs[name] = bill.mended(kwargs[name], bill.NOTHING)
            result = bill.mended(result, bill.NOTHING)
        return kwargs, result

    def _is_root(self, kwargs: Mapping[str, Any]) -> bool:
        payload = kwargs.get("standard_logging_object")
        chosen = payload.get("model_id") if isinstance(payload, Mapping) else None
        chosen = chosen or request.deployment_id(kwargs.get("litellm_params") or {})
        return bool(chosen) and self._deployments.group_of(str(chosen)) in self._lanes.lanes


async def _taken(stream: AsyncIterator[Any], most: int) -> list[Any]:
    taken: list[Any] = []
    async for chunk in stream:
        taken.append(chunk)
        if len(taken) >= most:
            break
    return taken


def _carry(root: Root, body: dict[str, Any]) -> None:
    if not str(body["model"]).endswith(root.mark):
        body["model"] = f"{body['model']}{root.mark}"
    root.wire, root.carried = body, True


def _unmark(record: Record | None) -> None:
    root = record.root if record else None
    if root is not None and root.wire is not None:
        root.wire["model"] = str(root.wire.get("model", "")).removesuffix(root.mark)
        root.wire = None


def _usage(root: Root | None) -> Usage:
    return root.summary.usage if root and root.summary else Usage()
