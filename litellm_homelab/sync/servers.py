"""Addresses of servers, compared by where they lead: not by how they are written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from litellm_homelab.backends.rule import Place, place

VERSION: Final = "v1"


def server(url: str) -> Place | str:
    """
    One value for all spellings of a server's address; the text itself where it is no address.

    Case of the host, a default port, slashes at the end and `/v1` make no difference.
    """
    found = place(url)
    if found is None:
        return url
    segments = found.segments[:-1] if found.segments[-1:] == (VERSION,) else found.segments
    return Place(found.origin, segments)


def is_at(url: str, listed: Iterable[str]) -> bool:
    """Whether an address is at one of those of `homelab.backends.<name>.at`, or below it."""
    found = place(url)
    return found is not None and any(one is not None and one.covers(found) for one in map(place, listed))
