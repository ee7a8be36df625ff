"""``litellm-homelab check``: what is wrong with a router.yaml, without a gateway."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

PROBLEMS: Final = 1
UNUSABLE: Final = 2
_EPILOG = """\
exit status: 0 no errors (warnings and hints do not count, unless --strict is given), 1 errors, 2 the file
cannot be read

It imports no LiteLLM and sends nothing. Without --env, variables that are not set here are not checked.
docs/check.md lists every message.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the ``check`` subcommand; its parsed arguments carry ``run``."""
    parser = subparsers.add_parser(
        "check",
        help="find mistakes in a router.yaml without starting it",
        description="Find what stops the start, what LiteLLM ignores or reads otherwise, and what is unsafe "
        "in a router.yaml, with line numbers and what to do.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "config", metavar="CONFIG", type=Path, nargs="+", help="a router.yaml; - is standard input"
    )
    parser.add_argument(
        "--env", metavar="FILE", type=Path, help="its environment, NAME=value a line (env.local)"
    )
    parser.add_argument("--optillm-config", metavar="FILE", type=Path, help="OptiLLM's proxy_config.yaml")
    parser.add_argument("--litellm", metavar="VERSION", help="LiteLLM's version (default: the installed one)")
    parser.add_argument("--strict", action="store_true", help="warnings count as errors for the exit status")
    parser.add_argument("--json", action="store_true", help="print one JSON document for each file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check each file, print what was found; the exit status."""
    from litellm_homelab.check import report
    from litellm_homelab.check.run import CheckRequest, check_file

    status = 0
    for path in args.config:
        text = sys.stdin.read() if str(path) == "-" else None
        name = path if text is None else Path("stdin")
        found = check_file(CheckRequest(name, args.env, args.optillm_config, args.litellm, text))
        print(report.as_json(found, str(name)) if args.json else report.as_text(found, str(name)))
        counted = {"error", "warning"} if args.strict else {"error"}
        failed = any(one.severity in counted for one in found.findings)
        status = max(status, UNUSABLE if found.unusable else PROBLEMS if failed else 0)
    return status
