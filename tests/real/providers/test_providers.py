"""What reaches an upstream is what was decided: attacks on real processes, seen from the backends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from litellm_homelab.demo.recorder import RecordedRequest
from tests.real.providers.plan import plan
from tests.real.providers.resources import Resource, resources
from tests.real.providers.resources import wrong as judged
from tests.real.providers.rig import PROVIDERS, Rig, both
from tests.real.providers.routes import ROUTES
from tests.real.providers.running import Tried, confirmed, run
from tests.real.providers.serving import SERVES, address
from tests.real.providers.target import Target

SHOWN = 60


@pytest.fixture(scope="module")
def rigs() -> Iterator[tuple[Rig, Rig]]:
    """Our gateway and a stock one on the same router, each with backends of its own."""
    with both() as running:
        yield running


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_ordinary_request_arrives(rigs: tuple[Rig, Rig], provider: str) -> None:
    """On every route that LiteLLM serves, streamed too, with one call to the deployment's own address."""
    wrong = []
    for route in SERVES[provider]:
        for stream in (False, True) if ROUTES[route].streams else (False,):
            target = Target(provider, ROUTES[route].mode, "")
            response, calls = rigs[0].ask(ROUTES[route].request(target.handle, stream=stream))
            if (response.status_code, _arrived(calls)) != (200, [("POST", address(provider, route))]):
                wrong.append(f"{route}: {response.status_code} {_arrived(calls)} {response.text[:200]}")
    assert wrong == []


def test_the_table_has_all_that_litellm_serves(rigs: tuple[Rig, Rig]) -> None:
    """Where the table says that stock LiteLLM cannot serve a provider on a route, it sends nothing."""
    sent = []
    for provider in PROVIDERS:
        for route in ROUTES.keys() - SERVES[provider].keys():
            target = Target(provider, ROUTES[route].mode, "")
            if provider == "ollama_chat":  # it has no handle in other modes than chat
                continue
            _, calls = rigs[1].ask(ROUTES[route].request(target.handle))
            sent += [f"{provider} {route}: {call.path}" for call in calls]
    assert sent == []


def test_no_attack_reaches_elsewhere(rigs: tuple[Rig, Rig]) -> None:
    """
    Each attack is refused or harmless: the backend gets its own address, key and model, or nothing.

    The client gets an ordinary answer or a refusal with a type. Stock LiteLLM is attacked in the same way;
    what it serves is printed.
    """
    attempts = plan()
    with ThreadPoolExecutor(2) as pool:
        ours, stock = pool.map(lambda rig: run(rig, attempts), rigs)
    found = confirmed(rigs[0], ours)
    _print(found, stock)
    wrong = [f"{one.attempt.id}: {one.status}: {'; '.join(one.wrong)}" for one in found if one.wrong]
    assert wrong == [], f"{len(wrong)} of {len(found)}:\n" + "\n".join(wrong[:SHOWN])


def test_no_id_leads_elsewhere(rigs: tuple[Rig, Rig]) -> None:
    """
    Files, batches, stored responses, videos, containers and search tools: a handle's own backend or none.

    An id that leads to another group, or that names none, calls nobody. How many of them lead elsewhere
    with stock LiteLLM is printed.
    """
    with ThreadPoolExecutor(2) as pool:
        wrong, stock = pool.map(_misled, rigs)
    print(f"\nby an id or a tool's name: {len(stock)} of {len(resources(''))} go wrong with stock")
    assert wrong == []


def _misled(rig: Rig) -> list[str]:
    return [line for line in map(partial(_led, rig), resources(f"{rig.trap_url}/evil")) if line]


def _led(rig: Rig, one: Resource) -> str:
    """What is wrong with what a request by an id led to; empty where nothing is."""
    response, calls = rig.ask(one.request)
    found = [wrong for call in calls if (wrong := judged(call))]
    if calls and not one.answers:
        found += [f"{call.backend} got {call.method} {call.path}" for call in calls]
    if response.status_code >= 500:
        found.append(f"{response.status_code} {response.text[:200]}")
    return f"{one.id}: {'; '.join(found)}" if found else ""


def _arrived(calls: list[RecordedRequest]) -> list[tuple[str, str]]:
    return [(call.method, call.path) for call in calls if not call.path.endswith("/api/show")]


def _print(ours: list[Tried], stock: list[Tried]) -> None:
    tried = Counter(one.attempt.attack.kind for one in ours)
    served = Counter(one.attempt.attack.kind for one in stock if one.served)
    harmed = Counter(one.attempt.attack.kind for one in stock if one.harmed)
    here = Counter(one.attempt.attack.kind for one in ours if one.harmed)
    print()
    for kind in sorted(tried):
        print(f"{kind}: served by stock {served[kind]} of {tried[kind]}, {harmed[kind]} of them reach what "
              f"they should not; with the hooks {here[kind]}")  # fmt: skip
