"""Whether an address in a request is a public one, as far as its text says."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Final
from urllib.parse import urlsplit

SCHEME: Final = re.compile(r"^[\s\x00-\x20]*([a-zA-Z][a-zA-Z0-9+.-]*):")
PUBLIC: Final = frozenset({"http", "https"})
LOCAL_NAMES: Final = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".intranet", ".home")
"""Ends of names that mean this machine or this network (RFC 6761, 6762, 8375, and clouds' own)."""
MCP_PATH: Final = re.compile(r"/mcp/[^/]+$")
"""An address that ends so is a tool server of LiteLLM's own where one has that name (1.106.2)."""
OWN_SERVER: Final = "litellm_proxy"
"""How LiteLLM's own tool servers are named (1.106.2)."""


def problem(text: str) -> str | None:
    """
    Why an address may not be fetched; None for data, for an id, and for a public http(s) address.

    A name is not resolved here: where LiteLLM fetches itself it checks what the name resolves to
    (`litellm.user_url_validation`, on by default, 1.106.2).
    """
    found = SCHEME.match(text)
    if found is None or found[1].lower() == "data":
        return "it must not begin with //" if text.lstrip().startswith("//") else None
    if found[1].lower() not in PUBLIC:
        return (
            None
            if "/" not in text[:200]
            else "only public http and https addresses and data: URLs are fetched"
        )
    return _host_problem(text)


def of_a_tool_server(value: object) -> str | None:
    """Why a tool server may not be named; None for a public https one that its provider would contact."""
    if not isinstance(value, str):
        return "it must be a public https address"
    if value.startswith(OWN_SERVER) or MCP_PATH.search(value):
        return "it names a tool server of the gateway itself"
    if not value.lower().startswith("https://"):
        return "it must be a public https address"
    return _host_problem(value)


def _host_problem(text: str) -> str | None:
    try:
        host = urlsplit(text.strip()).hostname or ""
    except ValueError:
        return "it is not an address"
    host = host.rstrip(".").lower()
    if "\\" in text or not host or not host.isprintable():
        return "it is not an address"
    number = _number(host)
    if number is not None:
        return None if number.is_global and not number.is_multicast else "it is not a public address"
    local = "." not in host or host.endswith(LOCAL_NAMES)
    return "it is not a public address" if local else None


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that a host is, in any spelling that resolvers read (`0x7f.1`, `2130706433`)."""
    try:
        found = ipaddress.ip_address(host.split("%", 1)[0])
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, UnicodeError):
            return None
    mapped = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    return mapped or found
