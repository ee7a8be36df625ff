"""
The command `python -m bench trace`.

    python -m bench trace [--json | --markdown] [--rounds N]
    python -m bench trace --where KIND
    python -m bench trace --check
    python -m bench trace --record

Exit 0: counted, and with `--check` no more than recorded; 1: `--check` found a request that costs too much
more than recorded, or a request was not answered as it should be; 2: the command line is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Final

from bench.trace import recorded, run, show
from bench.trace.kinds import KINDS
from bench.trace.recorded import FILE, RECORD, Record

ROUNDS: Final = 5
CHECK_ROUNDS: Final = 3
"""Opcodes of ours hardly vary; those of the whole process, which `--check` does not compare, do."""


def main(argv: list[str]) -> int:
    """Count, then print, compare or record."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.where:
            _, counts = run.count([arguments.where], arguments.rounds or CHECK_ROUNDS, stock=False)
            _print(show.where(arguments.where, counts[arguments.where]))
            return 0
        if arguments.check:
            return check(run.count([*KINDS], arguments.rounds or CHECK_ROUNDS, stock=False)[0])
        record, _ = run.count([*KINDS], arguments.rounds or ROUNDS, stock=True)
    except RuntimeError as error:
        _say(str(error))
        return 1
    if arguments.record:
        recorded.write(record)
        _say(f"recorded in {FILE.name}")
    _print(_shown(arguments, record))
    return 0


def check(now: Record) -> int:
    """Print the table, and compare it with the record of this Python version; the exit status."""
    before = recorded.read(now.setting.minor)
    if before is None:
        _print(show.table(now))
        _say(f"Nothing is compared: no figures are recorded for Python {now.setting.minor}. Record: {RECORD}")
        return 0
    _print(show.comparison(before, now))
    if before.setting.litellm != now.setting.litellm:
        _say(f"The record is of LiteLLM {before.setting.litellm}, this is {now.setting.litellm}.")
    found = recorded.problems(before, now)
    for line in found:
        _say(line)
    if found:
        _say(
            "Find the cause: python -m bench trace --where KIND."
            f" If the work is needed, record the new figures and say why in the commit: {RECORD}"
        )
        return 1
    if less := recorded.gains(before, now):
        _say(f"Cheaper than recorded by more than {recorded.PERCENT}%: {', '.join(less)}. Record: {RECORD}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench trace", description="Calls and opcodes that one request of each kind costs."
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--check", action="store_true", help="exit 1 if opcodes of ours grew by more than 10 %%"
    )
    what.add_argument("--record", action="store_true", help=f"write the figures to {FILE.name}")
    what.add_argument(
        "--where", choices=[*KINDS], metavar="KIND", help=f"list functions ({', '.join(KINDS)})"
    )
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print JSON")
    shape.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--rounds", type=int, help="requests of each kind that are counted")
    return parser


def _shown(arguments: argparse.Namespace, record: Record) -> str:
    if arguments.json:
        return json.dumps(record.document(), indent=2)
    return show.markdown(record) if arguments.markdown else show.table(record)


def _print(text: str) -> None:
    print(text)  # noqa: T201 - a command line prints


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - a command line's messages
