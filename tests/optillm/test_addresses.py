"""Which URLs lead to this gateway."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from litellm_homelab.optillm.addresses import address_of, host_of, own_addresses

OWN = own_addresses(4000, ["Gate.Example.", "192.0.2.7", "[2001:db8::1]"])


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:4000/v1",
        "http://localhost:4000",
        "http://LOCALHOST.:4000/v1/",
        "http://[::1]:4000/v1",
        "http://0.0.0.0:4000",
        "http://[::]:4000",
        "http://127.0.0.53:4000",
        "http://127.1:4000",
        "http://2130706433:4000",
        "http://0x7f000001:4000",
        "http://[::ffff:127.0.0.1]:4000",
        "http://app.localhost:4000",
        "https://127.0.0.1:4000",
        "http://user:pass@127.0.0.1:4000/v1?x=1",
        "127.0.0.1:4000/v1",
        "localhost:4000",
        "http://gate.example:4000/v1",
        "http://192.0.2.7:4000",
        "http://[2001:0db8:0::1]:4000",
    ],
)
def test_knows_this_gateway(url: str) -> None:
    """Every spelling of loopback, and the given names, on our port are this gateway."""
    assert address_of(url) in OWN


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:4001/v1",
        "http://127.0.0.1/v1",
        "http://other.example:4000",
        "http://192.0.2.8:4000",
        "http://localhost.example:4000",
        "http://127.0.0.1:99999",
        "http://[::1:4000",
        "http://",
        "",
        "http://127.0.0.1:port",
    ],
)
def test_knows_what_is_not(url: str) -> None:
    """Another port or host is not this gateway, and no malformed URL raises."""
    assert address_of(url) not in OWN


def test_a_missing_port_is_the_schemes() -> None:
    """Without a port the scheme's own counts."""
    assert address_of("http://a.example") == ("a.example", 80)
    assert address_of("https://a.example") == ("a.example", 443)
    assert address_of("unix://a.example") is None


@example(": [")
@example("localhost. ]")
@given(st.text())
def test_any_text_is_read_without_raising(text: str) -> None:
    """Nothing that can stand in a setting raises, and one spelling stays one."""
    address_of(text)
    assert host_of(host_of(text)) == host_of(text)
