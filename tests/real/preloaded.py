"""
LiteLLM that has been imported already: the gateways of the tests are forked from it.

Importing stock LiteLLM takes 11 of the 12 seconds of a start (1.108.7). `python -m tests.real.preloaded`
imports it once, then forks a child for each start. The child runs LiteLLM's own command with its own
environment, arguments, log and process group. Nothing of ours is imported before the fork.

LiteLLM reads some 440 environment variables while it is imported. The process notes their names and the
values that it found. `Starter` uses it for a start whose environment has the same values; for others it
starts another one.

Protocol, one JSON object a line. Out, once: `{"read": [names]}`. In: `{"environ", "arguments", "log"}`. Out:
`{"pid"}` for each start, and `{"ended", "status"}` when a child has ended.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

REPOSITORY: Final = Path(__file__).parents[2]
KEPT: Final = 3
"""How many preloaded processes without a child a test process keeps, about 350 MB each."""


class Forked:
    """A child of a preloaded process, with what the tests use of `subprocess.Popen`."""

    def __init__(self, pid: int, ended: Mapping[int, int]) -> None:
        self.pid = pid
        self._ended = ended

    @property
    def returncode(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._ended.get(self.pid)

    def poll(self) -> int | None:
        """As `returncode`."""
        return self.returncode

    def wait(self, timeout: float) -> int:
        """
        Its exit code, as soon as it has ended.

        Raises:
            subprocess.TimeoutExpired: it still runs after `timeout` seconds.

        """
        deadline = time.monotonic() + timeout
        while (code := self.returncode) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("litellm", timeout)
            time.sleep(0.02)
        return code


class Preloaded:
    """The test's side of one preloaded process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            env=dict(environ),
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._ended: dict[int, int] = {}
        self._pids: list[int] = []
        self._started: set[int] = set()
        self._news = threading.Condition()
        names = json.loads(self._read_line())["read"]
        self._read = {name: environ.get(name) for name in names}
        threading.Thread(target=self._listen, daemon=True).start()

    def serves(self, environ: Mapping[str, str]) -> bool:
        """Whether LiteLLM would have read the same while it was imported with this environment."""
        proxies = {name for name in environ if name.lower().endswith("_proxy")}  # httpx looks for them all
        return proxies <= {*self._read} and all(
            environ.get(name) == value for name, value in self._read.items()
        )

    def start(self, environ: Mapping[str, str], arguments: list[str], log: Path) -> Forked:
        """Fork a child that runs `litellm` with these arguments."""
        order = {"environ": dict(environ), "arguments": arguments, "log": str(log)}
        assert self._process.stdin is not None
        with self._news:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            assert self._news.wait_for(lambda: self._pids, timeout=60), "no child was forked within a minute"
            pid = self._pids.pop()
        self._started.add(pid)
        return Forked(pid, self._ended)

    @property
    def is_idle(self) -> bool:
        """Whether all its children have ended: it alone can say how."""
        return self._started <= {*self._ended}

    def end(self) -> None:
        """End it; its children have ended before."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=15)

    def _read_line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def _listen(self) -> None:
        while line := self._read_line():
            news = json.loads(line)
            with self._news:
                if "pid" in news:
                    self._pids.append(news["pid"])
                else:
                    self._ended[news["ended"]] = news["status"]
                self._news.notify_all()


class Starter:
    """The preloaded processes of a test process: the one that was used last comes first."""

    def __init__(self) -> None:
        self._running: list[Preloaded] = []

    @property
    def latest(self) -> Preloaded:
        """The process of the latest start."""
        return self._running[0]

    def start(self, environ: Mapping[str, str], arguments: list[str], log: Path) -> Forked:
        """Start `litellm` in a process group of its own, from one that has imported LiteLLM with the same."""
        found = next((one for one in self._running if one.serves(environ)), None)
        if found is None:
            found = Preloaded(environ)
        else:
            self._running.remove(found)
        self._running.insert(0, found)
        for one in [one for one in self._running[KEPT:] if one.is_idle]:
            self._running.remove(one)
            one.end()
        return found.start(environ, arguments, log)


def main() -> None:
    """Import LiteLLM, then fork a child for each line of standard input, until it ends."""
    with _names_read() as names:
        for name in ("proxy_cli", "proxy_server"):
            importlib.import_module(f"litellm.proxy.{name}")
    _remove_finalizer()
    gc.freeze()
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # what LiteLLM prints must not mix with our answers
        _say(answers, read=sorted(names))
        order = _serve(answers)
    if order is not None:
        _run(order["environ"], order["arguments"], order["log"])


def _remove_finalizer() -> None:
    """It crashes stock LiteLLM now and then before Python 3.12 (`adapter/litellm_api/finalizers.py`)."""
    wrapper = importlib.import_module("litellm.litellm_core_utils.streaming_handler").CustomStreamWrapper
    if sys.version_info < (3, 12) and "__del__" in vars(wrapper):
        del wrapper.__del__


def _serve(answers: Any) -> Mapping[str, Any] | None:
    """Fork a child for each order: returns the order in the child, and None here when the input ends."""
    woken, wakes = os.pipe()
    for end in (woken, wakes):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes)
    with selectors.DefaultSelector() as selector, os.fdopen(0, "rb", buffering=0, closefd=False) as orders:
        selector.register(orders, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if woken in ready:
                os.read(woken, 4096)
                _report_ended(answers)
            if orders.fileno() in ready:
                if not (line := orders.readline()):
                    return None
                if (pid := os.fork()) == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    order: dict[str, Any] = json.loads(line)
                    return order
                _say(answers, pid=pid)


def _run(environ: Mapping[str, str], arguments: list[str], log: str) -> None:
    """Be the command `litellm`, from here on."""
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["litellm", *arguments]
    importlib.import_module("litellm.proxy.proxy_cli").run_server()


def _report_ended(answers: Any) -> None:
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = found
            _say(answers, ended=pid, status=os.waitstatus_to_exitcode(status))


def _say(answers: Any, **news: Any) -> None:
    answers.write(json.dumps(news) + "\n")
    answers.flush()


@contextlib.contextmanager
def _names_read() -> Iterator[set[str]]:
    """
    The names of the environment variables that are read one by one within the block.

    Who goes through them all looks for names of a kind: httpx for `*_proxy`, pydantic-settings for a prefix.
    """
    names: set[str] = set()
    kind = type(os.environ)
    original = kind.__getitem__

    def read(self: Any, name: str) -> str:
        if sys._getframe(1).f_code.co_name != "__iter__":
            names.add(name)
        return original(self, name)

    kind.__getitem__ = read  # type: ignore[method-assign]
    try:
        yield names
    finally:
        kind.__getitem__ = original  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
