"""Sends attacks to a gateway, the providers side by side, and judges what came of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from tests.real.providers.judge import problems, reached
from tests.real.providers.plan import Try
from tests.real.providers.rig import FAR, PROVIDERS, SPARE, TRAP, Rig
from tests.real.providers.routes import ROUTES
from tests.real.providers.target import Target


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one attempt: the answer's status, and what was wrong with it in words."""

    attempt: Try
    status: int
    wrong: tuple[str, ...]
    seconds: float = 0.0

    @property
    def harmed(self) -> bool:
        """Whether something reached an upstream that should not have."""
        return reached(self.wrong)

    @property
    def served(self) -> bool:
        """Whether it was answered as if it were an ordinary request."""
        return 0 < self.status < 400


def run(rig: Rig, attempts: Iterable[Try]) -> list[Tried]:
    """All attempts, in the order of their providers; those of one provider one after the other."""
    asked = list(attempts)
    mine: Callable[[str], list[Tried]] = lambda provider: [  # noqa: E731 - one line of a pool
        tried for one in asked if one.provider == provider and (tried := attempt(rig, one)) is not None
    ]
    with ThreadPoolExecutor(len(PROVIDERS)) as pool:
        return [tried for each in pool.map(mine, PROVIDERS) for tried in each]


def confirmed(rig: Rig, found: Iterable[Tried]) -> list[Tried]:
    """What is wrong is tried once more alone, so that no other attempt's call is put to its account."""
    again = [attempt(rig, one.attempt, alone=True) if one.wrong else one for one in found]
    return [one for one in again if one is not None]


def attempt(rig: Rig, one: Try, *, alone: bool = False) -> Tried | None:
    """Send one; None where the attack does not fit the request."""
    target = Target(one.provider, ROUTES[one.route].mode, f"{rig.trap_url}/{one.provider}")
    request = one.attack.change(ROUTES[one.route].request(target.handle, stream=one.stream), target)
    if request is None:
        return None
    places = () if alone else (one.provider, FAR, SPARE, TRAP)
    begun = time.monotonic()
    try:
        response, calls = rig.ask(request, *places)
    except httpx.HTTPError as error:
        return Tried(one, 0, (f"answer: {type(error).__name__} {error}",))
    if not alone:
        # At places that all share, a call of another provider's attempt is not this one's.
        calls = [call for call in calls if call.backend == one.provider or f"/{one.provider}" in call.path
                 or call.method == "CONNECT"]  # fmt: skip
    wrong = tuple(problems(one.attack, target, one.route, response, calls))
    return Tried(one, response.status_code, wrong, time.monotonic() - begun)
