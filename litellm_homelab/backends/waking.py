"""What wakes a machine: a magic packet, a URL, or a command."""

from __future__ import annotations

import re
from typing import Final

MAC: Final = re.compile(r"[0-9A-Fa-f]{2}([:-]?)(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}")
BROADCAST: Final = "255.255.255.255"
DISCARD: Final = 9
"""The port that magic packets are sent to by custom: nothing answers there."""
HIGHEST_PORT: Final = 65535


def is_mac(text: str) -> bool:
    """Whether a text is a hardware address: six pairs of hex digits, with `:`, `-` or nothing in between."""
    return MAC.fullmatch(text) is not None


def magic_packet(mac: str) -> bytes:
    """Six bytes of 0xFF, then the address sixteen times (AMD, Magic Packet Technology, 1995)."""
    return b"\xff" * 6 + bytes.fromhex(re.sub("[:-]", "", mac)) * 16


def destination(to: str | None) -> tuple[str, int]:
    """
    Host and port of `host`, `host:port`, `[v6]:port`; the local network's broadcast where nothing is given.

    Raises:
        ValueError: the port is not a number from 1 to 65535, or the host is missing.

    """
    if to is None:
        return BROADCAST, DISCARD
    host, colon, port = to.rpartition(":") if to.count(":") == 1 or "]:" in to else (to, "", "")
    number = int(port) if colon else DISCARD
    host = host.strip("[]")
    if not host or not 0 < number <= HIGHEST_PORT:
        raise ValueError(to)
    return host, number
