"""What each tested LiteLLM brings, from tests/surface/, which scripts/litellm_surface.py writes."""

from __future__ import annotations

import functools
from importlib.metadata import version
from pathlib import Path

from litellm_homelab.reviewed.surface import Surface, parse

FOLDER = Path(__file__).parent / "surface"


@functools.cache
def recorded() -> dict[str, Surface]:
    """The surface of each version."""
    return {path.stem: parse(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.txt"))}


def union() -> Surface:
    """What any of them brings."""
    return functools.reduce(Surface.__or__, recorded().values())


def has_route(method: str, path: str) -> bool:
    """Whether the installed LiteLLM has a route, as recorded; yes where this version is not recorded."""
    found = recorded().get(version("litellm"))
    return found is None or f"{method} {path}" in found.routes
