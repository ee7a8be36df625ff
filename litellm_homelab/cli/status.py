"""``litellm-homelab status``: what is wrong with a running gateway now, and how its parts are."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from litellm_homelab.cli import no_key

if TYPE_CHECKING:
    from litellm_homelab.status.asking import StatusAnswer, StatusRequest

PROBLEMS: Final = 1
UNUSABLE: Final = 2
SECONDS: Final = 3.0
"""Between two looks of `--watch`."""
DEFAULT_URL: Final = "http://127.0.0.1:4000"
CLEAR: Final = "\x1b[H\x1b[2J\x1b[3J"
_EPILOG = """\
environment: HOMELAB_KEY is the key, the master key or one of role admin; HOMELAB_URL is the address where
--url is not given; NO_COLOR switches colours off

exit status: 0 no problem, 1 a problem (an error or a warning), 2 no answer, or the key may not see it; after
Ctrl-C with --watch that of the last look

The gateway needs `homelab.page: true`. docs/status.md shows what it prints.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the ``status`` subcommand; its parsed arguments carry ``run``."""
    parser = subparsers.add_parser(
        "status",
        help="show what is wrong with a running gateway",
        description="Show what is wrong with a running gateway and what to do first, then its handles, "
        "backends, requests through OptiLLM, quotas and last refusals.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--url", metavar="URL", help=f"the gateway's address (default: HOMELAB_URL, or {DEFAULT_URL})"
    )
    parser.add_argument("--key-file", metavar="FILE", type=Path, help="a file that contains the key")
    no_key.add(parser, "set HOMELAB_KEY, or use --key-file")
    parser.add_argument("--watch", action="store_true", help="show it anew every 3 s, until Ctrl-C")
    parser.add_argument("--json", action="store_true", help="print what /homelab.json says")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask once, or until Ctrl-C; the exit status."""
    from litellm_homelab.status import asking

    try:
        key = asking.key_from(args.key_file, os.environ)
        request = asking.request_to(args.url or os.environ.get("HOMELAB_URL") or DEFAULT_URL, key)
        if args.watch:
            return _watch(request, as_json=args.json)
        return _show(asking.ask(request), as_json=args.json)
    except (asking.StatusUnusable, asking.GatewayRefuses, asking.NoAnswer) as error:
        return _failed(str(error))


def _watch(request: StatusRequest, *, as_json: bool) -> int:
    """Ask every 3 s; while there is no answer, say so above the last one."""
    from litellm_homelab.status import asking

    last: StatusAnswer | None = None
    status, answered = UNUSABLE, time.time()
    try:
        while True:
            begun = time.monotonic()
            try:
                answer = asking.ask(request, last)
            except asking.NoAnswer as error:
                status = UNUSABLE
                _stale(str(error), last, answered, as_json=as_json)
            else:
                status = _status(answer)
                if not (as_json and answer is last):
                    _clear(as_json=as_json)
                    _show(answer, as_json=as_json, is_line=True)
                last, answered = answer, time.time()
            time.sleep(max(0.0, SECONDS - (time.monotonic() - begun)))
    except KeyboardInterrupt:
        return status


def _stale(why: str, last: StatusAnswer | None, answered: float, *, as_json: bool) -> None:
    from litellm_homelab.status.tables import age

    _clear(as_json=as_json)
    when = f"; what follows is {age(time.time() - answered)} old" if last is not None and not as_json else ""
    _failed(f"{why}{when}")
    if last is not None and not as_json:
        _show(last, as_json=False)


def _show(answer: StatusAnswer, *, as_json: bool, is_line: bool = False) -> int:
    from litellm_homelab.status import tables

    if as_json:
        print(json.dumps(answer.view, indent=None if is_line else 2), flush=True)
    else:
        print(tables.written(answer.view, time.time(), colour=_has_colours()), flush=True, end="")
    return _status(answer)


def _status(answer: StatusAnswer) -> int:
    from litellm_homelab.status import tables

    return PROBLEMS if tables.has_problems(answer.view) else 0


def _clear(*, as_json: bool) -> None:
    """Begin a new picture: on a terminal in the place of the old one, elsewhere below it."""
    if not as_json:
        print(CLEAR if _is_terminal() else "", end="" if _is_terminal() else "\n", flush=True)


def _is_terminal() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _has_colours() -> bool:
    return _is_terminal() and not os.environ.get("NO_COLOR")


def _failed(why: str) -> int:
    from litellm_homelab.config.wording import hide_keys, one_line

    print(one_line(hide_keys(f"litellm-homelab status: {why}")), file=sys.stderr, flush=True)
    return UNUSABLE
