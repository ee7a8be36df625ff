"""Which attack is tried on which provider, route and way of answering."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from tests.real.providers.attacks import PLACES, Attack, attacks
from tests.real.providers.rig import PROVIDERS
from tests.real.providers.routes import ROUTES
from tests.real.providers.serving import SERVES

EVERYTHING = os.environ.get("ATTACKS") == "all"
"""`ATTACKS=all` tries each attack on each provider, route and way of answering: 215,000 requests."""


@dataclass(frozen=True, slots=True)
class Try:
    """One attack on one handle."""

    attack: Attack
    provider: str
    route: str
    stream: bool

    @property
    def id(self) -> str:
        """What it is, for a person."""
        return f"{self.attack.id} @ {self.provider} {self.route}{' streamed' if self.stream else ''}"


def plan(*, everything: bool = EVERYTHING) -> list[Try]:
    """
    All attempts, in an order that is always the same.

    A core attack meets every provider, on one route after the other; any other attack one provider;
    `everything` is the whole product.
    """
    made = _whole() if everything else _covering()
    return list(dict.fromkeys(made))


def _whole() -> Iterator[Try]:
    for attack in attacks():
        for provider in PROVIDERS:
            for route in SERVES[provider]:
                for stream in (False, True) if ROUTES[route].streams else (False,):
                    yield Try(attack, provider, route, stream)


def _covering() -> Iterator[Try]:
    others = 0
    for number, attack in enumerate(attacks()):
        if attack.core:
            chosen = [(provider, number + place) for place, provider in enumerate(PROVIDERS)]
        else:
            others += 1
            chosen = (
                [(PROVIDERS[others % len(PROVIDERS)], others // len(PROVIDERS))]
                if _sampled(attack, others)
                else []
            )
        for provider, turn in chosen:
            served = list(SERVES[provider])
            route = served[turn % len(served)]
            yield Try(attack, provider, route, ROUTES[route].streams and bool(turn // len(served) % 2))


def _sampled(attack: Attack, number: int) -> bool:
    """Every third field in the less likely places, and everything else."""
    _, _, place = attack.id.rpartition(" in ")
    return place in {"body", "extra_body"} or place not in PLACES or number % 3 == 0
