"""Facts of a gateway with a bit of everything, to change in a test."""

from __future__ import annotations

from typing import Final

from litellm_homelab.page.facts import (
    BackendFacts,
    Deployed,
    Facts,
    HourCounts,
    OpenRoot,
    QuotaWindow,
    RootFacts,
    SeenBackend,
    SeenRefusal,
    ShownSettings,
    WorkerFacts,
)

NOW: Final = 1_795_718_400.0
"""2026-11-26T18:40:00Z."""


def refusal(
    kind: str = "model_not_found",
    status: int = 404,
    handle: str | None = None,
    caller: str = "app",
    message: str = "no",
    at: float = NOW - 5,
) -> SeenRefusal:
    """One refusal of five seconds ago."""
    return SeenRefusal(at, kind, status, "showroom", handle, caller, message)


def worker(**changed: object) -> WorkerFacts:
    """What one worker knows: the GPU is up, the NAS is absent, a root is under way."""
    known: dict[str, object] = {
        "worker": "one",
        "started_at": NOW - 3600,
        "refusals": (refusal(),),
        "backends": {
            "gpu": SeenBackend("up", NOW - 60, ("qwen",)),
            "nas": SeenBackend("absent", NOW - 30),
        },
        "roots": (OpenRoot("a" * 28, "boost", "moa", "app", NOW - 4),),
        "paces": {"main": (90.0, 2)},
    }
    return WorkerFacts(**{**known, **changed})  # type: ignore[arg-type]


def facts(**changed: object) -> Facts:
    """The facts of one worker, with a chain, an OptiLLM, a queue and a quota."""
    shown = ShownSettings(
        "0.1.0",
        "1.108.7",
        (
            ("main", "chat", "handle"),
            ("cloud", "chat", "handle"),
            ("boost", "chat", "handle"),
            ("secret-one", "chat", "hidden"),
            ("base", "chat", "internal"),
        ),
        {"main": ("cloud",)},
        (("app", "client", ("main", "boost")), ("optillm", "optillm", None), ("me", "admin", None)),
        {"boost": ("base",)},
        {"free": ("cloud",)},
    )
    found: dict[str, object] = {
        "at": NOW,
        "shown": shown,
        "workers": 1,
        "seen": 1,
        "worker": worker(),
        "deployed": (
            Deployed("main", "nas"),
            Deployed("cloud", "there"),
            Deployed("boost", "lane"),
            Deployed("secret-one", "gpu"),
            Deployed("base", "gpu"),
        ),
        "backends": (
            BackendFacts("gpu", "vllm", True, slots=2, used=2, waiting=3, queue=20),
            BackendFacts("nas", "ollama", True),
            BackendFacts("there", "cloud"),
            BackendFacts("lane", "optillm"),
        ),
        "quotas": (QuotaWindow("free", "requests/day", 40, 50, NOW + 3600, "configuration"),),
        "roots": (RootFacts("a" * 28, "boost", "moa", "app", NOW - 4, 3, 2, 64, 120),),
        "hours": HourCounts(7, 1, NOW - 3600),
    }
    return Facts(**{**found, **changed})  # type: ignore[arg-type]
