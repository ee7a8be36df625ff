"""How the address of a page may be written."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.mcp_server.addresses import AddressRule
from litellm_homelab.mcp_server.faults import ToolFault
from litellm_homelab.mcp_server.locations import LONGEST, location_of

HOST = "not a name or an address"
NOTATION = "unusual notation"


@pytest.mark.parametrize(
    ("text", "host", "port", "url"),
    [
        ("https://example.org", "example.org", 443, "https://example.org"),
        (" http://EXAMPLE.org:8080/a?b=c#d ", "example.org", 8080, "http://example.org:8080/a?b=c"),
        ("https://exämple.org/ü", "xn--exmple-cua.org", 443, "https://xn--exmple-cua.org/%C3%BC"),
        ("http://a_b.example.org./", "a_b.example.org.", 80, "http://a_b.example.org./"),
        ("http://nas:/", "nas", 80, "http://nas/"),
    ],
)
def test_names(text: str, host: str, port: int, url: str) -> None:
    """Host and port as they are connected to; no fragment."""
    found = location_of(text)
    assert (found.host, found.port, found.address) == (host, port, None)
    assert str(found.url.copy_with(host=host)) == url


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://192.0.2.1/", "192.0.2.1"),
        ("http://[::1]:8080/", "::1"),
        ("http://[::ffff:127.0.0.1]/", "::ffff:127.0.0.1"),
        ("http://[0:0:0:0:0:0:0:1]/", "::1"),
    ],
)
def test_addresses(text: str, address: str) -> None:
    """An address is known as one, and need not be resolved."""
    assert location_of(text).address == ip_address(address)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Write it whole"),
        ("example.org", "Only http and https"),
        ("//example.org", "Only http and https"),
        ("ftp://example.org/", "Only http and https"),
        ("file:///etc/passwd", "Only http and https"),
        ("gopher://127.0.0.1:6379/", "Only http and https"),
        ("data:text/html,x", "Only http and https"),
        ("javascript:alert(1)", "Only http and https"),
        ("http://user@example.org/", "user name or password"),
        ("http://user:word@example.org/", "user name or password"),
        ("http://example.org\\@127.0.0.1/", "user name or password"),
        ("http://h:0/", "port that does not exist"),
        ("http://h:99999/", "port that does not exist"),
        ("http:///x", HOST),
        ("http://%31%32%37.0.0.1/", NOTATION),
        ("http://%6eas/", HOST),
        ("http://ex ample/", HOST),
        ("http://a..b/", HOST),
        ("http://127.0.0.1%00.example.org/", HOST),
        ("http://[::1", "cannot be read"),
        ("http://\uff11\uff12\uff17.0.0.1/", "cannot be read"),
        ("http://①27.0.0.1/", "cannot be read"),
        ("http://a\nb/", "cannot be read"),
        ("http://h/" + "a" * LONGEST, "more than 8000 characters"),
    ],
)
def test_what_cannot_be_read(text: str, why: str) -> None:
    """Refused before anything is resolved, with a reason."""
    with pytest.raises(ToolFault, match=why):
        location_of(text)


def _notations(number: int) -> list[str]:
    """Ways in which resolvers read the same IPv4 address (inet_aton)."""
    parts = [number >> 24, number >> 16 & 255, number >> 8 & 255, number & 255]
    low = number & 0xFFFFFF
    return [
        str(number),
        hex(number),
        f"0{number:o}",
        f"{parts[0]}.{low}",
        f"{parts[0]:#x}.{low:#x}",
        f"{parts[0]}.{parts[1]}.{number & 0xFFFF}",
        ".".join(f"0x{one:02x}" for one in parts),
        ".".join(f"0{one:03o}" for one in parts),
        ".".join(f"{one:03d}" for one in parts) + ".",
    ]


@given(st.ip_addresses(v=4), st.data())
def test_no_other_notation_of_an_address_is_read(address: IPv4Address, data: st.DataObject) -> None:
    """Decimal, octal, hexadecimal, shortened, padded with zeros, with a dot at the end."""
    host = data.draw(st.sampled_from(_notations(int(address))))
    with pytest.raises(ToolFault, match=f"{NOTATION}|cannot be read"):
        location_of(f"http://{host}/")


@given(st.text(max_size=60))
def test_any_text_is_a_location_or_a_fault(text: str) -> None:
    """Nothing else comes out of it, whatever a model writes."""
    for one in (text, f"http://{text}", f"http://h/{text}"):
        try:
            found = location_of(one)
        except ToolFault:
            continue
        assert found.url.scheme in ("http", "https")
        assert found.host.isascii()


def test_at_an_address_only_the_host_changes() -> None:
    """The path, the query and the port are what was asked for."""
    found = location_of("https://example.org:8443/a%20b?c=d")
    assert str(found.at(ip_address("192.0.2.1"))) == "https://192.0.2.1:8443/a%20b?c=d"
    assert str(found.at(ip_address("2001:db8::1"))) == "https://[2001:db8::1]:8443/a%20b?c=d"


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("/b", "https://example.org/b"),
        ("b?x=1#y", "https://example.org/a/b?x=1"),
        ("//other.org/c", "https://other.org/c"),
        ("http://other.org:81/", "http://other.org:81/"),
    ],
)
def test_redirects_are_joined(reference: str, url: str) -> None:
    """As browsers join them."""
    assert str(location_of("https://example.org/a/").beside(reference).url) == url


@pytest.mark.parametrize(
    "reference", ["file:///etc/passwd", "http://u:p@h/", "http://0x7f000001/", "http://[::1"]
)
def test_a_redirect_is_judged_like_an_address(reference: str) -> None:
    """What may not be written may not be redirected to."""
    with pytest.raises(ToolFault):
        location_of("https://example.org/").beside(reference)


def test_what_is_read_is_what_is_judged() -> None:
    """The address of the location is the one for the rule: mapped loopback is refused as such."""
    address = location_of("http://[::ffff:7f00:1]/").address
    assert address is not None
    assert AddressRule().why_refused(address, 80) == "an IPv4 address inside IPv6"
