"""What a policy may do with a request, stage by stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from litellm_homelab.adapter.context import RequestContext
    from litellm_homelab.adapter.wiring import Shared


class Policy:
    """
    Applies a rule to requests: one method for each stage, in the order in which a request meets them.

    A stage that a policy does not override costs nothing.  A stage that refuses raises `Refused`; any other
    exception refuses as well (`policy_error`), is logged and is counted under the policy's name.  `ctx` is
    None where LiteLLM works for itself: health checks and background jobs.
    """

    name: ClassVar[str] = ""
    """The policy's name in `POLICIES` and the value of the metrics' label `rule`."""

    @classmethod
    def build(cls, shared: Shared) -> Self:
        """Make the policy from checked settings and from what policies share."""
        raise NotImplementedError

    async def pre_call(self, ctx: RequestContext, data: dict[str, Any], call_type: str) -> None:
        """Decide on a request before it is routed; change `data`, LiteLLM's request dict, in place."""

    def passes(self, group: str, deployments: Sequence[Mapping[str, Any]]) -> bool:  # noqa: ARG002 - most look
        """Whether `filter` would give back all of them, where that can be said in a few steps."""
        return False

    async def filter(
        self, ctx: RequestContext, group: str, deployments: Sequence[Mapping[str, Any]]
    ) -> Sequence[Mapping[str, Any]]:
        """Give back the deployments of a group (as LiteLLM keeps them) of which LiteLLM may choose one."""
        raise NotImplementedError

    async def attempt(
        self,
        ctx: RequestContext | None,
        kwargs: dict[str, Any],
        call_type: Any,  # noqa: ANN401 - LiteLLM's enum, or None
    ) -> dict[str, Any] | None:
        """Decide on one attempt; give back other arguments for it, or None to leave them."""

    def sending(self, ctx: RequestContext | None, body: dict[str, Any]) -> None:
        """See the body that is about to be sent; it cannot be refused here: LiteLLM swallows exceptions."""

    async def attempt_answered(self, ctx: RequestContext, data: Mapping[str, Any], response: object) -> None:
        """See the answer of an attempt that is not streamed."""

    async def attempt_failed(self, ctx: RequestContext, error: Exception) -> None:
        """See how an attempt failed."""

    async def answer(self, ctx: RequestContext, response: Any) -> Any:  # noqa: ANN401 - LiteLLM's answer types
        """Change or refuse an answer that is not streamed."""

    def stream(self, ctx: RequestContext, chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Follow a stream; give back `chunks` themselves where nothing is to be done."""
        raise NotImplementedError

    async def headers(self, ctx: RequestContext) -> dict[str, str] | None:
        """Add headers to an answer."""

    async def logged(self, ctx: RequestContext | None, kwargs: dict[str, Any], result: Any) -> Any:  # noqa: ANN401
        """See, or change, what LiteLLM logs of a request; runs after the answer."""


STAGES: Final = (
    *("pre_call", "filter", "attempt", "sending", "attempt_answered", "attempt_failed"),
    *("answer", "stream", "headers", "logged"),
)
"""The methods of `Policy` that a request meets."""


def defines(policy: Policy, stage: str) -> bool:
    """Whether a policy overrides a stage."""
    return getattr(type(policy), stage) is not getattr(Policy, stage)
