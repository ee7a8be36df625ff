"""What a LiteLLM takes from clients and offers to callbacks, as sets of names; what is unreviewed of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

NOTICE: Final = "that litellm-homelab has not reviewed"
"""Words of the start's line, by which `litellm-homelab up` finds it in LiteLLM's log."""


@dataclass(frozen=True, slots=True)
class Surface:
    """Everything by which a request or a callback may reach something in LiteLLM, in sorted sets of names."""

    routes: frozenset[str] = frozenset()
    """`METHOD /path`, the path as LiteLLM writes it; `*` for a mounted app, `WS` for a websocket."""
    parameters: frozenset[str] = frozenset()
    """Names that LiteLLM's functions take from a request."""
    call_types: frozenset[str] = frozenset()
    hooks: frozenset[str] = frozenset()
    """Methods of `CustomLogger`."""
    headers: frozenset[str] = frozenset()
    """Names in lower case; one that ends with `-` is the beginning of names."""

    def without(self, reviewed: Surface) -> Surface:
        """What is not reviewed."""
        return Surface(*(getattr(self, one.name) - getattr(reviewed, one.name) for one in fields(self)))

    def __or__(self, other: Surface) -> Surface:
        return Surface(*(getattr(self, one.name) | getattr(other, one.name) for one in fields(self)))

    def __bool__(self) -> bool:
        return any(getattr(self, one.name) for one in fields(self))


def written(surface: Surface) -> str:
    """A surface as text: a heading in brackets for each kind, one name a line, sorted."""
    return "\n".join(
        "\n".join((f"[{one.name}]", *sorted(getattr(surface, one.name)), "")) for one in fields(surface)
    )


def parse(text: str) -> Surface:
    """The surface of such a text; lines that begin with `#` are comments."""
    found: dict[str, set[str]] = {}
    kind: set[str] = set()
    for line in text.splitlines():
        if line.startswith("["):
            kind = found.setdefault(line.strip("[]"), set())
        elif line and not line.startswith("#"):
            kind.add(line)
    return Surface(**{name: frozenset(names) for name, names in found.items()})


def sentence(version: str, unreviewed: Surface) -> str | None:
    """The start's line; None where everything is reviewed."""
    if not unreviewed:
        return None
    counts = (_count(len(getattr(unreviewed, one.name)), one.name) for one in fields(unreviewed))
    return (
        f"LiteLLM {version} brings {', '.join(counts)} {NOTICE}; they are closed, and everything else works. "
        "Install a newer litellm-homelab, or a LiteLLM that the README lists as tested. LITELLM_LOG=DEBUG "
        "logs their names."
    )


def _count(number: int, kind: str) -> str:
    words = kind.replace("_", " ")
    return f"{number} {words.removesuffix('s') if number == 1 else words}"
