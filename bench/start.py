"""Start-up time: how much longer a gateway takes with the hooks than without."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from bench import router
from bench.figure import NEITHER, OFF, ON, Aim, Figure, Measure, differences, turns
from bench.plan import Plan
from bench.processes import POLL_SECONDS, free_port, gateway, wait

SECTION: Final = "start"
LONGER: Final = Aim(0.3)
"""Seconds."""
UPSTREAM: Final = "http://127.0.0.1:9"
"""Nobody listens there, and nothing asks at the start."""
HOW: Final = (
    "from the start of `litellm --config` to the first 200 of /health/liveliness, asked every "
    f"{POLL_SECONDS * 1000:.0f} ms; on and off in turn"
)


def measure(plan: Plan, say: Callable[[str], None]) -> Iterator[Figure]:
    """Seconds to the first answer, on and off, and the difference of each pair."""
    seconds: dict[str, list[float]] = {ON: [], OFF: []}
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        files = {
            hooks: router.written(
                Path(name), router.document(plan.few, UPSTREAM, hooks=hooks == ON), f"hooks-{hooks}"
            )
            for hooks in seconds
        }
        if plan.starts > 1:
            _started(files[ON])  # the first one reads from disk, and compiles what was never imported
        for number, order in enumerate(turns([*seconds], plan.starts), 1):
            say(f"start: pair {number} of {plan.starts}")
            for hooks in order:
                seconds[hooks].append(_started(files[hooks]))
    asked = {"handles": str(plan.few)}
    for hooks, rounds in seconds.items():
        yield Measure(SECTION, "start-up", "s", HOW, hooks, asked).of(rounds)
    longer = differences(seconds[ON], seconds[OFF])
    yield Measure(SECTION, "start-up, on less off, by pair", "s", HOW, NEITHER, asked, LONGER).of(longer)


def _started(config: Path) -> float:
    port = free_port()
    began = time.perf_counter()
    with gateway(config, port) as child:
        wait(child, port)
        return time.perf_counter() - began
