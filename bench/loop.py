"""A way from OptiLLM to itself: what it costs until something stops it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from bench.figure import OFF, ON, Figure, Measure
from bench.plan import Plan
from tests.real.lane.looping import looping
from tests.real.lane.relay import CAP
from tests.real.lane.rig import DEMO, Rig

SECTION: Final = "loop"
HANDLE: Final = "self"
"""Its OptiLLM asks for a model that a relay renames to the handle: no look at router.yaml can tell."""
STATUS: Final = {ON: 508, OFF: 200}
HOW: Final = (
    "the demo's OptiLLM behind `litellm --config`, its calls back led round by a relay which "
    f"ends the loop after {CAP} calls if nobody else does; so without hooks the numbers are the relay's bound"
)


@dataclass(frozen=True, slots=True)
class Round:
    """One request into the loop."""

    seconds: float
    optillm: int
    returns: int
    backends: int


def measure(plan: Plan, say: Callable[[str], None]) -> Iterator[Figure]:
    """Calls wasted and the time to the client's answer, hooks on and off."""
    rounds: dict[str, list[Round]] = {}
    for hooks, layer in ((ON, "both"), (OFF, "stock")):
        say(f"loop: hooks {hooks}")
        with looping(layer, optillm=DEMO) as lane:
            _asked(lane, hooks)  # the first request loads what is lazy
            rounds[hooks] = [_asked(lane, hooks) for _ in range(plan.loops)]
    for hooks, found in rounds.items():
        asked = {"handle": HANDLE, "approach": "none", "answer": str(STATUS[hooks])}
        counted = {
            "runs of OptiLLM": [one.optillm for one in found],
            "calls back of OptiLLM": [one.returns for one in found],
            "calls of a model": [one.backends for one in found],
        }
        for what, numbers in counted.items():
            yield Measure(SECTION, what, "calls", HOW, hooks, asked).of(numbers)
        seconds = [one.seconds * 1e3 for one in found]
        yield Measure(SECTION, "time to the client's answer", "ms", HOW, hooks, asked).of(seconds)


def _asked(lane: Rig, hooks: str) -> Round:
    lane.clear()
    began = time.perf_counter()
    answer = lane.chat(HANDLE)
    seconds = time.perf_counter() - began
    if answer.status_code != STATUS[hooks]:
        raise RuntimeError(
            f"hooks {hooks}: a loop was answered with {answer.status_code}: {answer.text[:300]}"
        )
    return Round(seconds, len(lane.optillm_calls), len(lane.returns), len(lane.backend_calls()))
