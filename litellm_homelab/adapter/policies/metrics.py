"""The metrics' hooks: which attempts there were, and how fast the answer came."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import litellm
from litellm.integrations.custom_logger import CustomLogger

from litellm_homelab.adapter import context
from litellm_homelab.adapter.context import Record
from litellm_homelab.adapter.fail_closed import counted
from litellm_homelab.adapter.litellm_api import request
from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.adapter.litellm_api.request_body import SENT
from litellm_homelab.adapter.policies import usage
from litellm_homelab.adapter.recording import meter


class MetricsCallback(CustomLogger):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """
    Notes what only LiteLLM's hooks see; `Count` counts it when the request has ended.

    Every hook stands on this class itself (see ShowroomCallback).
    """

    def __init__(self, deployments: Deployments) -> None:
        super().__init__()
        self._deployments = deployments

    async def async_pre_call_deployment_hook(
        self,
        kwargs: dict[str, Any],
        call_type: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
    ) -> dict[str, Any] | None:
        """Note the group that an attempt goes to; health checks go to none that the router chose."""
        record = context.current()
        with counted("metrics"):
            if record is not None and request.deployment_id(kwargs) is not None:
                record.tally.chosen = self._deployments.group_in(kwargs, record.asked)
        return None

    def log_pre_api_call(self, model: Any, messages: Any, kwargs: Any) -> None:  # noqa: ANN401, ARG002
        """Note that the attempt is being sent: once, however often its hooks run."""
        record = context.current()
        with counted("metrics"):
            if record is not None and SENT in (kwargs.get("additional_args") or {}):
                record.tally.sent()

    async def async_post_call_success_deployment_hook(
        self,
        request_data: dict[str, Any],  # noqa: ARG002 - LiteLLM's signature
        response: Any,  # noqa: ANN401, ARG002 - LiteLLM's answer types
        call_type: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
    ) -> Any:  # noqa: ANN401 - LiteLLM's answer types
        """Note an attempt that answered."""
        _ended("answered")

    async def async_post_call_failure_deployment_hook(
        self,
        request_data: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        exception: Exception,  # noqa: ARG002 - LiteLLM's signature
        call_type: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        fallback_depth: int | None = None,  # noqa: ARG002 - LiteLLM's signature
    ) -> None:
        """Note an attempt that failed."""
        _ended("failed")

    async def async_post_call_streaming_iterator_hook(
        self,
        user_api_key_dict: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        response: AsyncIterator[Any],
        request_data: dict[str, Any],  # noqa: ARG002 - LiteLLM's signature
    ) -> AsyncGenerator[Any, None]:
        """Note a stream that broke; one that ends is seen where it leaves."""
        try:
            async for chunk in response:
                yield chunk
        except Refused:
            raise
        except Exception:
            _ended("failed")
            raise

    async def async_logging_hook(
        self,
        kwargs: dict[str, Any],
        result: Any,  # noqa: ANN401 - LiteLLM's answer types
        call_type: str,  # noqa: ARG002 - LiteLLM's signature
    ) -> tuple[dict[str, Any], Any]:
        """Count the speed of an answer; `no-log` does not switch this hook off (read from 1.106.2)."""
        record = context.current()
        with counted("metrics"):
            if record is not None and record.asked is not None and record.child is None:
                _paced(record, kwargs.get("async_complete_streaming_response") or result)
        return kwargs, result


def _ended(outcome: str) -> None:
    record = context.current()
    if record is not None:
        record.tally.answered(outcome)


def _paced(record: Record, answer: Any) -> None:  # noqa: ANN401 - LiteLLM's answer types
    tally = record.tally
    if tally.paced:
        return
    told = 0 if record.root else (usage.used(answer) or usage.NOTHING).completion_tokens
    tokens = told or _spoken(answer)
    if tokens > 0:
        tally.paced = True
        meter().speed(record.asked, tokens / ((tally.ended_at or time.monotonic()) - tally.began_at))


def _spoken(answer: Any) -> int:  # noqa: ANN401 - LiteLLM's answer types
    """
    Tokens of the text itself, counted as LiteLLM counts.

    What OptiLLM says that it used are those of all its calls; and streams of completions and Gemini's tell no
    tokens where the upstream does not (measured on 1.106.2).
    """
    text = "".join(_text(choice) for choice in getattr(answer, "choices", None) or ())
    return litellm.token_counter(model="", text=text) if text else 0


def _text(choice: Any) -> str:  # noqa: ANN401 - LiteLLM's answer types
    said = getattr(getattr(choice, "message", None), "content", None) or getattr(choice, "text", None)
    return said if isinstance(said, str) else ""
