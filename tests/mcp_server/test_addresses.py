"""Which addresses a page may be read from."""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.mcp_server.addresses import (
    METADATA,
    AddressRule,
    Opening,
    embedded,
    is_web_port,
    kind_of,
    opening_of,
)

CLOSED = AddressRule()
SPECIAL = {
    "0.0.0.0/8": "an unspecified address",
    "10.0.0.0/8": "a private address",
    "100.64.0.0/10": "a shared address of CGNAT or a tailnet",
    "127.0.0.0/8": "a loopback address",
    "169.254.0.0/16": "a link-local address",
    "172.16.0.0/12": "a private address",
    "192.0.0.0/24": "a reserved address",
    "192.0.2.0/24": "a reserved address",
    "192.168.0.0/16": "a private address",
    "198.18.0.0/15": "a reserved address",
    "198.51.100.0/24": "a reserved address",
    "203.0.113.0/24": "a reserved address",
    "224.0.0.0/4": "a multicast address",
    "240.0.0.0/4": "a reserved address",
    "::/128": "an unspecified address",
    "::1/128": "a loopback address",
    "::ffff:0:0/96": "an IPv4 address inside IPv6",
    "64:ff9b::/96": "a NAT64 address",
    "64:ff9b:1::/48": "a NAT64 address",
    "100::/64": "a reserved address",
    "2001::/32": "an IPv4 address inside IPv6",
    "2001:db8::/32": "a reserved address",
    "2002::/16": "an IPv4 address inside IPv6",
    "3fff::/20": "a reserved address",
    "5f00::/16": "a reserved address",
    "fc00::/7": "a private address",
    "fe80::/10": "a link-local address",
    "ff00::/8": "a multicast address",
}
"""IANA's special-purpose registries, by hand and not from the code; and multicast."""


@pytest.mark.parametrize("network", SPECIAL)
def test_the_ends_of_each_special_range(network: str) -> None:
    """First and last address are refused, with the word for the range or as a cloud's metadata."""
    found = ip_network(network)
    for address in (found[0], found[-1]):
        assert CLOSED.why_refused(address, 443) == SPECIAL[network]


@given(st.sampled_from([*SPECIAL]), st.data())
def test_every_address_of_a_special_range_is_refused(network: str, data: st.DataObject) -> None:
    """Wherever in the range, at any port."""
    address = data.draw(st.ip_addresses(network=network))
    assert CLOSED.why_refused(address, data.draw(st.integers(1, 65535))) is not None


@given(st.ip_addresses())
def test_nothing_is_allowed_that_python_calls_special(address: IPv4Address | IPv6Address) -> None:
    """Python's own reading of the registries is another source; ours refuses more, never less."""
    inside = [address, *embedded(address)]
    special = any(
        one.is_private or one.is_loopback or one.is_link_local or one.is_multicast or one.is_unspecified
        or one.is_reserved or not one.is_global
        for one in inside
    )  # fmt: skip
    if special:
        assert CLOSED.why_refused(address, 443) is not None


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_inside_ipv6_is_refused_in_each_way(address: IPv4Address) -> None:
    """Mapped, compatible, translated, NAT64, 6to4, Teredo: whatever the address inside is."""
    number = int(address)
    for outside in (
        IPv6Address(number),
        IPv6Address(0xFFFF << 32 | number),
        IPv6Address(0xFFFF << 48 | number),
        IPv6Address(int(IPv6Address("64:ff9b::")) | number),
        IPv6Address(int(IPv6Address("64:ff9b:1::")) | number),
        IPv6Address(0x2002 << 112 | number << 80),
        IPv6Address(0x20010000 << 96 | number << 64 | (number ^ 0xFFFFFFFF)),
    ):
        assert CLOSED.why_refused(outside, 443) is not None
        if number > 1:
            assert address in embedded(outside)


@given(st.ip_addresses(v=4))
def test_an_opened_range_does_not_open_what_is_inside(address: IPv4Address) -> None:
    """Where DNS64 gives NAT64 addresses to everything, a private one inside is still refused."""
    rule = AddressRule([opening_of("64:ff9b::/96")])
    outside = IPv6Address(int(IPv6Address("64:ff9b::")) | int(address))
    if int(address) > 1:
        assert (rule.why_refused(outside, 443) is None) == (CLOSED.why_refused(address, 443) is None)


def test_local_nat64_is_read_as_the_rfc_has_it() -> None:
    """RFC 6052, section 2.4: 192.0.2.33 behind a /48 prefix, around bits 64 to 71."""
    assert IPv4Address("192.0.2.33") in embedded(IPv6Address("64:ff9b:1:c000:2:2100::"))


@pytest.mark.parametrize("address", sorted(map(str, METADATA)))
def test_metadata_addresses_stay_refused(address: str) -> None:
    """Whatever is opened, the address itself included."""
    everything = AddressRule([opening_of("0.0.0.0/0"), opening_of("::/0"), opening_of(address)])
    assert everything.why_refused(ip_address(address), 80) == "a cloud's metadata address"
    mapped = IPv6Address(f"::ffff:{address}") if "." in address else None
    assert mapped is None or everything.why_refused(mapped, 80) == "a cloud's metadata address"


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450::1", "192.88.98.1"]
)
def test_public_addresses_are_allowed(address: str) -> None:
    """At the ports of the web."""
    assert CLOSED.why_refused(ip_address(address), 443) is None
    assert CLOSED.why_refused(ip_address(address), 22) == "port 22, which is not for web pages"


@pytest.mark.parametrize(
    ("port", "is_web"),
    [(80, True), (443, True), (8080, True), (65535, True)]
    + [(port, False) for port in (0, 21, 22, 25, 81, 445, 993, 1023, 2049, 5060, 6000, 6667, 10080, 65536)],
)
def test_ports(port: int, is_web: bool) -> None:
    """Low ports but two, and those of other protocols, are not for web pages."""
    assert is_web_port(port) is is_web


@pytest.mark.parametrize(
    ("text", "opening"),
    [
        ("192.168.1.5", Opening(ip_network("192.168.1.5/32"))),
        (" 192.168.1.0/24 ", Opening(ip_network("192.168.1.0/24"))),
        ("127.0.0.1:81", Opening(ip_network("127.0.0.1/32"), 81)),
        ("10.0.0.0/8:8080", Opening(ip_network("10.0.0.0/8"), 8080)),
        ("fd00::/8", Opening(ip_network("fd00::/8"))),
        ("[::1]:8080", Opening(ip_network("::1/128"), 8080)),
        ("[::1]", Opening(ip_network("::1/128"))),
    ],
)
def test_openings(text: str, opening: Opening) -> None:
    """An address or a network, with or without a port."""
    assert opening_of(text) == opening


@pytest.mark.parametrize(
    "text",
    [
        *("", "nas", "nas:80", "192.168.1.0/24:", "192.168.1.1/24", "127.1", "127.0.0.1:x", "127.0.0.1:0"),
        *("127.0.0.1:70000", "[::1]8080", "[::1", "::1:", "0x7f000001", "fe80::1%eth0/64"),
    ],
)
def test_what_is_no_opening(text: str) -> None:
    """Names, halves and odd notations are refused, with what is valid."""
    with pytest.raises(ValueError, match="valid: "):
        opening_of(text)


def test_an_opening_with_a_port_opens_that_port_only() -> None:
    """Also one that is not for web pages; without a port those stay closed."""
    rule = AddressRule([opening_of("127.0.0.1:81"), opening_of("10.0.0.0/8")])
    assert rule.why_refused(ip_address("127.0.0.1"), 81) is None
    assert rule.why_refused(ip_address("127.0.0.1"), 8080) == "a loopback address"
    assert rule.why_refused(ip_address("10.1.2.3"), 8080) is None
    assert rule.why_refused(ip_address("10.1.2.3"), 22) == "port 22, which is not for web pages"
    assert rule.why_refused(ip_address("::ffff:10.1.2.3"), 8080) == "an IPv4 address inside IPv6"


def test_an_address_with_a_zone_is_link_local() -> None:
    """Whatever is opened: httpx takes no zone."""
    everything = AddressRule([opening_of("::/0")])
    assert everything.why_refused(ip_address("fe80::1%eth0"), 80) == "a link-local address"
    assert everything.why_refused(ip_address("fd00:ec2::254%1"), 80) is not None


def test_kinds_have_words() -> None:
    """A public address has none."""
    assert kind_of(ip_address("8.8.8.8")) is None
    assert kind_of(ip_address("4000::1")) == "a reserved address"
    assert ipaddress.ip_address("fec0::1") in ip_network("fec0::/10")
    assert kind_of(ip_address("fec0::1")) == "a private address"
