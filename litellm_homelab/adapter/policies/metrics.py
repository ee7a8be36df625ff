"""The metrics' hooks: which attempts there were, and how fast the answer came."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import litellm

from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.fail_closed import log_and_continue
from litellm_homelab.adapter.litellm_api import usage
from litellm_homelab.adapter.policy import Policy
from litellm_homelab.adapter.recording import meter

if TYPE_CHECKING:
    from litellm_homelab.adapter.wiring import Shared


class MetricsPolicy(Policy):
    """
    Notes what only LiteLLM's hooks see; the recorder counts it when the request has ended.

    Its own errors are logged and counted, and refuse no request.
    """

    name = "metrics"

    @classmethod
    def build(cls, shared: Shared) -> Self:  # noqa: ARG003 - it needs nothing
        """Make it; the showroom policy, which runs first, notes the group of each attempt."""
        return cls()

    def sending(self, ctx: RequestContext | None, body: dict[str, Any]) -> None:  # noqa: ARG002 - not changed here
        """Note that the attempt is being sent: once, however often its hooks run."""
        with log_and_continue(self.name):
            if ctx is not None:
                ctx.stats.sent()

    async def attempt_answered(self, ctx: RequestContext, data: Mapping[str, Any], response: object) -> None:  # noqa: ARG002
        """Note an attempt that answered."""
        ctx.stats.answered("answered")

    async def attempt_failed(self, ctx: RequestContext, error: Exception) -> None:  # noqa: ARG002 - any error
        """Note an attempt that failed."""
        ctx.stats.answered("failed")

    async def logged(self, ctx: RequestContext | None, kwargs: dict[str, Any], result: Any) -> Any:  # noqa: ANN401
        """Count the speed of an answer."""
        with log_and_continue(self.name):
            if ctx is not None and ctx.asked is not None and ctx.child is None:
                _paced(ctx, kwargs.get("async_complete_streaming_response") or result)
        return result


def _paced(record: RequestContext, answer: Any) -> None:  # noqa: ANN401 - LiteLLM's answer types
    stats = record.stats
    if stats.paced:
        return
    told = 0 if record.root else (usage.used(answer) or usage.NOTHING).completion_tokens
    tokens = told or _spoken(answer)
    if tokens > 0:
        stats.paced = True
        meter().speed(record.asked, tokens / ((stats.ended_at or time.monotonic()) - stats.began_at))


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
