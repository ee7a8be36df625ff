"""Which addresses and ports a page may be read from: a pure rule, asked for every address of a name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_WORDS: Final = {
    "an unspecified address": ("0.0.0.0/8", "::/128"),
    "a loopback address": ("127.0.0.0/8", "::1/128"),
    "a private address": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
    "a shared address of CGNAT or a tailnet": ("100.64.0.0/10",),
    "a link-local address": ("169.254.0.0/16", "fe80::/10"),
    "a multicast address": ("224.0.0.0/4", "ff00::/8"),
    "an IPv4 address inside IPv6": ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "2002::/16", "2001::/32"),
    "a NAT64 address": ("64:ff9b::/96", "64:ff9b:1::/48"),
    "a reserved address": (
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "240.0.0.0/4", "2001::/23", "2001:db8::/32", "3fff::/20"),
    ),
}
_SPECIAL: Final = tuple((ip_network(text), word) for word, texts in _WORDS.items() for text in texts)
"""
Ranges of which no page of the web is served; the first that matches names an address.

IANA's registries of special-purpose addresses, RFC 6890; for CGNAT RFC 6598, for NAT64 RFC 6052 and 8215.
"""
_GLOBAL: Final = IPv6Network("2000::/3")
"""The only IPv6 addresses that are given out to hosts of the internet (RFC 4291, section 2.4)."""
METADATA: Final = frozenset(
    ip_address(text)
    for text in (
        *("169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16"),
        *("192.0.0.192", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254"),
    )
)
"""Where clouds hand out a machine's own credentials (AWS, Google, Azure, Alibaba, Oracle): never allowed."""
_IN_BRACKETS: Final = re.compile(r"\[([^\[\]]+)\](?::(.*))?")
_LOWEST: Final = 1024
_WEB: Final = frozenset({80, 443})
_OTHER_PROTOCOLS: Final = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6697, 10080}
)
"""Ports from 1024 on that browsers refuse (Fetch standard, "bad port"); with those of IRC below."""
_IRC: Final = range(6665, 6670)


@dataclass(frozen=True, slots=True)
class Opening:
    """Addresses that are allowed although they are special; with a port: only there."""

    network: Network
    port: int | None = None

    def covers(self, address: Address, port: int) -> bool:
        """Whether it is for this address at this port."""
        return address in self.network and self.port in (None, port)


def opening_of(text: str) -> Opening:
    """
    An opening as written: `192.168.1.5`, `192.168.1.0/24`, `127.0.0.1:8080`, `[::1]:8080`.

    Raises:
        ValueError: it is none; a name is none, since it can lead elsewhere tomorrow.

    """
    network, port = _without_port(text.strip())
    try:
        opening = Opening(ip_network(network), None if port is None else int(port))
    except ValueError:
        raise ValueError(
            f"{text!r} is not an address or network (valid: 192.168.1.5, 192.168.1.0/24, "
            "127.0.0.1:8080, [::1]:8080)"
        ) from None
    if opening.port is not None and not 0 < opening.port < 65536:
        raise ValueError(f"{text!r} has a port that does not exist (valid: 1 to 65535)")
    return opening


def _without_port(text: str) -> tuple[str, str | None]:
    if found := _IN_BRACKETS.fullmatch(text):
        return found[1], found[2]
    if text.count(":") == 1:
        network, _, port = text.partition(":")
        return network, port
    return text, None


@dataclass(frozen=True, slots=True)
class AddressRule:
    """Public addresses at ports of the web, and what is opened besides."""

    openings: Sequence[Opening] = ()

    def why_refused(self, address: Address, port: int) -> str | None:
        """
        What kind of address or port it is, where it is refused; None where it is allowed.

        An address with another one inside (IPv4-mapped, NAT64, 6to4, Teredo) is allowed where its own range
        is opened and the one inside is allowed too.
        """
        if isinstance(address, IPv6Address) and address.scope_id:
            return "a link-local address"
        if address in METADATA:
            return "a cloud's metadata address"
        opened = [one for one in self.openings if one.covers(address, port)]
        if not is_web_port(port) and all(one.port is None for one in opened):
            return f"port {port}, which is not for web pages"
        kind = kind_of(address)
        if kind is not None and not opened:
            return kind
        refused = (self.why_refused(one, port) for one in embedded(address))
        return next((why for why in refused if why), None)


def is_web_port(port: int) -> bool:
    """Whether pages are served there: 80, 443, and from 1024 on what is not another protocol's."""
    return port in _WEB or (_LOWEST <= port < 65536 and port not in _OTHER_PROTOCOLS and port not in _IRC)


def kind_of(address: Address) -> str | None:
    """What a special range is; None for an address of the public internet."""
    for network, word in _SPECIAL:
        if address in network:
            return word
    if isinstance(address, IPv6Address) and address not in _GLOBAL:
        return "a reserved address"
    return None


_LOW_BITS: Final = tuple(
    ip_network(text) for text in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")
)
_LOCAL_NAT64: Final = IPv6Network("64:ff9b:1::/48")


def embedded(address: Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that an IPv6 address leads to; of local NAT64 each place that RFC 6052 allows."""
    if isinstance(address, IPv4Address):
        return ()
    if address.teredo is not None:
        return address.teredo
    if address.sixtofour is not None:
        return (address.sixtofour,)
    number = int(address)
    if address in _LOCAL_NAT64:
        return (IPv4Address(number & 0xFFFFFFFF), IPv4Address(_around_the_gap(number)))
    if any(address in network for network in _LOW_BITS) and number > 1:
        return (IPv4Address(number & 0xFFFFFFFF),)
    return ()


def _around_the_gap(number: int) -> int:
    """RFC 6052, section 2.2, a /48 prefix: bits 48 to 63 and 72 to 87, around eight bits that are zero."""
    return ((number >> 64) & 0xFFFF) << 16 | (number >> 40) & 0xFFFF
