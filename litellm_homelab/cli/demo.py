"""``litellm-homelab demo``: run the embedded demo backends until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from litellm_homelab.demo.config import CONTROL, DEFAULT_PORTS, DemoConfig, OptillmConfig, models_from_env

if TYPE_CHECKING:
    from litellm_homelab.demo.server import Demo

_EPILOG = """\
environment:
  X_API_BASE, X_MODEL         a pair whose base is a chat backend's address adds that model to the backend
  OPTILLM_UPSTREAM_API_BASE   what the OptiLLM stand-in calls back (default http://127.0.0.1:4000/v1)
  OPTILLM_UPSTREAM_KEY        its key there
  OPTILLM_GATE_KEY            the key that its callers must send; set but empty: no gate
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the ``demo`` subcommand; its parsed arguments carry ``run``."""
    about = "Run the embedded demo backends on 127.0.0.1 until Ctrl-C; no model runs."
    parser = subparsers.add_parser(
        "demo",
        help="run the embedded demo backends",
        description=about,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port",
        action="append",
        default=[],
        metavar="NAME=PORT",
        help=f"another port for one backend, 0 for a free one; ALL=0 for all ({', '.join(DEFAULT_PORTS)})",
    )
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="NAME=MODEL",
        help="a model that a backend serves; repeatable",
    )
    parser.add_argument(
        "--pace",
        type=float,
        default=40.0,
        metavar="N",
        help="tokens per second when streaming (40; 0: all without a pause)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print name, url and port of each as one JSON line"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM: 0; 2 for an argument or a port that cannot be used."""
    import asyncio  # here, so that `--help` and `up` start without it: half of their processor time

    try:
        config = config_from(args, os.environ)
        asyncio.run(_serve(config, as_json=args.json))
    except (ValueError, OSError) as error:
        print(f"litellm-homelab demo: {error}", file=sys.stderr)
        return 2
    return 0


def config_from(args: argparse.Namespace, environ: Mapping[str, str]) -> DemoConfig:
    """The settings from the arguments and, for what they leave open, the gateway's environment."""
    ports = _ports(args.port)
    models = models_from_env(environ, ports)
    named: dict[str, tuple[str, ...]] = {}
    for name, model in _pairs("--model", args.model):
        named[name] = (*named.get(name, ()), model)
    return DemoConfig(ports=ports, models=models | named, pace=args.pace, optillm=_optillm(environ))


def _pairs(option: str, values: Sequence[str]) -> list[tuple[str, str]]:
    pairs = [value.partition("=") for value in values]
    for name, equals, value in pairs:
        if not (name and equals and value):
            raise ValueError(f"{option}: got {name + equals + value!r} (valid: NAME=VALUE, such as mlx=...)")
    return [(name, value) for name, _, value in pairs]


def _ports(values: Sequence[str]) -> dict[str, int]:
    ports: dict[str, int] = {}
    for name, port in _pairs("--port", values):
        if not port.isdecimal() or int(port) > 65535:
            raise ValueError(f"--port: {name}={port} (valid: 0 to 65535)")
        ports |= dict.fromkeys(DEFAULT_PORTS, int(port)) if name == "ALL" else {name: int(port)}
    return ports


def _optillm(environ: Mapping[str, str]) -> OptillmConfig:
    defaults = OptillmConfig()
    return replace(
        defaults,
        upstream=environ.get("OPTILLM_UPSTREAM_API_BASE") or defaults.upstream,
        upstream_key=environ.get("OPTILLM_UPSTREAM_KEY") or defaults.upstream_key,
        gate_key=environ.get("OPTILLM_GATE_KEY", defaults.gate_key),
    )


async def _serve(config: DemoConfig, *, as_json: bool) -> None:
    # Imported here so that `--help` and every other subcommand start without the servers.
    import asyncio

    from litellm_homelab.demo.server import Demo

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Demo(config) as demo:
        _announce(demo, as_json=as_json)
        await stop.wait()


def _announce(demo: Demo, *, as_json: bool) -> None:
    if as_json:
        names = (CONTROL, *demo.as_dict())
        print(
            json.dumps({name: {"url": demo.url(name), "port": demo.port(name)} for name in names}), flush=True
        )
    else:
        print("\n".join(demo.lines()))
    with contextlib.suppress(BrokenPipeError):
        print("ready", flush=True)
