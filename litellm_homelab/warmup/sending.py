"""Sends the requests of a plan until each is answered, refused, or the time is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx

from litellm_homelab.probe.asking import Asker, BudgetSpent, ProbeBudget, ProbeReply
from litellm_homelab.probe.reading import answer_of, parsed
from litellm_homelab.probe.target import ProbeTarget
from litellm_homelab.warmup.planning import APPROACH, WarmupStep

AGAIN: Final = frozenset({0, 408, 425, 429, 500, 502, 503, 504})
"""What may pass: no answer, and the statuses for which curl's `--retry` repeats (curl's manual)."""
PAUSE: Final = 2.0
"""Seconds between two rounds."""
WHATEVER: Final = 1_000_000
NO_ROUTER: Final = "this OptiLLM has no approach router; it needs torch and transformers<5 beside it"
"""An approach that is not there is handed on as a field, which its own client refuses (0.4.0, 0.3.12)."""
HINTS: Final = {
    401: "the key is wrong; name its variable with --key-env",
    403: "this key may not use it",
    404: "this name is not known there, or not with this key",
}


@dataclass(frozen=True, slots=True)
class WarmupResult:
    """What came of one request; without `why` it was answered."""

    step: WarmupStep
    seconds: float
    why: str = ""


class Warmer:
    """Sends requests to several servers within one time; `sleep` and `transport` are for tests."""

    def __init__(
        self,
        seconds: float,
        progress: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._budget = ProbeBudget(WHATEVER, seconds, seconds)
        self._progress = progress
        self._sleep = sleep
        self._transport = transport
        self._askers: dict[ProbeTarget, Asker] = {}

    def close(self) -> None:
        """End all connections."""
        for one in self._askers.values():
            one.close()

    def listed(self, where: ProbeTarget) -> list[str]:
        """
        The models that a server lists, once it answers; empty where it does not, or lists none.

        Raises:
            BudgetSpent: it did not answer in time.

        """
        while True:
            reply = self._asker(where).get("/v1/models")
            if reply.status not in AGAIN:
                return _models(reply)
            self._progress(f"waiting for {where.root}: {_why(reply)}")
            self._pause()

    def send(self, steps: tuple[WarmupStep, ...]) -> Iterator[WarmupResult]:
        """Each request once in every round until it is answered or refused; those that wait are last."""
        waiting = dict.fromkeys(steps, "not tried: the time is over")
        try:
            while waiting:
                for one in list(waiting):
                    result, is_over = self._once(one)
                    if is_over:
                        del waiting[one]
                        yield result
                    else:
                        self._progress(f"waiting for {one.name}: {result.why}")
                        waiting[one] = result.why
                if waiting:
                    self._pause()
        except BudgetSpent:
            for one, why in waiting.items():
                yield WarmupResult(one, 0.0, why)

    def _once(self, one: WarmupStep) -> tuple[WarmupResult, bool]:
        """What came of one request, and whether that is final."""
        self._progress(one.name)
        begun = time.monotonic()
        reply = self._asker(one.where).post(one.path, one.body)
        result = WarmupResult(one, time.monotonic() - begun)
        if _is_served(one, reply):
            return result, True
        why = _why(reply)
        if APPROACH in why:
            return replace(result, why=f"{NO_ROUTER} ({why})"), True
        hint = HINTS.get(reply.status)
        return replace(result, why=why + (f"; {hint}" if hint else "")), reply.status not in AGAIN

    def _asker(self, where: ProbeTarget) -> Asker:
        if where not in self._askers:
            self._askers[where] = Asker(where, self._budget, self._transport)
        return self._askers[where]

    def _pause(self) -> None:
        if self._budget.left() <= PAUSE:
            raise BudgetSpent
        self._sleep(PAUSE)


def _is_served(one: WarmupStep, reply: ProbeReply) -> bool:
    document = parsed(reply.body)
    if one.path != "/v1/chat/completions":
        rows = (document.get("data") or document.get("choices")) if isinstance(document, dict) else None
        return reply.status == httpx.codes.OK and isinstance(rows, list) and bool(rows)
    return answer_of(reply).is_ok


def _why(reply: ProbeReply) -> str:
    return reply.problem or answer_of(reply).error or f"{reply.status} with another answer than is due"


def _models(reply: ProbeReply) -> list[str]:
    document: Any = parsed(reply.body)
    rows = document.get("data") if isinstance(document, dict) else None
    found = rows if isinstance(rows, list) else []
    return [str(one["id"]) for one in found if isinstance(one, dict) and isinstance(one.get("id"), str)]
