"""What ``litellm-homelab up`` is about to start: decided before anything runs."""

from __future__ import annotations

import argparse
import errno
import re
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from litellm_homelab.cli import demo, environment
from litellm_homelab.demo.config import CONTROL, DEFAULT_PORTS

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 4000
ANY_ADDRESS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - recognised, not bound
SAMPLES = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder in which workers keep their samples of metrics, to be added up."""
SAMPLES_NAMES = (SAMPLES, SAMPLES.lower())
"""What LiteLLM takes for it (read from 1.106.2)."""


WORKER_HEALTHCHECK_SECONDS = 60
"""
How long a worker may be silent before it is replaced.

Uvicorn's 5 seconds are too few for a slow machine, where LiteLLM's workers are busy importing for longer:
24 of them died and none was ever ready at a load of 6; with 60 none did, and a killed one was back after 13
seconds (measured on LiteLLM 1.106.2, two cores).
"""


_LOOPBACK = re.compile(r"(?P<host>http://(?:127\.0\.0\.1|localhost)):(?P<port>[0-9]{1,5})(?![0-9])")


class NotStartable(ValueError):
    """Nothing was started; the text lists every problem, one per line."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Addresses, files and the environment of one start."""

    config: Path
    env_file: Path
    environ: Mapping[str, str]
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    workers: int = 1
    demo_ports: Mapping[str, int] = field(default_factory=dict)
    """By backend name; empty: no demo backends."""

    @property
    def url(self) -> str:
        """The gateway's address, as a client on this machine writes it."""
        return f"http://{'127.0.0.1' if self.host in ANY_ADDRESS else self.host}:{self.port}"

    @property
    def needs_samples(self) -> bool:
        """
        Whether the gateway needs a folder of its own for its workers' samples.

        LiteLLM's default is one for all gateways of a machine, and each empties it when it starts (measured
        on 1.106.2). A folder that the operator named is used as it is.
        """
        return self.workers > 1 and not any(self.environ.get(name) for name in SAMPLES_NAMES)

    def make_samples(self) -> None:
        """
        Make the folder for samples that the operator named, where there are several workers.

        LiteLLM makes it too late: prometheus_client opens files in it as soon as it is imported.

        Raises:
            NotStartable: it cannot be made.

        """
        named = [self.environ[name] for name in SAMPLES_NAMES if self.environ.get(name)]
        for folder in named if self.workers > 1 else ():
            try:
                Path(folder).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise NotStartable(f"{SAMPLES}: cannot make the folder {folder}: {error.strerror}") from error

    @property
    def gateway_command(self) -> list[str | Path]:
        """Stock LiteLLM, the one installed beside this interpreter."""
        litellm = Path(sys.executable).with_name("litellm")
        address = ["--host", self.host, "--port", str(self.port)]
        workers = ["--num_workers", str(self.workers)]
        if self.workers > 1:
            workers += ["--timeout_worker_healthcheck", str(WORKER_HEALTHCHECK_SECONDS)]
        return [litellm, "--config", self.config, *address, *workers]

    @property
    def demo_command(self) -> list[str]:
        """This program's own ``demo``."""
        ports = [f"--port={name}={port}" for name, port in self.demo_ports.items()]
        return [sys.executable, "-m", "litellm_homelab.cli", "demo", *ports]


def make_plan(args: argparse.Namespace, environ: Mapping[str, str]) -> tuple[Plan, tuple[str, ...]]:
    """
    The plan, and what the operator should know about the environment.

    ``environ`` comes before ``env.local``: what is set already is not overridden.

    Raises:
        NotStartable: a file is missing or wrong, or a number is none.

    """
    config: Path = args.config
    if not config.is_file():
        raise NotStartable(f"{config}: no such file; start in the folder that has it, or give --config FILE")
    example = config.with_name("env.example")
    local: Path = args.env or config.with_name("env.local")
    try:
        found = environment.prepare(example, local)
    except ValueError as error:
        raise NotStartable(str(error)) from error
    values = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"} | dict(found.values) | dict(environ)
    demo_ports = _demo_ports(args, values)
    if not values.get("LITELLM_MASTER_KEY"):
        raise NotStartable(f"{local}: LITELLM_MASTER_KEY is not set; clients need a key")
    port = _number(values, "PORT", DEFAULT_PORT)
    plan = Plan(
        config=config,
        env_file=local,
        environ=_with_callback(_moved(values), port),
        host=values.get("HOST") or DEFAULT_HOST,
        port=port,
        workers=_number(values, "WORKERS", 1),
        demo_ports={} if values.get("DEMO") == "0" else demo_ports,
    )
    return plan, found.notes


def ports_in_use(plan: Plan) -> Iterator[str]:
    """One line for each port that something else listens on, and what to do about it."""
    if _is_in_use(plan.host, plan.port):
        yield f"port {plan.port} of {plan.host} is in use, the gateway needs it: choose another with PORT=..."
    for name, port in plan.demo_ports.items():
        if _is_in_use("127.0.0.1", port):
            what = "control page" if name == CONTROL else f"{name} backend"
            needed = f"port {port} of 127.0.0.1 is in use, the demo's {what} needs it"
            yield f"{needed}: move the demo with DEMO_PORT=5100, or start none with DEMO=0"


def _demo_ports(args: argparse.Namespace, values: Mapping[str, str]) -> dict[str, int]:
    """The demo's ports: from DEMO_PORT on, as far apart as the default ones; then what ``args`` name."""
    try:
        asked = demo.config_from(argparse.Namespace(port=args.demo_port, model=[], pace=0), {})
    except ValueError as error:
        raise NotStartable(str(error)) from error
    if free := [name for name in DEFAULT_PORTS if not asked.port(name)]:
        raise NotStartable(
            f"--demo-port: {', '.join(free)}=0 (valid: 1 to 65535, which env.local then names)"
        )
    moved = _shift(values)
    return {name: asked.ports.get(name, port + moved) for name, port in DEFAULT_PORTS.items()}


def _shift(values: Mapping[str, str]) -> int:
    """How far DEMO_PORT moves the demo's ports."""
    first = DEFAULT_PORTS[CONTROL]
    last = 65535 - (max(DEFAULT_PORTS.values()) - first)
    asked = _number(values, "DEMO_PORT", first)
    if asked > last:
        raise NotStartable(
            f"DEMO_PORT={asked}: the demo takes {len(DEFAULT_PORTS)} ports (valid: 1 to {last})"
        )
    return asked - first


def _moved(values: Mapping[str, str]) -> dict[str, str]:
    """The environment with the addresses of the demo's backends moved as DEMO_PORT says."""
    shift = _shift(values)
    return {name: _moved_address(name, value, shift) for name, value in values.items()}


def _moved_address(name: str, value: str, shift: int) -> str:
    match = _LOOPBACK.match(value) if shift and name.endswith("_API_BASE") else None
    if match is None or int(match["port"]) not in DEFAULT_PORTS.values():
        return value
    return f"{match['host']}:{int(match['port']) + shift}{value[match.end() :]}"


def _with_callback(values: Mapping[str, str], port: int) -> dict[str, str]:
    """OptiLLM calls back on the port that was asked for, unless it is set."""
    upstream = values.get("OPTILLM_UPSTREAM_API_BASE") or f"http://127.0.0.1:{port}/v1"
    return {**values, "PORT": str(port), "OPTILLM_UPSTREAM_API_BASE": upstream}


def _number(values: Mapping[str, str], name: str, default: int) -> int:
    text = values.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise NotStartable(f"{name}={text}: not a number from 1 to 65535")
    return int(text)


def _is_in_use(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise NotStartable(
                f"{host}:{port}: {error.strerror}; HOST must be an address of this machine"
            ) from error
    return False
