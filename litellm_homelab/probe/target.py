"""Whom to ask: an address and a key that can be sent, or a reason why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

VERSION: Final = "/v1"


class TargetUnusable(Exception):
    """What was given cannot be used: the address, or the key."""


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """A server: its address without `/v1`, and the key for it (empty: none is sent)."""

    root: str
    key: str = field(default="", repr=False)

    @property
    def api_base(self) -> str:
        """The address as a router.yaml has it."""
        return self.root + VERSION


def target(base: str, key: str = "") -> ProbeTarget:
    """
    The server at an address, with or without `/v1` or a path of its API behind it.

    Raises:
        TargetUnusable: it is not an address, has a key or a query in it, or the key cannot be in a header.

    """
    if not _is_plain(base):
        raise TargetUnusable("the address has a space or a special character in it")
    try:
        parts = urlsplit(base if "://" in base else f"http://{base}")
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise TargetUnusable("the address is not usable (valid: http://127.0.0.1:8000)")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise TargetUnusable(
            "the address has more in it than host, port and path; a key does not belong there"
        )
    if not _is_plain(key):
        raise TargetUnusable("the key has a space or a special character in it")
    path = parts.path.rstrip("/").removesuffix("/chat/completions").removesuffix("/models")
    return ProbeTarget(f"{parts.scheme}://{parts.netloc}{path.removesuffix(VERSION)}", key)


def _is_plain(text: str) -> bool:
    """Whether a text can be in a request line or a header as it is."""
    return all(32 < ord(one) < 127 for one in text)


def key_of(variable: str, environ: Mapping[str, str]) -> str:
    """
    The key that a variable contains.

    Raises:
        TargetUnusable: it is not set, or empty. The text does not repeat what was given: it may be a key.

    """
    key = environ.get(variable, "").strip()
    if not key:
        raise TargetUnusable("the variable that contains the key is not set, or empty; --key-env names it")
    return key
