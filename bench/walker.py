"""
A LiteLLM in a process of its own that makes requests to itself when it is told to, and times our hooks.

    python -m bench.walker router.yaml [--taps] [--settings other.yaml]

It says `ready`; then for each line `{"handle": ..., "size": ..., "requests": ..., "replays": ...}` on stdin
it makes the requests, one after another, or replays the hooks of one, and prints a line with the seconds.
With `--settings` our hooks are built from another file than LiteLLM's own router, which takes two minutes to
start on 10,000 handles.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TextIO

from bench import replay, taps
from bench.prompt import chat
from bench.replay import Replay
from bench.router import LANE, MASTER_KEY
from bench.taps import Walk

SETTLING: Final = 0.05
"""Seconds after a batch in which LiteLLM's logging, which runs our last hooks, catches up."""


async def serve(config: Path, settings: Path | None, *, tapped: bool, asked: TextIO, said: TextIO) -> None:
    """Run LiteLLM on `config` and answer each line of `asked` with one of `said`, until there are no more."""
    from litellm_homelab.testing import MockProxy

    if settings is not None:
        _use(settings)
    async with MockProxy(config, {"LITELLM_MASTER_KEY": MASTER_KEY}) as proxy:
        tapping = taps.tap_hooks() if tapped else None
        print("ready", file=said, flush=True)
        while line := await asyncio.to_thread(asked.readline):
            order = json.loads(line)
            replays = order.pop("replays")
            steps = await (_replayed(proxy, tapping, replays, **order) if replays else _batch(proxy, **order))
            print(json.dumps(steps), file=said, flush=True)


def _use(file: Path) -> None:
    """Let our hooks read `file`, whatever LiteLLM was started with."""
    from litellm_homelab.adapter import startup
    from litellm_homelab.config import loading

    startup.settings = functools.cache(lambda: loading.load(file, known=startup.known()))


async def _batch(proxy: Any, handle: str, size: int, requests: int) -> list[Walk]:  # noqa: ANN401 - untyped
    body = _body(handle, size)
    walks = [await _walked(proxy, body) for _ in range(requests)]
    await asyncio.sleep(SETTLING)
    # What the stand-ins have kept of this batch is not the next one's to search.
    proxy.upstream(handle).recorder.clear()
    return walks


async def _replayed(
    proxy: Any,  # noqa: ANN401 - untyped
    tapping: tuple[Any, Any] | None,
    replays: int,
    handle: str,
    size: int,
    requests: int,
) -> list[Walk]:
    """One request, so that it can be replayed; its own steps are not told."""
    if tapping is None or requests:
        raise ValueError("hooks are replayed where there are some, and by themselves")
    body = _body(handle, size)
    with replay.keeping() as kept:
        await _walked(proxy, body)
    await asyncio.sleep(SETTLING)
    again = Replay(*tapping, kept, json.dumps(body).encode())
    walks = []
    for _ in range(replays):
        with taps.walk() as steps:
            seconds = await again.run()
        walks.append({taps.DIRECTLY: seconds - steps.get(taps.COUNT, 0.0)})
    return walks


def _body(handle: str, size: int) -> dict[str, Any]:
    return chat(handle, size, **({"optillm_approach": "moa"} if handle == LANE else {}))


async def _walked(proxy: Any, body: dict[str, Any]) -> Walk:  # noqa: ANN401 - untyped
    with taps.walk() as steps:
        answer = await proxy.post("/v1/chat/completions", body)
    if answer.status != 200:
        raise RuntimeError(f"{body['model']} answered {answer.status}: {answer.text[:300]}")
    return steps


@contextlib.contextmanager
def _own_output() -> Iterator[TextIO]:
    """The real standard output, while what LiteLLM prints goes to standard error."""
    said = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    with said:
        yield said


def main() -> None:
    """Serve the file that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m bench.walker")
    parser.add_argument("config", type=Path)
    parser.add_argument("--settings", type=Path)
    parser.add_argument("--taps", action="store_true")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with _own_output() as said:
        work = serve(arguments.config, arguments.settings, tapped=arguments.taps, asked=sys.stdin, said=said)
        asyncio.run(work)


if __name__ == "__main__":
    main()
