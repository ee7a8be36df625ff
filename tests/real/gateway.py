"""Stock LiteLLM as a real process on a router.yaml, with the demo backends behind it."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import httpx

from litellm_homelab.cli.logtail import readable_tail
from litellm_homelab.demo.config import DEFAULT_PORTS, DemoConfig, models_from_env
from litellm_homelab.demo.thread import DemoThread, running_demo
from tests.measured import coverage_environ
from tests.real.preloaded import Forked, Starter, children_of

REPOSITORY = Path(__file__).parents[2]
ROUTER = REPOSITORY / "config" / "router.yaml"
EXAMPLE = REPOSITORY / "config" / "env.example"
LOCAL_PORT: Final = re.compile(r"(127\.0\.0\.1:)(\d+)")
STARTER: Final = Starter()
Process = subprocess.Popen[bytes] | Forked
STARTED: Final[dict[int, Process]] = {}
"""By their ports."""
START_SECONDS = 300
"""A LiteLLM start takes 11 to 14 s on two idle cores; four workers 42 s, and other tests run beside them."""


@dataclass(slots=True)
class Gateway:
    """A running LiteLLM: where it is, its master key, the demo backends behind it, its log."""

    url: str
    key: str
    demo: DemoThread
    log: Path
    environ: Mapping[str, str]
    client: httpx.Client = field(repr=False)

    def post(self, path: str, body: object, **kwargs: object) -> httpx.Response:
        """POST JSON with the master key."""
        return self.client.post(path, json=body, **kwargs)  # type: ignore[arg-type]

    def chat(self, model: str, text: str = "hello", **fields: object) -> httpx.Response:
        """One chat completion."""
        messages = [{"role": "user", "content": text}]
        return self.post("/v1/chat/completions", {"model": model, "messages": messages, **fields})

    def sent(self, backend: str | None = None) -> list[str]:
        """`METHOD path model` of what the backends received since the last clear, in order."""
        seen = self.demo.requests(backend)
        return [f"{one.method} {one.path} {(one.json or {}).get('model', '')}" for one in seen]


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def read_env(path: Path = EXAMPLE) -> dict[str, str]:
    """The variables of an env file, with fresh secrets where it says `generate` or `sk-generate`."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {name: _fresh(value) for name, value in pairs}


def _fresh(value: str) -> str:
    secret = secrets.token_urlsafe(24)
    return {"generate": secret, "sk-generate": f"sk-{secret}"}.get(value, value)


def moved(environ: Mapping[str, str], demo: DemoThread) -> dict[str, str]:
    """The environment with the demo's real ports in the place of the default ones."""
    ports = {backend: demo.port(backend) for backend in DEFAULT_PORTS}
    return {name: with_ports(value, ports) for name, value in environ.items()}


def with_ports(text: str, ports: Mapping[str, int]) -> str:
    """
    A text with each backend's port in the place of its default one.

    All at once, and by whole numbers: a free port such as 41077 begins like the default port 4107.
    """
    moves = {str(port): str(ports[backend]) for backend, port in DEFAULT_PORTS.items()}
    return LOCAL_PORT.sub(lambda found: f"{found[1]}{moves.get(found[2], found[2])}", text)


@contextlib.contextmanager
def gateway(
    config: Path = ROUTER,
    *,
    environ: Mapping[str, str] | None = None,
    arguments: tuple[str, ...] = (),
) -> Iterator[Gateway]:
    """Run the demo backends and LiteLLM on `config` for the length of the block."""
    variables = {**read_env(), **(environ or {})}
    demo_config = DemoConfig.for_tests(models=models_from_env(variables, DEFAULT_PORTS))
    port = free_port()
    demo_config = with_upstream(demo_config, port, variables)
    with running_demo(demo_config) as demo:
        variables = moved(variables, demo)
        with litellm(config, port, variables, arguments) as log:
            url, key = f"http://127.0.0.1:{port}", variables["LITELLM_MASTER_KEY"]
            headers = {"Authorization": f"Bearer {key}"}
            with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
                demo.clear_requests()
                yield Gateway(url, key, demo, log, variables, client)


def with_upstream(config: DemoConfig, port: int, environ: Mapping[str, str]) -> DemoConfig:
    """Tell the OptiLLM stand-in which gateway to call back, and with which keys."""
    optillm = replace(
        config.optillm,
        upstream=f"http://127.0.0.1:{port}/v1",
        upstream_key=environ["OPTILLM_UPSTREAM_KEY"],
        gate_key=environ["OPTILLM_GATE_KEY"],
    )
    return replace(config, optillm=optillm)


@contextlib.contextmanager
def litellm(
    config: Path, port: int, environ: Mapping[str, str], arguments: tuple[str, ...] = ()
) -> Iterator[Path]:
    """Run `litellm --config` until the block ends; raises with the log's tail if it ends before."""
    with tempfile.TemporaryDirectory(prefix="gateway-") as folder:
        log = Path(folder) / "litellm.log"
        log.touch()
        process = start(config, port, environ, arguments, log)
        try:
            _wait_until_ready(process, port, log)
            yield log
            assert (code := code_of(process)) is None, f"LiteLLM ended with {code}:\n{tail(log)}"
        finally:
            end(process)


def start(
    config: Path, port: int, environ: Mapping[str, str], arguments: tuple[str, ...], log: Path
) -> Process:
    """
    Start stock LiteLLM in a process group of its own.

    The `litellm` command itself runs where coverage is measured, or with other folders of modules. Else a
    process that has imported LiteLLM before runs the command.
    """
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    measured = coverage_environ()
    # PYTHONPATH: the package of this checkout, wherever another one is installed.
    own = {"PYTHONPATH": python_path(environ), "PORT": str(port)}
    variables = {**inherited, **measured, **environ, **own}
    options = ["--config", str(config), "--host", "127.0.0.1", "--port", str(port), *arguments]
    if measured or "PYTHONPATH" in environ:
        STARTED[port] = _command(variables, options, log)
    else:
        is_stock = "litellm_homelab" not in config.read_text(encoding="utf-8", errors="replace")
        STARTED[port] = STARTER.start(variables, options, log, is_stock=is_stock)
    return STARTED[port]


def process_on(port: int) -> Process:
    """The LiteLLM that was started last on a port."""
    return STARTED[port]


def _command(environ: Mapping[str, str], options: list[str], log: Path) -> Process:
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(Path(sys.executable).parent / "litellm"), *options],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def python_path(environ: Mapping[str, str]) -> str:
    """Folders before the installed packages: those of the test, then this checkout."""
    return os.pathsep.join(part for part in (environ.get("PYTHONPATH"), str(REPOSITORY)) if part)


def _wait_until_ready(process: Process, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if (code := code_of(process)) is not None:
            raise AssertionError(f"LiteLLM ended with {code}:\n{tail(log)}")
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"http://127.0.0.1:{port}/health/liveliness", timeout=2).status_code == 200:
                return
        time.sleep(0.25)
    raise AssertionError(f"LiteLLM was not ready after {START_SECONDS} s:\n{tail(log)}")


def end(process: Process) -> None:
    """End a process and its workers: asked first, then made to."""
    if isinstance(process, Forked):
        process.signal_group(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)
        process.signal_group(signal.SIGKILL)
    elif process.returncode is None:  # else its exit code was taken, and another may have its pid
        os.killpg(process.pid, signal.SIGTERM)
        _wait_untaken(process.pid, seconds=15)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=15)


def code_of(process: Process) -> int | None:
    """
    The exit code of a process, None while it runs.

    That of a `Popen` is not taken: until `end` no other process can have its pid, which is its group's too.
    """
    if isinstance(process, Forked) or process.returncode is not None:
        return process.returncode
    found = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if found is None:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


def _wait_untaken(pid: int, seconds: float) -> None:
    """Wait until a process has ended, without taking its exit code."""
    deadline = time.monotonic() + seconds
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while os.waitid(os.P_PID, pid, options) is None and time.monotonic() < deadline:
        time.sleep(0.02)


def workers(port: int) -> Iterator[int]:
    """The worker processes of the gateway on a port."""
    process = STARTED[port]
    if isinstance(process, Forked):
        yield from children_of(process.pid)
        return
    for folder in Path("/proc").iterdir():
        try:
            command = (folder / "cmdline").read_bytes()
            environ = (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # no process, or one that has just ended
            continue
        if b"spawn_main" in command and f"PORT={port}".encode() in environ:
            yield int(folder.name)


def said(log: Path, lines: int = 40) -> str:
    """What our package wrote into a log, its last lines: why a rule failed, for the message of a test."""
    ours = (line for line in log.read_text(errors="replace").splitlines() if "homelab " in line)
    return "\n".join([*ours][-lines:])


def tail(log: Path, lines: int = 60) -> str:
    """The end of a log, readable."""
    return readable_tail(log.read_text(errors="replace"), lines)
