"""The corpus: every bypass is refused with our hooks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from litellm_homelab.testing import MockProxy
from tests.corpus import generated, replay
from tests.corpus.case import FOLDER, KINDS, Case, Outcome, by_kind, got_through, load, problem

WRITTEN = load()
MADE = generated.cases()
IN_THE_LOOP = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[MockProxy]:
    """One mocked proxy for the whole corpus."""
    async with MockProxy(replay.ROUTER) as running:
        yield running


@IN_THE_LOOP
@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in (*WRITTEN, *MADE)])
async def test_the_gateway_holds(proxy: MockProxy, case: Case) -> None:
    """The bypass is answered as its file says, and no backend is called that should not be."""
    outcome = await replay.ask(proxy, case, replay.KEYS)
    assert problem(case, outcome) == "", outcome.text[:500]
    assert not got_through(case, outcome)


def test_the_corpus_is_large_enough() -> None:
    """At least 120 cases written by hand, each file with source and kind; generated ones apart."""
    assert len(WRITTEN) >= 120
    assert len({case.id for case in (*WRITTEN, *MADE)}) == len(WRITTEN) + len(MADE)
    assert all(case.seen and case.tried for case in WRITTEN)
    assert {case.kind for case in (*WRITTEN, *MADE)} <= set(KINDS)
    assert len(list(FOLDER.glob("*.yaml"))) >= 40


@pytest.mark.parametrize(
    ("outcome", "wrong", "through"),
    [
        pytest.param(Outcome(404, "model_not_found", ()), "", False, id="refused"),
        pytest.param(Outcome(401, "other", ()), "status 401, not 404", False, id="refused otherwise"),
        pytest.param(Outcome(404, "no such thing", ()), "no model_not_found in the answer", False, id="type"),
        pytest.param(Outcome(404, "model_not_found", ("back",)), "reached back", True, id="backend called"),
        pytest.param(Outcome(200, "hello", None), "status 200, not 404", True, id="served"),
        pytest.param(
            Outcome(404, "model_not_found secret"), "the answer names secret", True, id="name leaked"
        ),
    ],
)
def test_the_runner_tells_what_got_through(outcome: Outcome, wrong: str, through: bool) -> None:
    """A judge that cannot find anything would make every gateway look safe."""
    case = Case("x", "t", "s", "client", "POST", "/", (404,), "model_not_found", absent=("secret",))
    assert problem(case, outcome) == wrong
    assert got_through(case, outcome) is through


def test_kinds_are_counted() -> None:
    """For each kind the number that got through and the number tried."""
    cases = [
        Case(str(number), "t", "s", "client", "POST", "/", (404,), kind=kind)
        for number, kind in enumerate(("reading", "answer", "reading"))
    ]
    assert by_kind(cases, {"2"}) == {"answer": (0, 1), "reading": (1, 2)}
