"""Whom to ask: an address and a key that can be sent, or a reason why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from litellm_homelab.formats.server_address import AddressUnusable, is_plain, server_address

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
    try:
        found = server_address(base, example="http://127.0.0.1:8000")
    except AddressUnusable as error:
        raise TargetUnusable(str(error)) from None
    if not is_plain(key):
        raise TargetUnusable("the key has a space or a special character in it")
    return ProbeTarget(found.below("/chat/completions", "/models", VERSION), key)


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
