"""LiteLLM's hooks in the order in which a request meets them; each asks the policies."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from litellm.integrations.custom_logger import CustomLogger

from litellm_homelab.adapter import context, fail_closed, refused_calls
from litellm_homelab.adapter.fail_closed import log_and_continue
from litellm_homelab.adapter.litellm_api.client_error import StreamBroken
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.adapter.litellm_api.request_body import SENT
from litellm_homelab.adapter.policy import STAGES, Policy, defines
from litellm_homelab.adapter.recording import took

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from litellm_homelab.adapter.policies.error_response import ErrorResponse
    from litellm_homelab.adapter.policies.request_opening import RequestOpening
    from litellm_homelab.adapter.policies.showroom import ShowroomPolicy

OPENING: Final = "showroom"
"""The rule that is named where a request cannot be opened."""


class Plugin(CustomLogger):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """
    What router.yaml lists as `litellm_homelab.plugin`.

    Every hook is defined on this class itself: LiteLLM skips an inherited `async_pre_call_hook` without a
    word (measured on 1.106.2).
    """

    def __init__(
        self,
        policies: Sequence[Policy],
        opening: RequestOpening,
        showroom: ShowroomPolicy,
        errors: ErrorResponse,
    ) -> None:
        super().__init__()
        stages = {stage: tuple(one for one in policies if defines(one, stage)) for stage in STAGES}
        self._opening = opening
        self._showroom = showroom
        self._errors = errors
        self._pre_call = stages["pre_call"]
        self._filter = stages["filter"]
        self._attempt = stages["attempt"]
        self._sending = stages["sending"]
        self._attempt_answered = stages["attempt_answered"]
        self._attempt_failed = stages["attempt_failed"]
        self._answer = stages["answer"]
        self._stream = stages["stream"]
        self._headers = stages["headers"]
        self._logged = stages["logged"]

    # --- once per request, before routing -----------------------------------------------------------

    async def async_pre_call_hook(
        self,
        user_api_key_dict: Any,  # noqa: ANN401 - LiteLLM's signature
        cache: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        data: dict[str, Any],
        call_type: str,
    ) -> dict[str, Any]:
        """Open the request; ask each policy whether it may go on."""
        began, rule = time.perf_counter(), OPENING
        try:
            ctx = context.required()
            await self._opening.open(ctx, data, user_api_key_dict)
            for policy in self._pre_call:
                rule = policy.name
                await policy.pre_call(ctx, data, call_type)
        except Exception as error:  # noqa: BLE001 - closed, whatever it was
            fail_closed.reraise(rule, error)
        finally:
            took("pre_call", began)
        return data

    # --- once per attempt, or more often ------------------------------------------------------------

    async def async_filter_deployments(
        self,
        model: str,
        healthy_deployments: Any,  # noqa: ANN401 - a list; LiteLLM's signature
        messages: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        request_kwargs: Any = None,  # noqa: ANN401, ARG002 - LiteLLM's signature
        parent_otel_span: Any = None,  # noqa: ANN401, ARG002 - LiteLLM's signature
    ) -> Any:  # noqa: ANN401 - a list
        """Ask each policy which of a group's deployments LiteLLM may choose from."""
        if self._passes(model, healthy_deployments):
            return healthy_deployments
        began, rule, ctx = time.perf_counter(), OPENING, context.current()
        if ctx is None:
            return healthy_deployments
        try:
            refused_calls.end_request(ctx)
            for policy in self._filter:
                rule = policy.name
                healthy_deployments = await policy.filter(ctx, model, healthy_deployments)
        except Exception as error:  # noqa: BLE001 - closed, whatever it was
            fail_closed.reraise(rule, error)
        finally:
            took("attempt", began)
        return healthy_deployments

    def _passes(self, model: str, deployments: Any) -> bool:  # noqa: ANN401 - a list
        """Whether no policy would leave one out."""
        rule = OPENING
        try:
            for policy in self._filter:
                rule = policy.name
                if not policy.passes(model, deployments):
                    return False
        except Exception as error:  # noqa: BLE001 - closed, whatever it was
            fail_closed.reraise(rule, error)
        return True

    async def async_pre_call_deployment_hook(
        self,
        kwargs: dict[str, Any],
        call_type: Any,  # noqa: ANN401 - LiteLLM's signature
    ) -> dict[str, Any] | None:
        """Ask each policy whether this attempt may go on, and with which arguments."""
        began, rule, arguments = time.perf_counter(), OPENING, kwargs
        try:
            ctx = context.current()
            refused_calls.end_request(ctx)
            for policy in self._attempt:
                rule = policy.name
                arguments = await policy.attempt(ctx, arguments, call_type) or arguments
        except Exception as error:  # noqa: BLE001 - closed, whatever it was
            fail_closed.reraise(rule, error)
        finally:
            took("attempt", began)
        return None if arguments is kwargs else arguments

    def log_pre_api_call(self, model: Any, messages: Any, kwargs: Any) -> None:  # noqa: ANN401, ARG002
        """Show the body that is about to be sent; for a refused request LiteLLM calls this without one."""
        body = (kwargs.get("additional_args") or {}).get(SENT)
        if body is None:
            return
        ctx = context.current()
        for policy in self._sending:
            policy.sending(ctx, body)

    async def async_post_call_success_deployment_hook(
        self,
        request_data: dict[str, Any],
        response: Any,  # noqa: ANN401 - LiteLLM's answer types
        call_type: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
    ) -> Any:  # noqa: ANN401 - LiteLLM's answer types
        """An attempt that is not streamed has an answer."""
        ctx = context.current()
        if ctx is not None:
            for policy in self._attempt_answered:
                await policy.attempt_answered(ctx, request_data, response)

    async def async_post_call_failure_deployment_hook(
        self,
        request_data: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        exception: Exception,
        call_type: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        fallback_depth: int | None = None,  # noqa: ARG002 - LiteLLM's signature
    ) -> None:
        """An attempt has failed; LiteLLM goes on with the next one, whatever is raised here."""
        ctx = context.current()
        if ctx is None:
            return
        for policy in self._attempt_failed:
            with log_and_continue(policy.name):
                await policy.attempt_failed(ctx, exception)

    # --- the answer ---------------------------------------------------------------------------------

    async def async_post_call_success_hook(
        self,
        data: dict[str, Any],  # noqa: ARG002 - LiteLLM's signature
        user_api_key_dict: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        response: Any,  # noqa: ANN401 - LiteLLM's answer types
    ) -> Any:  # noqa: ANN401 - LiteLLM's answer types
        """Let the policies change or refuse an answer in one piece."""
        began, rule = time.perf_counter(), OPENING
        try:
            ctx = context.required()
            for policy in self._answer:
                rule = policy.name
                response = await policy.answer(ctx, response)
        except Exception as error:  # noqa: BLE001 - closed, whatever it was
            fail_closed.reraise(rule, error)
        finally:
            took("success", began)
        return response

    async def async_post_call_streaming_iterator_hook(
        self,
        user_api_key_dict: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        response: AsyncIterator[Any],
        request_data: dict[str, Any],  # noqa: ARG002 - LiteLLM's signature
    ) -> AsyncGenerator[Any, None]:
        """
        Let the policies follow a stream; clean an error of the upstream's.

        On streams LiteLLM shows the client an exception's text as it is, and takes the status from it.
        """
        ctx = context.current()
        if ctx is None or (ctx.asked is None and not ctx.open_route):
            raise fail_closed.broken(OPENING, LookupError("a stream of a request that pre-call did not see"))
        stream, started = response, False
        for policy in self._stream:
            stream = policy.stream(ctx, stream)
        try:
            async for chunk in stream:
                yield chunk
                started = True
        except Exception as error:
            clean = self._errors.refined(error)
            if not isinstance(error, Refused):
                ctx.stats.answered("failed")
            if clean is None:
                raise
            raise (StreamBroken(clean) if started else clean) from error

    async def async_post_call_failure_hook(
        self,
        request_data: dict[str, Any],  # noqa: ARG002 - LiteLLM's signature
        original_exception: Exception,
        user_api_key_dict: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        traceback_str: str | None = None,  # noqa: ARG002 - LiteLLM's signature
    ) -> Any:  # noqa: ANN401 - an HTTPException or None
        """Give the client our own refusal, or an upstream's error without its names."""
        began = time.perf_counter()
        try:
            return await self._errors.failure(original_exception)
        finally:
            took("failure", began)

    async def async_post_call_response_headers_hook(
        self,
        data: dict[str, Any],  # noqa: ARG002 - LiteLLM's signature
        user_api_key_dict: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        response: Any,  # noqa: ANN401, ARG002 - LiteLLM's answer types
        request_headers: dict[str, str] | None = None,  # noqa: ARG002 - LiteLLM's signature
        litellm_call_info: dict[str, Any] | None = None,  # noqa: ARG002 - LiteLLM's signature
    ) -> dict[str, str] | None:
        """Headers of the policies'."""
        began, ctx = time.perf_counter(), context.current()
        added: dict[str, str] = {}
        if ctx is not None:
            for policy in self._headers:
                added |= await policy.headers(ctx) or {}
        took("headers", began)
        return added or None

    async def async_filter_listed_models(
        self,
        user_api_key_dict: Any,  # noqa: ANN401 - LiteLLM's signature
        model_names: Sequence[str],
    ) -> Sequence[str]:
        """Keep the caller's handles, in the order of `handles`."""
        began = time.perf_counter()
        try:
            return self._showroom.listed(context.current(), user_api_key_dict, model_names)
        except Exception as error:  # noqa: BLE001 - closed, whatever it was
            fail_closed.reraise(self._showroom.name, error)
        finally:
            took("listing", began)

    # --- in the background --------------------------------------------------------------------------

    async def async_logging_hook(
        self,
        kwargs: dict[str, Any],
        result: Any,  # noqa: ANN401 - LiteLLM's answer types
        call_type: str,  # noqa: ARG002 - LiteLLM's signature
    ) -> tuple[dict[str, Any], Any]:
        """Let the policies see, or change, what LiteLLM logs; `no-log` does not switch this off (1.106.2)."""
        ctx = context.current()
        for policy in self._logged:
            result = await policy.logged(ctx, kwargs, result)
        return kwargs, result
