"""``litellm-homelab up``: the gateway and its demo backends, in the foreground until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from litellm_homelab.cli.child import ChildProcess, end_all
from litellm_homelab.cli.logtail import notices, readable_tail
from litellm_homelab.cli.make import Make
from litellm_homelab.cli.plan import SAMPLES, NotStartable, Plan, make_plan, ports_in_use
from litellm_homelab.cli.ready import GatewayUnusable, lines_to_try, listed_models
from litellm_homelab.demo.config import CONTROL

READY_WITHIN_SECONDS: Final = 180.0
"""LiteLLM 1.106.2 takes 11 to 14 s on two cores, four workers 42 s (measured); a small board more."""

PROGRESS_SECONDS: Final = 10.0
"""How often a start that takes longer says that it is still under way."""

_POLL_SECONDS = 0.2
_TAIL_LINES = 30
_EPILOG = """\
environment, from env.local beside the configuration (made from env.example if there is none):
  PORT, HOST           where the gateway listens (4000 on 127.0.0.1)
  WORKERS              LiteLLM worker processes (1)
  DEMO=0               start no demo backends
  DEMO_PORT            the first of the demo's seven ports, its page (4100); their addresses move along
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the ``up`` subcommand; its parsed arguments carry ``run``."""
    parser = subparsers.add_parser(
        "up",
        help="run the gateway and the demo backends",
        description="Run stock LiteLLM on a configuration, with the demo backends, until Ctrl-C.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, default=Path("config/router.yaml"), metavar="FILE")
    parser.add_argument(
        "--env", type=Path, metavar="FILE", help="the environment file (env.local beside --config)"
    )
    parser.add_argument("--log-dir", type=Path, default=Path(".cache/log"), metavar="FOLDER")
    parser.add_argument(
        "--demo-port",
        action="append",
        default=[],
        metavar="NAME=PORT",
        help="another port for one demo backend, as in `litellm-homelab demo --port`",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run until a signal: 0; 2 when nothing could be started; LiteLLM's own status when it ends by itself."""
    try:
        plan, notes = make_plan(args, os.environ)
        if busy := list(ports_in_use(plan)):
            raise NotStartable("\n".join(busy))
        plan.make_samples()
    except NotStartable as error:
        print(error, file=sys.stderr)
        return 2
    for note in notes:
        _say(note)
    stop = _StopRequest()
    with _gateway_environ(plan) as environ, _children(plan, environ, args.log_dir) as children:
        return _watch(plan, children, stop)


@contextmanager
def _gateway_environ(plan: Plan) -> Iterator[Mapping[str, str]]:
    """What LiteLLM is started with: a fresh folder for its workers' samples, gone when they are."""
    if not plan.needs_samples:
        yield plan.environ
        return
    with tempfile.TemporaryDirectory(prefix="litellm-homelab-", ignore_cleanup_errors=True) as folder:
        yield {**plan.environ, SAMPLES: folder}


@contextmanager
def _children(plan: Plan, environ: Mapping[str, str], logs: Path) -> Iterator[list[ChildProcess]]:
    started: list[ChildProcess] = []
    try:
        if plan.demo_ports:
            started.append(ChildProcess("the demo", plan.demo_command, plan.environ, logs / "demo.log"))
            _say(f"starting the demo backends (log: {started[-1].log})")
        started.append(ChildProcess("LiteLLM", plan.gateway_command, environ, logs / "litellm.log"))
        _say(f"starting LiteLLM on {plan.url} (log: {started[-1].log})")
        _say("This takes 10 to 60 seconds; Ctrl-C stops it.")
        yield started
    finally:
        for child in reversed(started):  # the gateway first: requests under way still need the demo
            end_all([child])


class _StopRequest:
    """Set by SIGINT, SIGTERM, SIGHUP, or by the end of the make that started us."""

    def __init__(self) -> None:
        self._signalled = False
        self._make = Make(os.environ)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self._mark())

    def __bool__(self) -> bool:
        return self._signalled or self._make.is_gone()

    def _mark(self) -> None:
        # Only a mark: to raise here could lose a child that is just being started.
        self._signalled = True


def _watch(plan: Plan, children: list[ChildProcess], stop: _StopRequest) -> int:
    waiting = _Waiting()
    ready = False
    while not stop:
        for child in children:
            if (status := child.exit_status()) is not None:
                return _report(child, f"ended with status {status}", status)
        if not ready:
            try:
                ready = _announce_if_ready(plan, children[-1].log)
            except GatewayUnusable as refusal:
                return _report(children[-1], f"is up but unusable: {refusal}", 1)
            if not ready and waiting.is_over():
                return _report(children[-1], f"is not ready after {READY_WITHIN_SECONDS:.0f} seconds", 1)
        time.sleep(_POLL_SECONDS)
    _say("stopping")
    return 0


class _Waiting:
    """How long the start has taken, which it says from time to time."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._next = PROGRESS_SECONDS

    def is_over(self) -> bool:
        waited = time.monotonic() - self._began
        if waited > self._next:
            _say(f"still starting ({self._next:.0f} s)")
            self._next += PROGRESS_SECONDS
        return waited > READY_WITHIN_SECONDS


def _announce_if_ready(plan: Plan, log: Path) -> bool:
    models = listed_models(plan)
    if models is None:
        return False
    for notice in notices(log.read_text(errors="replace")):
        _say(f"\n{notice}")
    _say("\nTry, in another terminal in this folder:\n")
    _say("\n".join(lines_to_try(plan, models)), end="\n\n")
    if plan.demo_ports:
        _say(f"The demo's page, with faults to switch on: http://127.0.0.1:{plan.demo_ports[CONTROL]}/")
    _say("Ctrl-C stops everything.\n")
    _say("ready")
    return True


def _report(child: ChildProcess, what: str, status: int) -> int:
    """Say which child failed and show the end of its log; a child that ended well has still left us."""
    tail = readable_tail(child.log.read_text(errors="replace"), _TAIL_LINES)
    print(f"{tail}\n\n{child.name} {what}; its log: {child.log}", file=sys.stderr)
    return status or 1


def _say(text: str, end: str = "\n") -> None:
    print(text, end=end, flush=True)
