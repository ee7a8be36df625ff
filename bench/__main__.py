"""
What the hooks cost, beside stock LiteLLM in the same run.

    python -m bench [--only hooks,lane,load,start,loop] [--quick] [--json | --markdown] [--into PAGE]
    python -m bench trace [--check | --record | --where KIND] [--json | --markdown]
    python -m bench entry [--concurrency 1,4,16] [--seconds 10] [--rounds 3] [--output FOLDER]

`trace` counts calls and opcodes instead of time (see `bench.trace.command`), `entry` runs an entry for
ai-gateway-bench (see `bench.entry.command`).

Progress goes to standard error, the figures to standard output. Exit 0: measured, whatever the numbers say;
1: something did not answer as it should, so nothing is said; 2: it cannot be measured here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from bench import hooks, lane, load, loop, report, start, wrk
from bench.entry import command as entry
from bench.figure import Figure
from bench.machine import Machine
from bench.plan import FULL, QUICK, Plan
from bench.trace import command

Section = Callable[[Plan, Callable[[str], None]], Iterator[Figure]]
TRACE: Final = "trace"
ENTRY: Final = "entry"
MEASURED: Final[dict[str, Section]] = {
    "hooks": hooks.measure,
    "lane": lane.measure,
    "load": load.measure,
    "start": start.measure,
    "loop": loop.measure,
}


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == [TRACE]:
        return command.main(argv[1:])
    if argv[:1] == [ENTRY]:
        return entry.main(argv[1:])
    arguments = _parser().parse_args(argv)
    problem = _problem(arguments)
    if problem is not None:
        _say(problem)
        return 2
    machine, plan = Machine.this(), QUICK if arguments.quick else FULL
    try:
        figures = [one for name in arguments.only for one in MEASURED[name](plan, _say)]
    except RuntimeError as error:
        _say(str(error))
        return 1
    print(_shown(arguments, machine, figures))  # noqa: T201 - a command line prints
    if arguments.into is not None:
        report.put_into(arguments.into, report.as_markdown(machine, figures))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="What the hooks cost.",
        epilog="`python -m bench trace` counts calls and opcodes instead of time, `python -m bench entry` "
        "runs an entry for ai-gateway-bench; each has its own --help.",
    )
    parser.add_argument(
        "--only",
        type=_sections,
        default=[*MEASURED],
        metavar="SECTIONS",
        help=f"some of {','.join(MEASURED)}",
    )
    parser.add_argument("--quick", action="store_true", help="seconds each; the numbers say nothing")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print JSON")
    shape.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--into", type=Path, metavar="PAGE", help="put the tables into a Markdown page, too")
    return parser


def _problem(arguments: argparse.Namespace) -> str | None:
    """Why it cannot be measured here: told before minutes have gone by."""
    if "load" in arguments.only and not wrk.installed():
        return wrk.MISSING
    try:
        if arguments.into is not None:
            report.parts_of(arguments.into)
    except (OSError, ValueError) as error:
        return str(error)
    return None


def _sections(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in MEASURED]
    if unknown:
        raise argparse.ArgumentTypeError(f"no section {unknown[0]!r} (there is: {', '.join(MEASURED)})")
    return [name for name in MEASURED if name in names]


def _shown(arguments: argparse.Namespace, machine: Machine, figures: list[Figure]) -> str:
    if arguments.json:
        return report.as_json(machine, figures)
    shape = report.as_markdown if arguments.markdown else report.as_text
    return shape(machine, figures)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - a command line's progress


if __name__ == "__main__":
    raise SystemExit(main())
