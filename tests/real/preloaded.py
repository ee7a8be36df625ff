"""
LiteLLM that has been imported already: the gateways of the tests are forked from it.

Importing stock LiteLLM takes 11 of the 12 seconds of a start (1.108.7). `python -m tests.real.preloaded`
imports it once, then forks a child for each start. The child runs LiteLLM's own command with its own
environment, arguments, log and process group. Nothing of ours is imported before the fork.

Several workers are forked from the child in turn, where uvicorn would start each in a new Python.

LiteLLM reads some 440 environment variables while it is imported. The process notes their names and the
values that it found. `Starter` uses it for a start whose environment has the same values; for others it
starts another one.

Protocol, one JSON object a line. Out, once: `{"read": [names]}`. In: `{"environ", "arguments", "log",
"stock"}` for a start, `{"pid", "signal"}` for a child's process group. Out: `{"pid"}` for each start, and
`{"ended", "status"}` when a child has ended.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import multiprocessing
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

REPOSITORY: Final = Path(__file__).parents[2]
COMMAND: Final = (sys.executable, "-m", "tests.real.preloaded")
IMPORT_SECONDS: Final = 300
"""How long the import of LiteLLM may take: 11 s on two idle cores, and other tests run beside it."""
FORK_SECONDS: Final = 60
KEPT: Final = 3
"""How many preloaded processes without a child a test process keeps, about 350 MB each."""


class Forked:
    """A child of a preloaded process, with what the tests use of `subprocess.Popen`."""

    def __init__(self, pid: int, parent: Preloaded) -> None:
        self.pid = pid
        self._parent = parent

    @property
    def returncode(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._parent.ended.get(self.pid)

    def poll(self) -> int | None:
        """As `returncode`."""
        return self.returncode

    def wait(self, timeout: float) -> int:
        """
        Its exit code, as soon as it has ended.

        Raises:
            subprocess.TimeoutExpired: it still runs after `timeout` seconds.
            PreloadedError: the process that could say how it ended has ended itself.

        """
        return self._parent.wait_for(self.pid, timeout)

    def signal_group(self, number: int) -> None:
        """Send a signal to its process group; nothing is sent once it has ended."""
        self._parent.signal_group(self.pid, number)


class PreloadedError(RuntimeError):
    """A preloaded process did not start, or has ended."""


class Preloaded:
    """The test's side of one preloaded process; threads may use it together."""

    def __init__(
        self,
        environ: Mapping[str, str],
        command: Sequence[str] = COMMAND,
        seconds: float = IMPORT_SECONDS,
    ) -> None:
        self._process = subprocess.Popen(
            [*command],
            env=dict(environ),
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.ended: dict[int, int] = {}
        """Exit codes of the children that have ended."""
        self._pids: list[int] = []
        self._started: set[int] = set()
        self._names: list[str] | None = None
        self._is_over = False
        self._news = threading.Condition()
        self._orders = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()
        self._read = {name: environ.get(name) for name in self._imported(seconds)}

    def _imported(self, seconds: float) -> list[str]:
        with self._news:
            self._news.wait_for(lambda: self._names is not None or self._is_over, seconds)
            names = self._names
        if names is None:
            self.kill()
            raise PreloadedError(f"LiteLLM was not imported within {seconds} s, or its import failed")
        return names

    def serves(self, environ: Mapping[str, str]) -> bool:
        """Whether LiteLLM would have read the same while it was imported with this environment."""
        proxies = {name for name in environ if name.lower().endswith("_proxy")}  # httpx looks for them all
        return proxies <= {*self._read} and all(
            environ.get(name) == value for name, value in self._read.items()
        )

    def start(
        self, environ: Mapping[str, str], arguments: list[str], log: Path, *, is_stock: bool = False
    ) -> Forked:
        """
        Fork a child that runs `litellm` with these arguments.

        Raises:
            PreloadedError: the process has ended, or forked no child in time; it is killed then.

        """
        order = {"environ": dict(environ), "arguments": arguments, "log": str(log), "stock": is_stock}
        with self._orders:  # one order at a time: the next pid is this one's
            self._say(order)
            with self._news:
                self._news.wait_for(lambda: self._pids or self._is_over, timeout=FORK_SECONDS)
                pid = self._pids.pop() if self._pids else None
                if pid is not None:
                    self._started.add(pid)
        if pid is None:
            self.kill()
            raise PreloadedError(f"no child was forked within {FORK_SECONDS} s")
        return Forked(pid, self)

    def wait_for(self, pid: int, timeout: float) -> int:
        """As `Forked.wait`."""
        with self._news:
            self._news.wait_for(lambda: pid in self.ended or self._is_over, timeout)
            if pid in self.ended:
                return self.ended[pid]
            if self._is_over:
                raise PreloadedError(f"the parent of {pid} has ended, so how it ended is not known")
        raise subprocess.TimeoutExpired("litellm", timeout)

    def signal_group(self, pid: int, number: int) -> None:
        """
        Have a child's process group signalled by its parent.

        The parent alone knows that it has not taken the child's exit code yet: until then no other process
        can have the child's pid.
        """
        with contextlib.suppress(PreloadedError), self._orders:
            self._say({"pid": pid, "signal": number})

    @property
    def is_alive(self) -> bool:
        """Whether it can start another child."""
        return not self._is_over and self._process.poll() is None

    @property
    def is_idle(self) -> bool:
        """Whether all its children have ended: it alone can say how."""
        with self._news:
            return self._started <= {*self.ended}

    def end(self) -> None:
        """End it; its children have ended before."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill it and its children that run, which nothing else could end."""
        pid = self._process.pid
        if self._process.poll() is None:
            os.kill(pid, signal.SIGSTOP)  # so that it takes no exit code, and its children's pids stay theirs
            os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            for child in children_of(pid):
                _signal_group(child, signal.SIGKILL, {child})
            self._process.kill()
        self._process.wait(timeout=15)

    def _say(self, order: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        except (OSError, ValueError) as error:  # a broken pipe, a closed file
            raise PreloadedError(f"a preloaded process has ended: {error}") from error

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            news = json.loads(line)
            with self._news:
                if "read" in news:
                    self._names = news["read"]
                elif "pid" in news:
                    self._pids.append(news["pid"])
                else:
                    self.ended[news["ended"]] = news["status"]
                self._news.notify_all()
        with self._news:
            self._is_over = True
            self._news.notify_all()


def children_of(parent: int) -> Iterator[int]:
    """The processes whose parent a process is, those that have ended among them."""
    for folder in Path("/proc").iterdir():
        try:
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:  # no process, or one that has just ended
            continue
        if folder.name.isdecimal() and int(fields[1]) == parent:
            yield int(folder.name)


class Starter:
    """The preloaded processes of a test process: the one that was used last comes first."""

    def __init__(self, preload: Callable[[Mapping[str, str]], Preloaded] = Preloaded) -> None:
        self._running: list[Preloaded] = []
        self._preload = preload
        self._choosing = threading.Lock()

    @property
    def latest(self) -> Preloaded:
        """The process of the latest start."""
        return self._running[0]

    def start(
        self, environ: Mapping[str, str], arguments: list[str], log: Path, *, is_stock: bool = False
    ) -> Forked:
        """Start `litellm` in a process group of its own, from one that has imported LiteLLM with the same."""
        with self._choosing:
            self._running = [one for one in self._running if one.is_alive]
            found = next((one for one in self._running if one.serves(environ)), None)
            if found is None:
                found = self._preload(environ)
            else:
                self._running.remove(found)
            self._running.insert(0, found)
            for one in [one for one in self._running[KEPT:] if one.is_idle]:
                self._running.remove(one)
                one.end()
            return found.start(environ, arguments, log, is_stock=is_stock)

    def end(self) -> None:
        """End all, with their children."""
        with self._choosing:
            for one in self._running:
                one.kill()
            self._running.clear()


def main() -> None:
    """Import LiteLLM, then fork a child for each line of standard input, until it ends."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # what LiteLLM prints, from its import on, must not mix with our answers
        with _names_read() as names:
            for name in ("proxy_cli", "proxy_server"):
                importlib.import_module(f"litellm.proxy.{name}")
        gc.freeze()
        _say(answers, read=sorted(names))
        order = _serve(answers)
    if order is not None:
        _run(order)


def fork_workers() -> None:
    """Let uvicorn (0.54) fork its workers: each has LiteLLM already, and imports all the rest itself."""
    vars(importlib.import_module("uvicorn._subprocess"))["spawn"] = multiprocessing.get_context("fork")


def remove_finalizer() -> None:
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
    running: set[int] = set()
    with selectors.DefaultSelector() as selector, os.fdopen(0, "rb", buffering=0, closefd=False) as orders:
        selector.register(orders, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if woken in ready:
                os.read(woken, 4096)
                _report_ended(answers, running)
            if orders.fileno() in ready:
                if not (line := orders.readline()):
                    return None
                order: dict[str, Any] = json.loads(line)
                if "signal" in order:
                    _signal_group(order["pid"], order["signal"], running)
                elif (pid := os.fork()) == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    return order
                else:
                    running.add(pid)
                    _say(answers, pid=pid)


def _signal_group(pid: int, number: int, running: set[int]) -> None:
    """Signal a child's group; nothing that is not a child any more, since another may have its pid."""
    if pid not in running:
        return
    try:
        os.killpg(pid, number)
    except ProcessLookupError:  # it has no group of its own yet
        os.kill(pid, number)


def _run(order: Mapping[str, Any]) -> None:
    """Be the command `litellm`, from here on."""
    os.setsid()
    output = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(order["environ"])
    if order["stock"]:
        remove_finalizer()
    fork_workers()
    sys.argv = ["litellm", *order["arguments"]]
    importlib.import_module("litellm.proxy.proxy_cli").run_server()


def _report_ended(answers: Any, running: set[int]) -> None:
    """Take the exit codes of children that have ended, once nothing else of their groups runs."""
    with contextlib.suppress(ChildProcessError):
        while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            pid = found.si_pid
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)  # its pid is its own until the next line
            _, status = os.waitpid(pid, 0)
            running.discard(pid)
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
