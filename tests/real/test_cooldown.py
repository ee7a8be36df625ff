"""Handles that rest after failures, on the shipped configuration: what clients see of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.config import shipped as files
from tests.real import leaks
from tests.real.asking import ROUTES, ask
from tests.real.gateway import Gateway, gateway

FAILURES = files.ROUTER["router_settings"]["allowed_fails"] + 1


@pytest.fixture(scope="module")
def resting() -> Iterator[Gateway]:
    """A gateway of its own, on which `lil-jerry` and the first rung of the chain rest."""
    with gateway() as running:
        for handle, backend in (("lil-jerry", "ollama"), ("vllm-qwen", "vllm")):
            running.demo.fault(backend, "503")
            for _ in range(FAILURES):
                running.chat(handle)
            running.demo.clear_fault()
        running.demo.clear_requests()
        yield running


@pytest.fixture
def words(resting: Gateway) -> frozenset[str]:
    """What no answer may say."""
    return leaks.secrets(resting.environ, files.SHOWROOM["internal"], files.SHOWROOM["handles"])


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("route", ROUTES)
def test_a_resting_handle_says_so_and_names_nothing(
    resting: Gateway, words: frozenset[str], route: str, stream: bool
) -> None:
    """A handle without a chain is a 429 while it rests; LiteLLM's text of it lists deployment ids."""
    answer = ask(resting, route, "lil-jerry", stream=stream)

    assert answer.status_code == 429, answer.text
    assert leaks.found(answer, words) == []
    assert not resting.sent("ollama")


def test_a_resting_handle_says_when_to_come_back(resting: Gateway) -> None:
    """The answer has the seconds that are left of the rest."""
    answer = resting.chat("lil-jerry")

    assert 0 < int(answer.headers["retry-after"]) <= files.ROUTER["router_settings"]["cooldown_time"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("route", ROUTES)
def test_a_resting_rung_is_passed_over_and_names_nothing(
    resting: Gateway, words: frozenset[str], route: str, stream: bool
) -> None:
    """A chain goes straight to its next rung, in the handle's name."""
    resting.demo.clear_requests()

    answer = ask(resting, route, "vllm-qwen", stream=stream)

    assert answer.status_code == 200, answer.text
    assert leaks.found(answer, words) == []
    assert [one.backend for one in resting.demo.requests()] == ["ollama"]
