"""Which addresses are probed without being told to."""

from __future__ import annotations

import pytest

from litellm_homelab.backends.reach import is_local


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "[::1]", "0.0.0.0", "127.1"),
        *("10.0.0.7", "172.16.3.4", "192.168.178.20", "169.254.1.1", "[fd00::1]", "[fe80::1]"),
        *("100.64.0.1", "100.127.255.254", "[fd7a:115c:a1e0::1]", "gpu-box.tail1234.ts.net"),
        *("gpu-box", "vllm", "gpu-box.local", "gpu-box.lan", "nas.home.arpa", "host.docker.internal"),
    ],
)
def test_this_machine_and_this_house_are_local(host: str) -> None:
    """Loopback, private addresses, tailnets, and names that only a local network has."""
    assert is_local(host)


@pytest.mark.parametrize(
    "host",
    ["8.8.8.8", "100.63.255.255", "100.128.0.1", "[2606:4700::1]", "api.openai.com", "local.example.com"],
)
def test_the_rest_is_elsewhere(host: str) -> None:
    """A probe there could cost something, or count."""
    assert not is_local(host)
