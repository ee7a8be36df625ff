"""How often one address may try to log in."""

from __future__ import annotations

from litellm_homelab.page.tries import ADDRESSES, MOST, SECONDS, Tries


def fail(tries: Tries, address: str, times: int, now: float = 0.0) -> None:
    """Fail so often."""
    for _ in range(times):
        tries.failed(address, now)


def test_a_few_mistakes_are_nothing() -> None:
    """One less than the limit."""
    tries = Tries()
    fail(tries, "192.0.2.1", MOST - 1)
    assert tries.wait("192.0.2.1", 0.0) == 0


def test_too_many_have_to_wait() -> None:
    """Until the first of them is a minute old; other addresses are not held up."""
    tries = Tries()
    fail(tries, "192.0.2.1", MOST)
    assert tries.wait("192.0.2.1", 0.0) == SECONDS
    assert tries.wait("192.0.2.1", SECONDS - 0.5) == 1
    assert tries.wait("192.0.2.1", SECONDS) == 0
    assert tries.wait("192.0.2.2", 0.0) == 0


def test_a_network_of_ipv6_is_one_address() -> None:
    """Whoever has one has 2**64 of them."""
    tries = Tries()
    for number in range(MOST):
        tries.failed(f"2001:db8::{number:x}", 0.0)
    assert tries.wait("2001:db8::ffff", 0.0) > 0
    assert tries.wait("2001:db8:0:1::1", 0.0) == 0


def test_what_is_no_address_is_one_address() -> None:
    """A socket without addresses, behind a local proxy."""
    tries = Tries()
    fail(tries, "", MOST)
    assert tries.wait("not an address", 0.0) > 0


def test_memory_has_a_bound() -> None:
    """The addresses that failed last are remembered."""
    tries = Tries()
    fail(tries, "192.0.2.1", MOST)
    for number in range(ADDRESSES):
        tries.failed(f"10.0.{number // 256}.{number % 256}", 0.0)
    assert tries.wait("192.0.2.1", 0.0) == 0
