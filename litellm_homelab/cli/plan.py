"""What ``litellm-homelab up`` is about to start: decided before anything runs."""

from __future__ import annotations

import argparse
import errno
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

    @property
    def gateway_command(self) -> list[str | Path]:
        """Stock LiteLLM, the one installed beside this interpreter."""
        litellm = Path(sys.executable).with_name("litellm")
        address = ["--host", self.host, "--port", str(self.port)]
        return [litellm, "--config", self.config, *address, "--num_workers", str(self.workers)]

    @property
    def demo_command(self) -> list[str]:
        """This program's own ``demo``."""
        ports = [f"--port={name}={port}" for name, port in self.demo_ports.items()]
        return [sys.executable, "-m", "litellm_homelab.cli", "demo", *ports]


def make_plan(args: argparse.Namespace, environ: Mapping[str, str]) -> tuple[Plan, tuple[str, ...]]:
    """
    The plan, and what to tell the operator about the environment.

    ``environ`` stands before ``env.local``: what is set already is not overridden.

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
        demo_ports = _demo_ports(args)
    except ValueError as error:
        raise NotStartable(str(error)) from error
    values = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"} | dict(found.values) | dict(environ)
    if not values.get("LITELLM_MASTER_KEY"):
        raise NotStartable(f"{local}: LITELLM_MASTER_KEY is not set; clients need a key")
    port = _number(values, "PORT", DEFAULT_PORT)
    plan = Plan(
        config=config,
        env_file=local,
        environ=_with_callback(values, port),
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
            yield f"port {port} of 127.0.0.1 is in use, the demo's {what} needs it: DEMO=0 starts no demo"


def _demo_ports(args: argparse.Namespace) -> dict[str, int]:
    asked = demo.config_from(argparse.Namespace(port=args.demo_port, model=[], pace=0), {})
    ports = {name: asked.port(name) for name in DEFAULT_PORTS}
    if free := [name for name, port in ports.items() if not port]:
        raise NotStartable(
            f"--demo-port: {', '.join(free)}=0 (valid: 1 to 65535, which env.local then names)"
        )
    return ports


def _with_callback(values: Mapping[str, str], port: int) -> dict[str, str]:
    """OptiLLM calls back on the port that was asked for, unless it was told otherwise."""
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
