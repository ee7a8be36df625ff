"""A real OptiLLM, in the versions that `make` installs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.gateway import free_port
from tests.real.server import VENVS, running

VERSIONS = ("0.4.0", "0.3.12")


@dataclass(frozen=True, slots=True)
class OptillmServer:
    """A running OptiLLM: ``api_base`` ends in /v1; its log, while it runs."""

    api_base: str
    log: Path


@contextmanager
def optillm_server(
    version: str,
    base_url: str,
    upstream_key: str,
    gate_key: str = "",
    approach: str = "none",
    arguments: tuple[str, ...] = (),
    port: int | None = None,
) -> Iterator[OptillmServer]:
    """
    Run one OptiLLM for the length of the block, with ``base_url`` as its upstream.

    Its key there comes from ``OPENAI_API_KEY``; the gate key is an argument, since in the variable
    ``OPTILLM_API_KEY`` it would switch to local inference.  ``/health`` asks for no key and calls no upstream
    (measured on OptiLLM 0.4.0 and 0.3.12).  It listens on ``port``, or on any.
    """
    port = port or free_port()
    command: list[str | Path] = [VENVS / f"optillm-{version}" / "bin" / "optillm", *arguments]
    command += ["--host", "127.0.0.1", "--port", str(port), "--base-url", base_url, "--approach", approach]
    if gate_key:
        command += ["--optillm-api-key", gate_key]
    environ = {"OPENAI_API_KEY": upstream_key}
    with running(f"optillm-{version}", command, environ, health=f"http://127.0.0.1:{port}/health") as child:
        yield OptillmServer(api_base=f"http://127.0.0.1:{port}/v1", log=child.log)
