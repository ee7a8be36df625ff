"""
Fuzzers: many small hostile inputs for every parser, the same ones in every run.

`mutations` makes the inputs. Laws that need shrinking are hypothesis properties; the bulk is made here, since
hypothesis needs about a millisecond for an input and this a few microseconds.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any

SPLICES: tuple[str, ...] = (
    *(
        "",
        " ",
        "\n",
        "\t",
        "\r\n",
        "\0",
        "\ufeff",
        "\u2028",
        "\ud800",
        "\U0001f600",
        "\u202e",
        "\\",
        '"',
        "'",
    ),
    *("[", "]", "{", "}", "(", ")", ":", ": ", ",", "&a ", "*a", "<<: *a", "- ", "? ", "|", ">", "#", "%"),
    *(
        "!!int ",
        "!!bool x",
        "!!timestamp x",
        "!!binary x",
        "!!set ",
        "!!python/name:os.system",
        "---\n",
        "...\n",
    ),
    *("~", "null", "true", "NaN", "1e999", "-0", "9" * 40, "0x", "0b2", "1_0", ".inf", "2001-13-41"),
    *("data:", "data: ", "event: ", "\n\n", "[DONE]", "id:", "/", "//", "://", "..", "@", "%00", "%2f", "="),
    *("?", "os.environ/", "os.environ/X", "${X}", "<optillm_approach>", "&", "~~", ";", "resp_", "file-"),
    "encitem_",
)
"""Pieces that a mutation puts into an input: what parsers look for, and what they forget."""
LONGEST = 4096
"""Characters of the longest input; longer ones are cut, so that a run's time stays predictable."""


def mutations(seeds: Sequence[str], count: int, *, seed: int = 0) -> Iterator[str]:
    """
    Yield `count` texts, each a seed with one to four small changes; the same ones for the same arguments.

    A change cuts, repeats, moves or swaps a piece, puts in one of `SPLICES`, or a piece of another seed.
    """
    chance = random.Random(seed)
    for number in range(count):
        text = seeds[number % len(seeds)]
        for _ in range(chance.randint(1, 4)):
            text = _changed(text, chance, seeds)
        yield text[:LONGEST]


def _changed(text: str, chance: random.Random, seeds: Sequence[str]) -> str:
    start = chance.randint(0, len(text))
    end = min(len(text), start + chance.choice((0, 1, 1, 2, 4, 16, 64)))
    piece = text[start:end]
    kind = chance.randrange(6)
    if kind == 0:
        return text[:start] + text[end:]
    if kind == 1:
        return text[:start] + piece * chance.choice((2, 2, 3, 40)) + text[end:]
    if kind == 2:
        rest = text[:start] + text[end:]
        there = chance.randint(0, len(rest))
        return rest[:there] + piece + rest[there:]
    if kind == 3:
        other = chance.choice(seeds)
        begin = chance.randint(0, len(other))
        return text[:start] + other[begin : begin + chance.choice((1, 8, 64))] + text[end:]
    if kind == 4:
        return text[:start] + "".join(chance.choice(text or " ") for _ in piece or " ") + text[end:]
    return text[:start] + chance.choice(SPLICES) + text[end:]


class OutOfSteps(AssertionError):
    """The work took more steps than its input allows."""


def steps(work: Callable[[], object], limit: int = sys.maxsize) -> int:
    """
    Run `work` and return how many lines of Python it ran: a measure that no busy machine changes.

    Raises OutOfSteps once there are more than `limit`, so that quadratic work ends soon. What runs in C is
    one step: give the parser's pure Python form, or count its calls.
    """
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        if event == "line":
            count += 1
            if count > limit:
                raise OutOfSteps(f"more than {limit} steps")
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
