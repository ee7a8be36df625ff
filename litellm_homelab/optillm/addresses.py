"""The addresses under which a gateway can be reached, however they are written; no name is looked up."""

from __future__ import annotations

import ipaddress
import socket
import string
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

Address: TypeAlias = tuple[str, int]
"""A host in one spelling, and a port."""

LOOPBACK: Final = "loopback"
"""The one spelling of every loopback and every any-address: they all reach this machine."""

_PORTS: Final = {"http": 80, "https": 443}
_LOCAL_NAMES: Final = frozenset(
    {"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback", LOOPBACK}
)
_AROUND: Final = string.whitespace + "[]"
"""What may be around a host, in any order."""


def own_addresses(port: int, hostnames: Iterable[str] = ()) -> frozenset[Address]:
    """Return the addresses of a gateway on `port`: loopback, and the machine's names and IPs as given."""
    return frozenset((host, port) for host in {LOOPBACK, *map(host_of, hostnames)})


def address_of(url: str) -> Address | None:
    """
    Return the address that a URL such as `http://127.1:4000/v1` leads to; None where it has none.

    A missing scheme is http, a missing port the scheme's. Loopback in any spelling is one address.
    """
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port or _PORTS.get(parts.scheme)
        host = parts.hostname
    except ValueError:
        return None
    return (host_of(host), port) if host and port else None


def host_of(host: str) -> str:
    """Return one spelling of a host: lower case, no final dot, IPs in their shortest form, one loopback."""
    name = host.lstrip(_AROUND).rstrip(_AROUND + ".").lower()
    if name in _LOCAL_NAMES or name.endswith(".localhost"):
        return LOOPBACK
    address = _ip(name)
    if address is None:
        return name
    return LOOPBACK if address.is_loopback or address.is_unspecified else str(address)


def _ip(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return _classic(name)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _classic(name: str) -> ipaddress.IPv4Address | None:
    # `127.1`, `2130706433` and `0x7f000001` reach 127.0.0.1 too; inet_aton reads them without any look-up.
    try:
        return ipaddress.IPv4Address(socket.inet_aton(name))
    except (OSError, ValueError):
        return None
