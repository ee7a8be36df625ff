"""``litellm-homelab verify``: checks a running gateway from outside, by trying what it should refuse."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from litellm_homelab.cli import no_key

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping
    from typing import TextIO

    from litellm_homelab.verify.check import CheckedItem, VerifyCheck
    from litellm_homelab.verify.lab import VerifyLab
    from litellm_homelab.verify.report import VerifyReport

PROBLEMS: Final = 1
UNUSABLE: Final = 2
SECONDS: Final = 300.0
CLEAR: Final = "\r\x1b[K"
_EPILOG = """\
environment: the keys, with the names of config/env.example or those that router.yaml gives them:
LITELLM_MASTER_KEY, OPEN_WEBUI_KEY (a client's), PROMETHEUS_KEY, OPTILLM_UPSTREAM_KEY (OptiLLM's calls back),
OPTILLM_GATE_KEY (OptiLLM's own). A check whose key is not set is not made, and says so. NO_COLOR switches
colours off

exit status: 0 nothing failed, 1 a check failed, 2 it cannot be tried: no key, or a file that cannot be used

It sends some 60 requests, of which models answer about 5, and changes nothing. The gateway counts the
refusals that it provokes. docs/verify.md lists the checks.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the ``verify`` subcommand; its parsed arguments carry ``run``."""
    parser = subparsers.add_parser(
        "verify",
        help="check a running gateway from outside",
        description="Check a running gateway from outside, as its owner: keys, listing, names, approaches, "
        "loops, OptiLLM, metrics, the page and web search. What should be refused is tried.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", metavar="URL", help="the gateway's address, such as http://127.0.0.1:4000")
    parser.add_argument(
        "--config", metavar="FILE", type=Path, help="its router.yaml, which says what to expect"
    )
    parser.add_argument("--env", metavar="FILE", type=Path, help="the keys, NAME=value a line (env.local)")
    parser.add_argument("--optillm", metavar="URL", help="OptiLLM's address, as this machine reaches it")
    parser.add_argument(
        "--seconds",
        metavar="N",
        type=_seconds,
        default=SECONDS,
        help="the time for all checks (default: 300)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    no_key.add(parser, "set LITELLM_MASTER_KEY, or use --env")
    parser.set_defaults(run=run)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value <= 86_400:
        raise argparse.ArgumentTypeError("expected seconds from 1 to 86400")
    return value


def run(args: argparse.Namespace) -> int:
    """Make every check and print each; the exit status."""
    import asyncio

    from litellm_homelab.cli import editing
    from litellm_homelab.verify.lab import LabUnusable

    try:
        lab = _lab(args, editing.environ_with(args.env))
    except editing.Unusable as error:
        return editing.unusable("verify", error)
    except LabUnusable as error:
        editing.say("litellm-homelab verify", str(error).split("\n"))
        return UNUSABLE
    report = asyncio.run(_verify(lab, args.seconds, as_json=args.json))
    print(report.as_json() if args.json else report.summary())
    return 0 if report.is_good else PROBLEMS


def _lab(args: argparse.Namespace, environ: Mapping[str, str]) -> VerifyLab:
    from dataclasses import replace

    from litellm_homelab.verify import lab
    from litellm_homelab.verify.asking import own_addresses
    from litellm_homelab.verify.exchange import KeyRole

    url = lab.address(args.url)
    found = lab.of_config(url, args.config, environ) if args.config else lab.without_config(url, environ)
    if not any(map(found.knows, (KeyRole.CLIENT, KeyRole.MASTER))):
        raise lab.LabUnusable(
            f"no key: set {found.keys.variable(KeyRole.MASTER)} or "
            f"{found.keys.variable(KeyRole.CLIENT)}, or use --env"
        )
    if not args.optillm:
        return found
    return replace(found, optillm=lab.address(args.optillm), own_addresses=own_addresses())


async def _verify(lab: VerifyLab, seconds: float, *, as_json: bool) -> VerifyReport:
    import time

    import httpx

    from litellm_homelab.verify import run as verifying
    from litellm_homelab.verify.asking import VerifyAsker
    from litellm_homelab.verify.report import VerifyReport

    begun = time.monotonic()
    items: list[CheckedItem] = []
    async with httpx.AsyncClient(base_url=lab.url, trust_env=False, follow_redirects=False) as client:
        asker = VerifyAsker(client, lab.keys.values, begun + seconds)
        progress = _Progress()
        try:
            async for item in verifying.verify(lab, asker, progress.begins):
                progress.ends()
                items.append(item)
                if not as_json:
                    _print(item)
        finally:
            progress.ends()
    return VerifyReport(lab.url, items, asker.requests, asker.calls, time.monotonic() - begun)


def _print(item: CheckedItem) -> None:
    from litellm_homelab.verify.report import written

    print(written(item, colour=_is_terminal(sys.stdout) and not os.environ.get("NO_COLOR")), flush=True)


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class _Progress:
    """On a terminal: a line that says which check is being made, once it has taken a second."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._is_shown = False

    def begins(self, check: VerifyCheck) -> None:
        """Start the clock of a check."""
        import asyncio

        if _is_terminal(sys.stderr):
            self._task = asyncio.create_task(self._tell(f"{check.id} {check.subject}".strip()))

    def ends(self) -> None:
        """Take the line away."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._is_shown:
            print(CLEAR, end="", file=sys.stderr, flush=True)
            self._is_shown = False

    async def _tell(self, what: str) -> None:
        import asyncio

        seconds = 0
        while True:
            await asyncio.sleep(1)
            seconds += 1
            self._is_shown = True
            print(f"{CLEAR}... {what} ({seconds} s)", end="", file=sys.stderr, flush=True)
