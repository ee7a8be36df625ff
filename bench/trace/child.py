"""
Counts requests over MockProxy in a process of its own.

    python -m bench.trace.child ROUTER_YAML OUTPUT_JSON ROUNDS KIND...

Every round makes one request of each kind. The process must be fresh, so that every thread is traced, and
its PYTHONHASHSEED fixed, so that dictionaries and sets behave alike in every run.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import bench
import litellm_homelab
from bench.trace.count import Count, Counter, Package
from bench.trace.kinds import KINDS, Kind

PACKAGE: Final = Path(litellm_homelab.__file__).parent
OURS: Final = Package(PACKAGE, stand_ins=(PACKAGE / "demo", PACKAGE / "testing", Path(bench.__file__).parent))
WARM_UP: Final = 8
"""Rounds before the first that counts: CPython specialises a function after its eighth call."""
POLL_SECONDS: Final = 0.1
QUIET: Final = 3
"""Polls in a row without an opcode of ours, after which a request has ended completely."""
LONGEST: Final = 100
"""Polls after which the request does not end."""


async def counted(router: Path, rounds: int, names: list[str]) -> dict[str, list[Count]]:
    """
    Count requests of these kinds, one after another.

    Raises:
        RuntimeError: a request was not answered as its kind should be, or its work does not end.

    """
    counter = Counter(OURS)
    from litellm_homelab.testing import MockProxy  # after the counter: importing it may start threads

    counts: dict[str, list[Count]] = {name: [] for name in names}
    async with MockProxy(router) as proxy:
        for number in range(WARM_UP + rounds):
            for name in names:
                if number < WARM_UP:
                    await _ask(proxy, KINDS[name])
                else:
                    counts[name].append(await _count(counter, proxy, KINDS[name]))
    counter.close()
    return counts


async def _count(counter: Counter, proxy: Any, kind: Kind) -> Count:  # noqa: ANN401 - a MockProxy
    await _quiet(counter)
    with counter.counting():
        await _ask(proxy, kind)
        await _quiet(counter)
    proxy.upstream(KINDS["plain"].model).recorder.clear()  # what it keeps is searched by the next request
    return counter.count()


async def _ask(proxy: Any, kind: Kind) -> None:  # noqa: ANN401 - a MockProxy
    if kind.fails is not None:
        proxy.upstream(kind.fails).fails(500, times=1)
    answer = await proxy.chat(kind.model, **kind.fields)
    attempts = len(answer.sent_to)
    expected = 0 if kind.status >= 400 else 1 + (kind.fails is not None)
    if (answer.status, attempts) != (kind.status, expected):
        raise RuntimeError(
            f"{kind.title}: answered {answer.status} after {attempts} attempts,"
            f" expected {kind.status} after {expected}: {answer.text[:300]}"
        )


async def _quiet(counter: Counter) -> None:
    """Wait until nothing of ours runs: LiteLLM's logging hooks run in tasks and threads of their own."""
    before, quiet = counter.ours(), 0
    for _ in range(LONGEST):
        await asyncio.sleep(POLL_SECONDS)
        now = counter.ours()
        before, quiet = now, quiet + 1 if now == before else 0
        if quiet == QUIET:
            return
    raise RuntimeError(f"code of ours still runs {LONGEST * POLL_SECONDS:.0f} s after a request")


def main() -> None:
    """Count, and write what was counted as JSON."""
    router, output, rounds, *names = sys.argv[1:]
    logging.disable(logging.CRITICAL)
    counts = asyncio.run(counted(Path(router), int(rounds), names))
    document = {name: [asdict(one) for one in found] for name, found in counts.items()}
    Path(output).write_text(json.dumps(document), encoding="utf-8")


if __name__ == "__main__":
    main()
