"""What the map marks."""

from __future__ import annotations

import pytest

from litellm_homelab.drawing.marking import EdgeMark
from tests.drawing import lab


def marks(*changes: tuple[str, str]) -> dict[tuple[str, str, str], EdgeMark]:
    """What is marked: by the names at both ends, and the kind of the arrow."""
    drawn = lab.drawn(*changes)
    return {
        (drawn.boxes[one.source].name, one.kind, drawn.boxes[one.target].name): mark
        for one, mark in drawn.marks.items()
    }


OPTILLM = "http://loopback:8100"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        pytest.param([], {}, id="nothing"),
        pytest.param(
            [lab.LOOP],
            {("boost", "served_by", OPTILLM): EdgeMark.LOOP, (OPTILLM, "calls_back", "boost"): EdgeMark.LOOP},
            id="OptiLLM calls its own handle",
        ),
        pytest.param(
            [lab.LONG_LOOP],
            {
                ("base", "falls_back", "spare"): EdgeMark.LOOP,
                ("spare", "falls_back", "boost"): EdgeMark.LOOP,
                ("boost", "served_by", OPTILLM): EdgeMark.LOOP,
                (OPTILLM, "calls_back", "base"): EdgeMark.LOOP,
            },
            id="by the end of a chain",
        ),
        pytest.param(
            [lab.OWN_ADDRESS],
            {
                ("main", "falls_back", "spare"): EdgeMark.LOOP,
                ("spare", "served_by", "this gateway"): EdgeMark.LOOP,
                ("this gateway", "calls_back", "main"): EdgeMark.LOOP,
            },
            id="by the gateway's own address",
        ),
        pytest.param(
            [("fallbacks: [", "context_window_fallbacks: [{base: [boost]}]\n  fallbacks: [")],
            {
                ("base", "falls_back", "boost"): EdgeMark.LOOP,
                ("boost", "served_by", OPTILLM): EdgeMark.LOOP,
                (OPTILLM, "calls_back", "base"): EdgeMark.LOOP,
            },
            id="by another list of fallbacks",
        ),
        pytest.param(
            [("[{main: [spare]}]", "[{main: [base]}, {base: [main]}]")],
            {},
            id="fallbacks that go round are bounded",
        ),
        pytest.param(
            [("[{main: [spare]}]", "[{main: [spare, archive]}]")],
            {("spare", "falls_back", "archive"): EdgeMark.BACKROOM},
            id="a chain into the backroom",
        ),
        pytest.param(
            [("openai/base, api_base: 'http://127", "openai/archive, api_base: 'http://127")],
            {(OPTILLM, "calls_back", "archive"): EdgeMark.BACKROOM},
            id="OptiLLM into the backroom",
        ),
        pytest.param(
            [
                (
                    "model: openai/main, api_base: 'http://gpu",
                    "silent_model: archive, model: openai/main, api_base: 'http://gpu",
                )
            ],
            {("main", "falls_back", "archive"): EdgeMark.BACKROOM},
            id="a deployment's parameter into the backroom",
        ),
        pytest.param(
            [("[main, boost]}\n    back", "[main, archive]}\n    back")],
            {("chat", "uses", "archive"): EdgeMark.BACKROOM},
            id="a caller into the backroom",
        ),
        pytest.param(
            [("[{main: [spare]}]", "[{main: [sparr]}]")],
            {("main", "falls_back", "sparr"): EdgeMark.MISSING},
            id="a name that does not exist",
        ),
        pytest.param(
            [("[{main: [spare]}]", "[{main: [exact]}]")],
            {("main", "falls_back", "exact"): EdgeMark.HIDDEN},
            id="a chain into a canonical name",
        ),
        pytest.param(
            [("[main, boost]}\n    back", "[main, exact]}\n    back")],
            {},
            id="a caller may use a hidden name",
        ),
    ],
)
def test_what_is_marked(changes: list[tuple[str, str]], found: dict[tuple[str, str, str], EdgeMark]) -> None:
    """Every arrow of a way round, and arrows into names that no client may call; nothing else."""
    assert marks(*changes) == found


def test_two_handles_on_one_optillm_are_no_loop() -> None:
    """One calls the other back: a request goes through OptiLLM twice and ends."""
    entry = "litellm_params: {model: openai/boost, api_base: 'http://127.0.0.1:8100/v1'}"
    again = ("  - model_name: base\n", f"  - model_name: exact\n    {entry}\n  - model_name: base\n")
    assert EdgeMark.LOOP not in marks(again).values()


def test_a_loop_is_one_sentence() -> None:
    """However many arrows it has; the others are a sentence each."""
    drawn = lab.drawn(lab.LOOP, ("[{main: [spare]}]", "[{main: [spare, archive]}]"))
    assert [*drawn.sentences()] == [
        (EdgeMark.LOOP, "boost -> OptiLLM -> boost"),
        (EdgeMark.BACKROOM, "spare falls back to archive: in none of the showroom's lists"),
    ]


def test_a_box_says_its_place_and_its_server() -> None:
    """A handle and a server of which nothing is known are their names."""
    drawn = lab.drawn()
    labels = {drawn.label(one) for one in drawn.map.nodes}
    assert {"main", "exact (hidden)", "base (internal)", "gpu (vllm)", f"{OPTILLM} (optillm)"} <= labels
