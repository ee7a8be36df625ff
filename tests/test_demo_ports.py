"""The ports of the demo backends that a test starts take the place of the default ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.demo.config import DEFAULT_PORTS
from tests.real.gateway import with_ports

PORTS = st.fixed_dictionaries({name: st.integers(1024, 65535) for name in DEFAULT_PORTS})
TEXT = "\n".join(f"{name}=http://127.0.0.1:{port}/v1" for name, port in sorted(DEFAULT_PORTS.items()))


@given(PORTS)
def test_each_backend_gets_its_own_port(ports: dict[str, int]) -> None:
    """Whatever the free ports are: also if one of them begins like another backend's default port."""
    expected = "\n".join(f"{name}=http://127.0.0.1:{port}/v1" for name, port in sorted(ports.items()))
    assert with_ports(TEXT, ports) == expected


def test_a_free_port_that_begins_like_a_default_one_stays() -> None:
    """41027 begins like 4102, the default port of `vllm`."""
    ports = {**DEFAULT_PORTS, "mlx": 41027, "vllm": 46307}
    assert with_ports("http://127.0.0.1:4101 http://127.0.0.1:4102", ports) == (
        "http://127.0.0.1:41027 http://127.0.0.1:46307"
    )


def test_another_port_stays() -> None:
    """Neither a longer number nor an unknown port is changed."""
    ports = dict.fromkeys(DEFAULT_PORTS, 9)
    assert with_ports("127.0.0.1:41011 127.0.0.1:8080", ports) == "127.0.0.1:41011 127.0.0.1:8080"
