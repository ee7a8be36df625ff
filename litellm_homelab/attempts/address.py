"""Addresses compared as URLs: scheme, host, port and path by segments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

PORTS: Final = {"http": 80, "https": 443}
DOTS: Final = frozenset({".", ".."})
UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f\\%]")
"""What no segment of an upstream's path contains once decoded; `%` because a server might decode twice."""


@dataclass(frozen=True, slots=True)
class Address:
    """A URL in parts: `segments` are decoded, empty ones left out; `query` in order."""

    scheme: str
    host: str
    port: int
    segments: tuple[str, ...]
    query: tuple[tuple[str, str], ...]

    @property
    def url(self) -> str:
        """Scheme, host, port and path, as a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}" + "".join(f"/{quote(one)}" for one in self.segments)

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port."""
        return self.scheme, self.host, self.port


LONGEST_REMEMBERED: Final = 512
"""Characters of a URL whose parts are remembered: the same few come with every request."""


def parse(url: str) -> Address | None:
    """
    A URL in parts; None for one that is not http(s), or whose path no upstream of ours would have.

    Dot segments, backslashes, control characters and doubly encoded characters are read differently by
    different servers (RFC 3986, sections 5.2.4 and 2.1), so such a path is none.
    """
    return _remembered(url) if len(url) <= LONGEST_REMEMBERED else _parse(url)


def _parse(url: str) -> Address | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme not in PORTS or not host or parts.username or parts.password or parts.fragment:
        return None
    segments = tuple(unquote(one) for one in parts.path.split("/") if one)
    if any(one in DOTS or UNSAFE.search(one) or DOTS.intersection(one.split("/")) for one in segments):
        return None
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    return Address(parts.scheme, host, port or PORTS[parts.scheme], segments, query)


_remembered = lru_cache(maxsize=1024)(_parse)


def below(base: Address, address: Address) -> tuple[str, ...] | None:
    """The segments of `address` behind those of `base`; None where it is elsewhere."""
    length = len(base.segments)
    if base.origin != address.origin or address.segments[:length] != base.segments:
        return None
    return address.segments[length:]
