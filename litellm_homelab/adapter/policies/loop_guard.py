"""The loop guard's hooks: re-entries, children, lineage tokens, the usage of a root."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.fail_closed import log_and_continue
from litellm_homelab.adapter.litellm_api import lineage_cleanup, root_accounts, usage
from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.adapter.optillm import lineage_token, optillm_fields
from litellm_homelab.adapter.optillm.admission import LineageGuard
from litellm_homelab.adapter.optillm.root_answers import Answers
from litellm_homelab.adapter.optillm.roots import RootKeeper, blank_headers
from litellm_homelab.adapter.outcome import Level
from litellm_homelab.adapter.policy import Policy
from litellm_homelab.adapter.recording import timing
from litellm_homelab.decision import Allow
from litellm_homelab.optillm.lanes import Lanes
from litellm_homelab.showroom.rule import Showroom

if TYPE_CHECKING:
    from litellm_homelab.adapter.wiring import Shared


class LoopGuardPolicy(Policy):
    """Applies the loop guard: re-entries, children, lineage tokens, the usage of a root."""

    name = "loop_guard"

    def __init__(
        self,
        lanes: Lanes,
        deployments: Deployments,
        guard: LineageGuard,
        keeper: RootKeeper,
        showroom: Showroom,
        is_root: root_accounts.IsRoot,
    ) -> None:
        self._lanes = lanes
        self._showroom = showroom
        self._deployments = deployments
        self._guard = guard
        self._keeper = keeper
        self._answers = Answers(keeper)
        self._is_root = is_root

    @classmethod
    def build(cls, shared: Shared) -> Self:
        """Make it from what policies share."""
        return cls(
            shared.lanes, shared.deployments, shared.guard, shared.keeper, shared.showroom, shared.is_root
        )

    # --- deciding ----------------------------------------------------------------------------------

    async def pre_call(self, ctx: RequestContext, data: dict[str, Any], call_type: str) -> None:  # noqa: ARG002
        """Let no call of OptiLLM be retried; `RequestOpening` has refused re-entries."""
        if ctx.is_optillms:
            # OptiLLM's own client asks three times; 0 overrides the retry policies of the file (1.106.2).
            data["num_retries"] = 0

    async def attempt(
        self,
        ctx: RequestContext | None,
        kwargs: dict[str, Any],
        call_type: Any,  # noqa: ANN401 - LiteLLM's enum, or None
    ) -> dict[str, Any] | None:
        """Count a child; open the root of an attempt at OptiLLM; refuse OptiLLM its way back to itself."""
        if ctx is None:
            return None
        group = self._deployments.group_in(kwargs, ctx.asked)
        if group is None or group not in self._lanes.lanes:
            if ctx.is_optillms and self._may_go_on(ctx, group):
                await self._guard.attempt(ctx, group)
            if ctx.root is not None:
                ctx.root.carrying = False
            return None
        await self._guard.attempt(ctx, group)
        refusal = await self._keeper.attempt(ctx, group, ctx.runs[group].approach.text)
        if refusal is not None:
            optillm_fields.refuse(refusal, self.name)
        if ctx.root is not None:
            ctx.root.carrying = optillm_fields.is_sent(call_type)
        return None

    def _may_go_on(self, record: RequestContext, group: str | None) -> bool:
        """Whether the showroom allows the attempt: its hook may run later, and refuses what it does not."""
        decision = self._showroom.attempt(record.asked, group, record.caller)
        return group is None or isinstance(decision, Allow)

    # --- the wire ----------------------------------------------------------------------------------

    def sending(self, ctx: RequestContext | None, body: dict[str, Any]) -> None:
        """Put the token behind the model name in the very dict that LiteLLM is about to send."""
        root = ctx.root if ctx else None
        if root is not None and root.carrying and root.mark:
            with timing("wire"), log_and_continue("wire"):
                lineage_token.put_on(root, body)

    async def attempt_answered(self, ctx: RequestContext, data: Mapping[str, Any], response: object) -> None:
        """Take the token off what was sent and what came back: LiteLLM keeps both for its logs."""
        if ctx.root is None:
            return
        lineage_token.take_off(ctx)
        lineage_cleanup.answer(response)
        lineage_cleanup.account(getattr(data.get("litellm_logging_obj"), "model_call_details", {}))

    async def attempt_failed(self, ctx: RequestContext, error: Exception) -> None:
        """As after success; and remember an attempt that failed because OptiLLM came back."""
        root = ctx.root
        if root is None:
            return
        lineage_token.take_off(ctx)
        if ctx.outcome.verdict is None:
            looped = await self._keeper.returned(root, error)
            if looped is not None:
                ctx.outcome.refuse(self.name, looped, Level.ROOT)

    # --- answers -----------------------------------------------------------------------------------

    async def answer(self, ctx: RequestContext, response: Any) -> Any:  # noqa: ANN401 - LiteLLM's answer types
        """Book a child before its answer leaves; give a root the bill of its children, or the refusal."""
        if ctx.root is None and ctx.child is None:
            return response
        return await self._answers.whole(ctx, response)

    def stream(self, ctx: RequestContext, chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """As for an answer: OptiLLM has finished all its calls before its stream begins."""
        if ctx.root is None and ctx.child is None:
            return chunks
        return self._answers.stream(ctx, chunks)

    async def headers(self, ctx: RequestContext) -> dict[str, str] | None:
        """Say what a root cost; blanks where the account cannot be read."""
        if ctx.root is None:
            return None
        headers = blank_headers()
        with log_and_continue("headers"):
            headers.update(await self._keeper.headers(ctx.root))
        return headers

    # --- LiteLLM's own account ---------------------------------------------------------------------

    async def logged(self, ctx: RequestContext | None, kwargs: dict[str, Any], result: Any) -> Any:  # noqa: ANN401, ARG002
        """Strike a root's tokens and cost from what LiteLLM logs and exports: its children are there."""
        if not self._is_root(kwargs):
            return result
        # The account itself has been cleared where LiteLLM builds it (`root_accounts`).
        lineage_cleanup.account(kwargs)
        for name in ("async_complete_streaming_response", "complete_streaming_response"):
            if kwargs.get(name) is not None:
                kwargs[name] = usage.mended(kwargs[name], usage.NOTHING)
        return usage.mended(result, usage.NOTHING)
