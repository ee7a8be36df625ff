"""What the demo backends are started with: ports, model names, speed, and OptiLLM's two keys."""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

CONTROL: Final = "control"
CHAT_BACKENDS: Final = ("mlx", "vllm", "ollama", "cloud")
BACKENDS: Final = (*CHAT_BACKENDS, "optillm", "searxng")

DEFAULT_PORTS: Final[Mapping[str, int]] = {
    CONTROL: 4100,
    "mlx": 4101,
    "vllm": 4102,
    "ollama": 4103,
    "cloud": 4104,
    "optillm": 4105,
    "searxng": 4106,
}
DEFAULT_MODELS: Final[Mapping[str, tuple[str, ...]]] = {
    "mlx": ("mlx-demo-7b-q4", "mlx-demo-embed-1b-q4"),
    "vllm": ("demo-vllm",),
    "ollama": ("demo-ollama",),
    "cloud": ("demo-cloud",),
}


@dataclass(frozen=True, slots=True)
class OptillmConfig:
    """How the OptiLLM stand-in reaches its upstream, and who may call it.

    ``gate_key`` empty means no gate: then a caller's ``sk-`` bearer is forwarded upstream, as OptiLLM 0.4.0
    does.  ``calls_per_second`` and ``in_flight`` bound all calls upstream together (see ``Throttle``), and
    ``calls_per_run`` those of one request; beyond them it answers 503 with ``x-should-retry: false``.
    """

    upstream: str = "http://127.0.0.1:4000/v1"
    upstream_key: str = "demo-no-key"
    gate_key: str = "demo-optillm-gate"
    approach: str = "none"
    calls_per_second: float = 200.0
    in_flight: int = 64
    calls_per_run: int = 500


@dataclass(frozen=True, slots=True)
class DemoConfig:
    """The settings of one demo: ``ports`` and ``models`` by backend name, ``pace`` in tokens per second.

    A backend missing from ``ports`` gets its default port; port 0 takes a free one.  ``pace`` 0 streams
    without delay.  ``cloud_key`` empty accepts any non-empty bearer.
    """

    ports: Mapping[str, int] = field(default_factory=dict)
    models: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pace: float = 40.0
    cloud_key: str = ""
    optillm: OptillmConfig = field(default_factory=OptillmConfig)
    clock: Callable[[], float] = time.time
    """By which limits are counted: seconds since the epoch."""

    def __post_init__(self) -> None:
        _check_names("port", self.ports, DEFAULT_PORTS)
        _check_names("model", self.models, DEFAULT_MODELS)
        if self.pace < 0:
            raise ValueError(
                f"pace: tokens per second cannot be negative (got {self.pace}; 0 means no delay)"
            )

    @classmethod
    def for_tests(
        cls, models: Mapping[str, tuple[str, ...]] | None = None, optillm: OptillmConfig | None = None
    ) -> DemoConfig:
        """Every backend on a free port, without delays."""
        free = dict.fromkeys(DEFAULT_PORTS, 0)
        return cls(ports=free, models=models or {}, pace=0, optillm=optillm or OptillmConfig())

    def port(self, name: str) -> int:
        """The port asked for; 0 means any free one."""
        return self.ports.get(name, DEFAULT_PORTS[name])

    def served(self, name: str) -> tuple[str, ...]:
        """The model names that a chat backend lists and accepts."""
        return self.models.get(name, DEFAULT_MODELS[name])


def _check_names(what: str, given: Mapping[str, object], known: Mapping[str, object]) -> None:
    for name in given:
        if name not in known:
            raise ValueError(f"demo: {what} for unknown backend {name!r} (known: {', '.join(known)})")


def models_from_env(environ: Mapping[str, str], ports: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """Which models the gateway's environment asks of each chat backend.

    Reads pairs ``X_API_BASE`` and ``X_MODEL`` whose base is a loopback address on one of ``ports``; the
    provider in front of the first slash is dropped, as LiteLLM drops it before it calls.
    """
    by_port = {ports.get(name, DEFAULT_PORTS[name]): name for name in CHAT_BACKENDS}
    found: dict[str, dict[str, None]] = {}
    for prefix, port in _loopback_bases(environ):
        model = environ.get(f"{prefix}_MODEL", "").partition("/")[2] or environ.get(f"{prefix}_MODEL", "")
        if model and port in by_port:
            found.setdefault(by_port[port], {})[model] = None
    return {name: tuple(models) for name, models in found.items()}


def _loopback_bases(environ: Mapping[str, str]) -> Iterator[tuple[str, int | None]]:
    for name, value in environ.items():
        prefix, suffix = name[: -len("_API_BASE")], name[-len("_API_BASE") :]
        if suffix != "_API_BASE":
            continue
        try:
            base = urllib.parse.urlsplit(value)
            port = base.port
        except ValueError:  # not an address: nothing of ours, and not ours to complain about
            continue
        if base.hostname in ("127.0.0.1", "localhost"):
            yield prefix, port
