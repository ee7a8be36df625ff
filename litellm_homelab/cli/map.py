"""``litellm-homelab map``: who calls what in a router.yaml, without a gateway."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from litellm_homelab.check.run import CheckReport

PROBLEMS: Final = 1
UNUSABLE: Final = 2
_EPILOG = """\
exit status: 0 nothing is wrong, 1 an arrow is marked or `check` finds an error, 2 there is no map: the file
cannot be read, or the picture not written

It imports no LiteLLM and sends nothing. Errors go to standard error, in the words of `check`. Without --env,
an address in a variable that is not set here is shown as $NAME. docs/map.md explains the words.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the ``map`` subcommand; its parsed arguments carry ``run``."""
    parser = subparsers.add_parser(
        "map",
        help="show who calls what in a router.yaml",
        description="Show which callers use which names, what serves them, their fallbacks and what OptiLLM "
        "calls back. Loops, and what leads to a name that no client may call, are marked.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", metavar="CONFIG", type=Path, help="a router.yaml; - is standard input")
    parser.add_argument(
        "--env", metavar="FILE", type=Path, help="its environment, NAME=value a line (env.local)"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--mermaid", action="store_true", help="print a Mermaid flowchart")
    form.add_argument("--svg", metavar="FILE", type=Path, help="write a picture; - is standard output")
    form.add_argument("--ports", action="store_true", help="print which address and port each name needs")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the map or write the picture; the exit status."""
    from litellm_homelab.check import env_file
    from litellm_homelab.check.run import CheckRequest, check_file
    from litellm_homelab.drawing import marking, mermaid, ports, reading, svg, text

    given = sys.stdin.read() if str(args.config) == "-" else None
    path = args.config if given is None else Path("stdin")
    environ = dict(os.environ)
    if args.env is not None:
        environ |= env_file.read(args.env, str(args.env), order=0)[0]
    failed = _errors(check_file(CheckRequest(path, args.env, text=given)))
    found = reading.read(path, environ, given)
    if found is None:
        return UNUSABLE
    drawn = marking.marked(found)
    status = PROBLEMS if failed or drawn.marks else 0
    if args.svg is not None:
        return _write(args.svg, svg.written(drawn)) or status
    print(
        ports.written(found, environ) if args.ports else (mermaid if args.mermaid else text).written(drawn),
        end="",
    )
    return status


def _errors(report: CheckReport) -> bool:
    """Print the errors that `check` finds; whether there are any."""
    from litellm_homelab.check.report import line

    errors = [one for one in report.findings if one.severity == "error"]
    for one in errors:
        print(line(one), file=sys.stderr)
    return bool(errors)


def _write(path: Path, picture: str) -> int:
    if str(path) == "-":
        print(picture, end="")
        return 0
    try:
        path.write_text(picture, encoding="utf-8")
    except OSError as error:
        from litellm_homelab.config.wording import one_line, reason

        print(one_line(f"litellm-homelab map: {path}: not written: {reason(error)}"), file=sys.stderr)
        return UNUSABLE
    print(f"{path}: written", file=sys.stderr)
    return 0
