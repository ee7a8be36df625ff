"""``litellm-homelab selftest``: whether the installed LiteLLM does what this package relies on."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm_homelab.testing.selftest.check import CheckResult

PROBLEMS: Final = 1
UNUSABLE: Final = 2
_EPILOG = """\
exit status: 0 everything holds, 1 something does not, 2 LiteLLM could not be started

It takes less than a minute, needs no model, no key and no network, and changes nothing.
"""
ENVIRONMENT: Final = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
"""LiteLLM fetches its price list when it is imported, unless this is set."""
FOREIGN: Final = (
    "DATABASE_URL",
    "DIRECT_URL",
    "REDIS_URL",
    "REDIS_HOST",
    "CONFIG_FILE_PATH",
    "WORKER_CONFIG",
)
"""Variables of a gateway on this machine, with which the self-test has nothing to do."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the ``selftest`` subcommand; its parsed arguments carry ``run``."""
    parser = subparsers.add_parser(
        "selftest",
        help="try what this package relies on in the installed LiteLLM",
        description="Start the installed LiteLLM in this process with stand-ins for every upstream, and try "
        "what the rules of this package rely on.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Try everything, print a line for each check; the exit status."""
    os.environ.update(ENVIRONMENT)
    for name in FOREIGN:
        os.environ.pop(name, None)
    out = sys.stdout  # LiteLLM's own prints go elsewhere while it runs
    try:
        from litellm_homelab.testing.selftest import run as selftest

        report = selftest.run(_nothing if args.json else _printing(out))
    except Exception as error:  # noqa: BLE001 - whatever stops LiteLLM is what there is to say
        print(f"litellm-homelab selftest: LiteLLM could not be started: {_said(error)}", file=sys.stderr)
        return UNUSABLE
    print(report.as_json() if args.json else report.summary())
    return PROBLEMS if report.failed else 0


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _nothing(_: CheckResult) -> None:
    """With `--json` there is one document, at the end."""


def _printing(out: TextIO) -> Callable[[CheckResult], None]:
    from litellm_homelab.testing.selftest.report import line

    return lambda result: print(line(result), file=out, flush=True)
