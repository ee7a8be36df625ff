"""How a request ends: which of several refusals counts, and that it is what left."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from litellm_homelab.adapter import context
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.outcome import Level, Outcome, Told
from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.optillm.child_failures import ChildFailure
from litellm_homelab.testing import MockProxy
from tests import naming
from tests.corpus import generated, replay
from tests.corpus.case import Case, load

STAGE = Refuse(RefusalType.PARAM_NOT_ALLOWED, "A field.", "x")
ATTEMPT = Refuse(RefusalType.MODEL_NOT_FOUND, "A name.", "model")
ROOT = Refuse(RefusalType.LOOP_DETECTED, "A loop.", "model")
FAILED = ChildFailure(429, "Too busy.", "7")
OURS = frozenset(one.value for one in RefusalType) - {"invalid_request_error"}
"""Types of errors that are ours alone; LiteLLM has a 400 of the other one, too."""


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([], None),
        ([Level.STAGE], STAGE),
        ([Level.STAGE, Level.ATTEMPT], ATTEMPT),
        ([Level.ATTEMPT, Level.STAGE], ATTEMPT),
        ([Level.ROOT, Level.ATTEMPT, Level.STAGE], ROOT),
        ([Level.ATTEMPT, Level.ROOT], ROOT),
    ],
    ids=lambda one: " ".join(level.name for level in one) or "nothing" if isinstance(one, list) else "",
)
def test_what_ends_more_counts_before_what_ends_less(levels: list[Level], expected: Refuse | None) -> None:
    """In whichever order they came."""
    outcome, said = Outcome(), {Level.STAGE: STAGE, Level.ATTEMPT: ATTEMPT, Level.ROOT: ROOT}
    for level in levels:
        outcome.refuse("showroom", said[level], level)
    error = outcome.for_client()
    assert (error.message if error else None) == (expected.message if expected else None)
    assert [refusal for _, refusal in outcome.refusals] == [said[level] for level in levels]


def test_an_answer_is_no_refusal_unless_the_root_is_refused() -> None:
    """A fallback that answered after a refused attempt is an answer; OptiLLM's after a loop is none."""
    outcome = Outcome()
    outcome.refuse("showroom", ATTEMPT, Level.ATTEMPT)
    outcome.answered()
    assert outcome.for_client() is None
    outcome.refuse("loop_guard", ROOT, Level.ROOT)
    error = outcome.for_client()
    assert error is not None
    assert (error.status, error.type) == (508, "loop_detected")


def test_a_backends_word_counts_after_our_refusals() -> None:
    """Alone it is the client's; an upstream's own error is shown by LiteLLM."""
    outcome = Outcome()
    outcome.upstream_said(Told(500, "broken"))
    assert outcome.for_client() is None
    outcome.backend_failed(FAILED)
    error = outcome.for_client()
    assert error is not None
    assert (error.status, error.headers["retry-after"]) == (429, "7")
    outcome.refuse("showroom", ATTEMPT, Level.ATTEMPT)
    assert (outcome.for_client() or error).status == 404


def test_the_first_rule_to_raise_a_refusal_is_its_rule() -> None:
    """However many stages meet it on its way out."""
    outcome = Outcome()
    outcome.refuse("approach", STAGE)
    outcome.refuse("loop_guard", STAGE)
    assert (outcome.rule_of(STAGE), outcome.rule_of(ROOT)) == ("approach", None)
    assert (outcome.is_own("A field."), outcome.is_own("A name.")) == (True, False)


# --- what left ---------------------------------------------------------------------------------------


@contextmanager
def contexts() -> Iterator[list[RequestContext]]:
    """The contexts of the requests in the block, in order."""
    kept: list[RequestContext] = []
    module: Any = context
    opened = module.request

    @contextmanager
    def keeping(path: str) -> Iterator[RequestContext]:
        with opened(path) as made:
            kept.append(made)
            yield made

    module.request = keeping
    try:
        yield kept
    finally:
        module.request = opened


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """LiteLLM writes a traceback for each refusal."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def left(status: int, text: str) -> dict[str, Any] | None:
    """The error that left; None for an answer, and for what is no error object."""
    body = json.loads(text) if status >= 400 and text.startswith("{") else {}
    error = body.get("error")
    return error if isinstance(error, dict) else None


async def test_the_outcome_is_what_left_on_every_route_of_the_naming_table() -> None:
    """Names that lead somewhere and names that do not; streamed where the route streams."""
    wrong: list[str] = []
    async with MockProxy(naming.ROUTER) as proxy:
        for case in naming.cases():
            for body in bodies(case.body):
                with contexts() as kept:
                    answer = await proxy.request(case.method, case.path, json=body, headers=case.headers)
                wrong += differing(case.id, answer.status, answer.text, kept)
    assert wrong == []


async def test_the_outcome_is_what_left_for_the_hostile_corpus() -> None:
    """Every bypass, written and generated, whichever rule it meets; streamed too where it asks a model."""
    corpus, wrong = [*load(), *generated.cases()], list[str]()
    corpus += [one for case in corpus if (one := streamed(case)) is not None]
    async with MockProxy(replay.ROUTER) as proxy:
        for case in corpus:
            with contexts() as kept:
                outcome = await replay.ask(proxy, case, replay.KEYS)
            wrong += differing(case.id, outcome.status, outcome.text, kept)
    assert len(corpus) > 900
    assert wrong == []


def bodies(body: object) -> Iterator[object]:
    """The body, and the body with `stream`."""
    yield body
    if isinstance(body, dict) and not {"messages", "input", "prompt"}.isdisjoint(body):
        yield {**body, "stream": True}


def streamed(case: Case) -> Case | None:
    """The same case with `stream`; None where its body is no JSON object that asks a model, or has it."""
    try:
        body = json.loads(case.content or b"")
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or {"messages", "input", "prompt"}.isdisjoint(body) or "stream" in body:
        return None
    return replace(case, id=f"{case.id} streamed", content=json.dumps({**body, "stream": True}).encode())


def differing(name: str, status: int, text: str, kept: list[RequestContext]) -> Iterator[str]:
    """A line where what left is not what the outcome says; without one, no refusal of ours."""
    for ctx in kept:
        said, seen = ctx.outcome.for_client(), left(status, text)
        if said is None and seen is not None and seen.get("type") in OURS:
            yield f"{name}: left {status} {text[:200]}; the outcome says nothing"
        if said is not None and (seen is None or (said.status, said.message) != (status, seen["message"])):
            yield f"{name}: left {status} {text[:200]}; the outcome says {said}"
