"""What experiments rest on: answers that repeat, and answers that differ."""

from __future__ import annotations

import pytest

from litellm_homelab.probe.ground import ProbeGround, Seen, all_differ, are_same, ground_of
from litellm_homelab.probe.reading import ProbeAnswer

SEA, TIDE, REEF = "the sea is wide", "the tide is high", "a reef is near"


def answers(*texts: str) -> tuple[ProbeAnswer, ...]:
    """Of a chat."""
    return tuple(ProbeAnswer(is_ok=True, texts=(one,), content=one) for one in texts)


@pytest.mark.parametrize(
    ("texts", "same", "differ"),
    [
        ([SEA, SEA, SEA], True, False),
        ([SEA, TIDE, REEF], False, True),
        ([SEA, TIDE, TIDE], False, False),
        ([SEA, TIDE, "a"], False, True),
        ([SEA, "b", "a"], False, False),
        (["a", "a", "a"], False, False),
        (["", "", ""], False, False),
        ([SEA], False, False),
        ([], False, False),
    ],
)
def test_the_same_and_different(texts: list[str], same: bool, differ: bool) -> None:
    """Short texts prove nothing; one of those that differ may have ended early."""
    assert (are_same(texts), all_differ(texts)) == (same, differ)


@pytest.mark.parametrize(
    ("seen", "steady", "random"),
    [
        pytest.param({"cool": answers(SEA, SEA), "hot": answers(SEA, TIDE)}, 0, 1.9, id="as it should be"),
        pytest.param({"plain": answers(SEA, SEA), "hot": answers(SEA, SEA)}, None, ..., id="never differs"),
        pytest.param(
            {"plain": answers(SEA, TIDE), "cool": answers(SEA, TIDE)}, ..., None, id="always differs"
        ),
        pytest.param(
            {"cool": answers(SEA, SEA), "nonsense": answers(TIDE, TIDE)},
            ...,
            ...,
            id="not for its temperature",
        ),
        pytest.param(
            {"cool": answers(SEA, SEA), "nonsense": (ProbeAnswer(),)}, 0, ..., id="nonsense is refused"
        ),
        pytest.param({"cool": (*answers(SEA), ProbeAnswer())}, ..., ..., id="one is no answer"),
        pytest.param({"hotter": (), "hot": answers(SEA, TIDE)}, ..., 1.0, id="a lower temperature"),
        pytest.param({}, ..., ..., id="nothing"),
    ],
)
def test_the_ground(seen: Seen, steady: object, random: object) -> None:
    """Which temperature, None for none set, and `...` where there is none to be had."""
    found = ground_of(seen)
    assert _temperature(found.steady) == steady
    assert _temperature(found.random) == random
    assert bool(found.why_not_steady) == (steady is ...)


def _temperature(fields: object) -> object:
    return fields.get("temperature") if isinstance(fields, dict) else ...


def test_how_long_an_ordinary_answer_is() -> None:
    """Of those that differ the shortest does not count."""
    assert ProbeGround(steady={}, steady_text=SEA, samples=("a",)).usual_length == len(SEA)
    assert ProbeGround(samples=(SEA, TIDE, "a")).usual_length == len(SEA)
    assert ProbeGround(samples=(SEA,)).usual_length == 0
