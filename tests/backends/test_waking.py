"""Magic packets, and where they go."""

from __future__ import annotations

import pytest

from litellm_homelab.backends import waking


@pytest.mark.parametrize(
    "mac", ["02:00:00:00:00:01", "02-00-00-00-00-01", "020000000001", "Aa:Bb:Cc:Dd:Ee:Ff"]
)
def test_a_packet_names_the_machine(mac: str) -> None:
    """Six bytes of 0xFF, then sixteen times the address."""
    packet = waking.magic_packet(mac)
    assert waking.is_mac(mac)
    assert (len(packet), packet[:6]) == (102, b"\xff" * 6)
    assert packet[6:] == bytes.fromhex(mac.replace(":", "").replace("-", "")) * 16


@pytest.mark.parametrize(
    "text", ["", "02:00:00:00:00", "02:00:00:00:00:0g", "02:00-00:00:00:01", "02:00:00:00:00:01:2"]
)
def test_anything_else_is_no_hardware_address(text: str) -> None:
    """The start says so."""
    assert not waking.is_mac(text)


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        pytest.param(None, ("255.255.255.255", 9), id="broadcast"),
        pytest.param("192.0.2.255:9", ("192.0.2.255", 9), id="subnet"),
        pytest.param("192.0.2.7", ("192.0.2.7", 9), id="unicast"),
        pytest.param("gpu-box:7", ("gpu-box", 7), id="name"),
        pytest.param("[fd00::1]:9", ("fd00::1", 9), id="v6 with a port"),
        pytest.param("fd00::1", ("fd00::1", 9), id="v6"),
    ],
)
def test_a_packet_goes_somewhere(to: str | None, expected: tuple[str, int]) -> None:
    """To the local network's broadcast by default; port 9 where none is given."""
    assert waking.destination(to) == expected


@pytest.mark.parametrize("to", ["", ":9", "gpu-box:", "gpu-box:0", "gpu-box:65536", "gpu-box:nine"])
def test_a_wrong_destination_is_none(to: str) -> None:
    """The start says so."""
    with pytest.raises(ValueError, match=r".*"):
        waking.destination(to)
