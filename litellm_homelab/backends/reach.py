"""Which addresses are on this machine or in this house: only those are probed by default."""

from __future__ import annotations

import ipaddress
from typing import Final

from litellm_homelab.optillm.addresses import LOOPBACK, host_of

TAILNET: Final = (ipaddress.ip_network("100.64.0.0/10"), ipaddress.ip_network("fd7a:115c:a1e0::/48"))
"""Addresses of tailnets (RFC 6598, and the documentation of Tailscale)."""
SUFFIXES: Final = (".local", ".lan", ".home", ".internal", ".home.arpa", ".ts.net", ".localdomain")
"""Ends of names that no public server has (RFC 6762, RFC 8375, ICANN's `.internal`), and of tailnets."""


def is_local(host: str) -> bool:
    """Whether a host is loopback, private, or in a tailnet; names without a dot are of the local network."""
    name = host_of(host)
    if name == LOOPBACK:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return "." not in name or name.endswith(SUFFIXES)
    return address.is_private or address.is_link_local or any(address in one for one in TAILNET)
