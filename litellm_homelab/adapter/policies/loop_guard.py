"""The loop guard's hooks: re-entries, children, marks on the wire, the bill of a root."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from litellm_homelab.adapter import context
from litellm_homelab.adapter.context import Record
from litellm_homelab.adapter.fail_closed import closed, counted
from litellm_homelab.adapter.litellm_api import lineage_cleanup, request
from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.adapter.litellm_api.request_body import SENT
from litellm_homelab.adapter.policies import lineage_token, optillm_fields, usage
from litellm_homelab.adapter.policies.admission import LineageGuard
from litellm_homelab.adapter.policies.error_response import Closing
from litellm_homelab.adapter.policies.request_opening import Opening
from litellm_homelab.adapter.policies.root_answers import Answers
from litellm_homelab.adapter.policies.roots import RootKeeper, blank_headers
from litellm_homelab.adapter.recording import timed, timing
from litellm_homelab.config import wildcards
from litellm_homelab.decision import Allow
from litellm_homelab.optillm.lanes import Lanes
from litellm_homelab.showroom.rule import Showroom


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
        showroom: Showroom,
    ) -> None:
        super().__init__()
        self._lanes = lanes
        self._showroom = showroom
        self._opening = opening
        self._deployments = deployments
        self._guard = guard
        self._keeper = keeper
        self._closing = closing
        self._answers = Answers(keeper)

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
        """Refuse a re-entry, a forged mark, a child whose root is over; let no call of OptiLLM be retried."""
        record = await self._opening.open(data, user_api_key_dict)
        if record.child is not None or record.caller.role == "optillm":
            # OptiLLM's own client asks three times; 0 overrides the retry policies of the file (1.106.2).
            data["num_retries"] = 0
        return data

    @timed("attempt")
    @closed("loop_guard")
    async def async_pre_call_deployment_hook(
        self,
        kwargs: dict[str, Any],
        call_type: Any,  # noqa: ANN401 - LiteLLM's signature
    ) -> dict[str, Any] | None:
        """Count a child; open the root of an attempt at OptiLLM; refuse OptiLLM its way back to itself."""
        record = context.current()
        group = self._deployments.group_in(kwargs, record.asked if record else None)
        if record is None or group is None or group not in self._lanes.lanes:
            if record is not None and self._may_go_on(record, group):
                await self._guard.admit(record)
            if record is not None and record.root is not None:
                record.root.carrying = False
            return None
        await self._guard.refuse_return(record, group)
        approach = optillm_fields.approach_of(self._lanes, record, group)
        refusal = await self._keeper.attempt(record, group, approach.text)
        if refusal is not None:
            optillm_fields.refuse(refusal, "loop_guard")
        if record.root is not None:
            record.root.carrying = optillm_fields.is_sent(call_type)
        return None

    def _may_go_on(self, record: Record, group: str | None) -> bool:
        """Whether the showroom allows the attempt: its hook may run later, and refuses what it does not."""
        decision = self._showroom.attempt(record.asked, group, record.caller)
        return group is None or isinstance(decision, Allow)

    # --- the wire ----------------------------------------------------------------------------------

    def log_pre_api_call(self, model: Any, messages: Any, kwargs: Any) -> None:  # noqa: ANN401, ARG002
        """Put the mark behind the model name in the very dict that LiteLLM is about to send."""
        record = context.current()
        root = record.root if record else None
        if root is not None and root.carrying and root.mark and SENT in (kwargs.get("additional_args") or {}):
            with timing("wire"), counted("wire"):
                lineage_token.put_on(root, kwargs["additional_args"][SENT])

    async def async_post_call_success_deployment_hook(
        self,
        request_data: dict[str, Any],
        response: Any,  # noqa: ANN401 - LiteLLM's answer types
        call_type: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
    ) -> Any:  # noqa: ANN401 - LiteLLM's answer types
        """Take the mark off what was sent and what came back: LiteLLM keeps both for its logs."""
        record = context.current()
        lineage_token.take_off(record)
        if record is not None and record.root is not None:
            lineage_cleanup.answer(response)
            lineage_cleanup.account(
                getattr(request_data.get("litellm_logging_obj"), "model_call_details", {})
            )

    async def async_post_call_failure_deployment_hook(
        self,
        request_data: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        exception: Exception,
        call_type: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        fallback_depth: int | None = None,  # noqa: ARG002 - LiteLLM's signature
    ) -> None:
        """As after success; and remember an attempt that failed because OptiLLM came back."""
        record = context.current()
        lineage_token.take_off(record)
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
        return await self._answers.whole(context.required(), response)

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
        async for chunk in self._answers.stream(record, response):
            yield chunk

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
            usage.struck(kwargs.get("standard_logging_object"))
            lineage_cleanup.account(kwargs)
            kwargs["response_cost"] = 0.0
            for name in ("async_complete_streaming_response", "complete_streaming_response"):
                if kwargs.get(name) is not None:
                    kwargs[name] = usage.mended(kwargs[name], usage.NOTHING)
            result = usage.mended(result, usage.NOTHING)
        return kwargs, result

    def _is_root(self, kwargs: Mapping[str, Any]) -> bool:
        payload = kwargs.get("standard_logging_object")
        chosen = payload.get("model_id") if isinstance(payload, Mapping) else None
        chosen = chosen or request.deployment_id(kwargs.get("litellm_params") or {})
        group = self._deployments.group_of(str(chosen)) if chosen else None
        if group is not None and wildcards.is_wildcard(group) and isinstance(payload, Mapping):
            group = payload.get("model_group")
        return group in self._lanes.lanes
