"""Quotas of free tiers: an attempt is sent while every window has room; otherwise its group is skipped."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self

import httpx

from litellm_homelab import refusals
from litellm_homelab.adapter import context
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.fail_closed import log_and_continue
from litellm_homelab.adapter.litellm_api import own_errors, transport, usage
from litellm_homelab.adapter.litellm_api.exceptions import Refused, Skipped
from litellm_homelab.adapter.log_limits import log_seldom
from litellm_homelab.adapter.outcome import Level
from litellm_homelab.adapter.policies.quota_keys import KeyReader
from litellm_homelab.adapter.policy import Policy
from litellm_homelab.adapter.recording import meter
from litellm_homelab.decision import Refuse
from litellm_homelab.quotas import estimate, learning
from litellm_homelab.quotas.book import Book, Exceeded, Reservation, StoreSilent
from litellm_homelab.quotas.learning import Answered
from litellm_homelab.quotas.presets import provider_at
from litellm_homelab.quotas.rule import Exhausted, Quotas

if TYPE_CHECKING:
    from litellm_homelab.adapter.wiring import Shared

LOST: Final = (
    "homelab quota: the store of quotas does not answer (%s); homelab.quotas.*.on_state_loss decides."
)
RUNS_OUT: Final = "homelab quota: at this rate %s (%s) will be used up on %s, before it resets."
LOOK_SECONDS: Final = 15.0
"""Seconds between two updates of the metrics of unused quotas: their windows reset, too."""
WITH_A_WORD: Final = frozenset({402, 429})
"""Statuses of errors whose body is looked at."""
GENERIC: Final = frozenset(
    {"openai", "lm_studio", "hosted_vllm", "custom_openai", "openai_like", "litellm_proxy"}
)
"""LiteLLM's providers for any compatible server: they do not say whose it is."""


class QuotasShown:
    """Counts what happens to quotas."""

    def __init__(self) -> None:
        self._running_out: set[tuple[str, str]] = set()

    def used(self, quota: str, window: str, used: int, limit: int | None, reset_seconds: float) -> None:
        """Set the gauges of a window."""
        meter().quota(quota, window, used, limit, reset_seconds)

    def runs_out(self, quota: str, window: str, at: float | None) -> None:
        """Set the gauge of a window; log once that it will be used up, until it has been reset."""
        meter().quota_runs_out(quota, window, at)
        if at is None:
            self._running_out.discard((quota, window))
        elif (quota, window) not in self._running_out and at > time.time():  # not used up already
            self._running_out.add((quota, window))
            when = datetime.fromtimestamp(at).astimezone()
            log_seldom(logging.WARNING, RUNS_OUT % (quota, window, f"{when:%a %Y-%m-%d %H:%M %Z}"))

    def learned(self, quota: str, source: str) -> None:
        """Count what an answer said."""
        meter().quota_learned(quota, source)

    def store_lost(self, error: Exception) -> None:
        """Count that the store did not answer, and log it."""
        meter().rule_error(QuotaPolicy.name)
        log_seldom(logging.WARNING, LOST % (str(error) or type(error).__name__))


class QuotaPolicy(Policy):
    """Reserves for each attempt what it uses of its quotas, or skips it where they are used up."""

    name = "quota"

    def __init__(self, quotas: Quotas, book: Book, shared: Shared) -> None:
        self._quotas, self.book = quotas, book
        self._targets = shared.targets
        self._keys = KeyReader(quotas, shared.directory, book)
        self._looking: asyncio.Task[None] | None = None

    @classmethod
    def build(cls, shared: Shared) -> Self:
        """Make it from what policies share."""
        quotas = Quotas(shared.settings.homelab.quotas)
        return cls(quotas, Book(quotas.all, shared.store, QuotasShown()), shared)

    async def attempt(
        self,
        ctx: RequestContext | None,
        kwargs: dict[str, Any],
        call_type: Any,  # noqa: ANN401 - LiteLLM's enum, or None
    ) -> dict[str, Any] | None:
        """
        Reserve, or plan to, once for an HTTP request: LiteLLM calls this twice for messages and responses.

        Raises:
            Skipped: a quota is used up; the next group may answer.
            Refused: a quota is used up that has `on_exhausted: refuse`.

        """
        self._look()
        chosen = context.chosen()
        if ctx is None or chosen is None or chosen.deployment is None:
            return None
        if ctx.reservations is not None:
            await _leave_others(ctx.reservations, chosen.deployment)
        held = (ctx.reservations or {}).get(chosen.deployment)
        if held is not None and held.is_open and not held.is_sent:
            return None
        group = ctx.stats.chosen
        quotas = self._quotas.of(group)
        if not quotas or group is None:
            return None
        tokens = estimate.tokens(kwargs) if True in [one.counts_tokens for one in quotas] else 0
        way = chosen.deployment, call_type, bool(kwargs.get("stream"))
        try:
            found = self.book.plan(quotas, group, tokens, way)
            found = found or await self.book.reserve(quotas, group, tokens, way)
        except Exceeded as spent:
            ended = spent.exhausted
            self._end(refused(ctx, ended), falls_back=ended.quota.falls_back)
        except StoreSilent as unknown:
            falls_back = all(one.falls_back for one in unknown.quotas)
            self._end(refusals.store_failed(), falls_back=falls_back)
        else:
            if found is not None:
                found.provider = self._provider(chosen.deployment)
                ctx.reservations = {**(ctx.reservations or {}), chosen.deployment: found}
        return None

    def _end(self, refusal: Refuse, *, falls_back: bool) -> None:
        if not falls_back:
            raise Refused(refusal, self.name)
        raise Skipped(refusal, self.name)

    async def attempt_answered(self, ctx: RequestContext, data: Mapping[str, Any], response: object) -> None:  # noqa: ARG002
        """Settle by the usage that the answer has."""
        held = _of_the_attempt(ctx)
        if held is None:
            return
        if held.is_done:
            return
        with log_and_continue(self.name):
            if not held.is_sent:  # by a client that does not send through the transport
                held.has_left = True
                await held.send()
            found = usage.used(response) if held.settles else None
            if found is not None and found.total_tokens:
                await held.settle(found.total_tokens)

    async def attempt_failed(self, ctx: RequestContext, error: Exception) -> None:
        """Return what was not sent; what failed used no tokens."""
        held = _of_the_attempt(ctx)
        if held is None or isinstance(error, Skipped):
            return
        if not held.is_sent and not ctx.kept_back and own_errors.has_left(ctx, error):
            held.has_left = True
            await held.send()
        await held.release()
        await held.settle(None, failed=True)

    def stream(self, ctx: RequestContext, chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Settle by the usage that a stream has."""
        held = _of_the_attempt(ctx)
        return chunks if held is None or not held.settles else _settling(held, chunks)

    def _provider(self, deployment: str) -> str:
        target = self._targets.of(deployment)
        if target is None or target.provider in GENERIC:
            return ""
        return target.provider.removesuffix("_chat")

    def _look(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look_on(), context=Context())

    async def _look_on(self) -> None:
        """Each in its own task: a provider that answers slowly does not delay the metrics."""
        await asyncio.gather(_repeated(self.book.look), _repeated(self._keys.read_if_due))


async def _repeated(look: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        with log_and_continue(QuotaPolicy.name):
            await look()


async def _settling(held: Reservation, chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
    seen = usage.Meter()
    async for chunk in chunks:
        with log_and_continue(QuotaPolicy.name):
            seen.note(chunk)
        yield chunk
    with log_and_continue(QuotaPolicy.name):
        await held.settle(seen.usage.total_tokens or None)


def _of_the_attempt(ctx: RequestContext) -> Reservation | None:
    chosen = context.chosen()
    if ctx.reservations is None or chosen is None or chosen.deployment is None:
        return None
    return ctx.reservations.get(chosen.deployment)


async def _leave_others(reservations: Mapping[str, Reservation], deployment: str) -> None:
    """Return what attempts before this one have reserved and not sent."""
    for other, held in reservations.items():
        if other != deployment:
            await held.release()


async def ended(ctx: RequestContext) -> None:
    """Return or settle what a request still holds when it has ended."""
    for deployment, held in (ctx.reservations or {}).items():
        if held.is_done:
            continue
        with log_and_continue(QuotaPolicy.name):
            # A stream of a client that does not send through the transport: no hook said that it was sent.
            is_last = ctx.chosen is not None and ctx.chosen.deployment == deployment
            held.has_left |= is_last and ctx.announced and ctx.outcome.is_answer
            await held.release()
            await held.settle(None)


@dataclass(frozen=True, slots=True)
class KeptBack:
    """Why an HTTP request does not leave."""

    refusal: Refuse
    falls_back: bool
    """Whether the next group of the chain may answer."""


async def leaving(ctx: RequestContext, deployment: str) -> KeptBack | None:
    """
    Note that an HTTP request of a deployment leaves; why it may not.

    LiteLLM's clients repeat a request whose connection broke; each is one request for the provider.
    """
    held = (ctx.reservations or {}).get(deployment)
    if held is None:
        return None
    try:
        if held.is_sent:
            wanted = held.quotas, held.group, held.tokens, held.way
            found = held.book.plan(*wanted) or await held.book.reserve(*wanted)
            await held.settle(None)
            if found is None:
                return None
            found.provider = held.provider
            ctx.reservations = {**(ctx.reservations or {}), deployment: found}
            held = found
        if await held.send():
            return None
    except Exceeded as spent:
        return KeptBack(refused(ctx, spent.exhausted), spent.exhausted.quota.falls_back)
    except StoreSilent:
        return KeptBack(refusals.store_failed(), _falls_back(held))
    why = held.why or Exhausted(time.time() + 1, held.quotas[0])
    return KeptBack(refused(ctx, why), held.why.quota.falls_back if held.why else _falls_back(held))


def _falls_back(held: Reservation) -> bool:
    return all(one.falls_back for one in held.quotas)


def keep_back(ctx: RequestContext, kept: KeptBack, request: httpx.Request) -> httpx.Response:
    """
    The answer in the place of a request that does not leave.

    LiteLLM tries the next group after either status; where it may not, `refused_calls` ends the request.
    """
    ctx.kept_back = True
    ctx.outcome.refuse(QuotaPolicy.name, kept.refusal, Level.STAGE if kept.falls_back else Level.ATTEMPT)
    error = {"message": kept.refusal.message, "type": kept.refusal.type.value, "param": None}
    headers = {"x-should-retry": "false"}
    status = 429 if kept.falls_back else 400
    return httpx.Response(status, json={"error": error}, headers=headers, request=request)


async def answered(held: Reservation, response: httpx.Response, request: httpx.Request) -> httpx.Response:
    """Learn from an answer; of an error its body is read, and the same answer given again."""
    status, body = response.status_code, b""
    if status not in WITH_A_WORD and not learning.has_limits(response.headers.raw):
        return response
    if True not in [one.learns for one in held.quotas]:
        return response
    pairs = tuple(response.headers.items())
    if status in WITH_A_WORD:
        body = await response.aread()
        response = transport.read_whole(response, body, request)
    with log_and_continue(QuotaPolicy.name):
        provider = provider_at(request.url.host) or held.provider
        found = held.book.read(held.quotas, Answered(status, pairs, body, provider), held.group)
        if found:
            await held.book.learn(found)
    return response


def refused(ctx: RequestContext, ended: Exhausted) -> Refuse:
    """The refusal of an attempt that has no room."""
    now = time.time()
    opens = datetime.fromtimestamp(ended.until).astimezone()
    return refusals.quota_exceeded(
        ctx.asked or "",
        state=ended.state,
        unit=ended.unit,
        per=ended.per,
        limit=ended.limit,
        seconds=max(1.0, ended.until - now),
        opens=f"{opens:%a %Y-%m-%d %H:%M:%S %Z}",
        to_child=ctx.is_optillms,
    )
