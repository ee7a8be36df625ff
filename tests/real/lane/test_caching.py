"""LiteLLM's response cache, which does not know `optillm_approach`, and the OptiLLM handles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.real.asking import ask
from tests.real.lane.conftest import ROUTER
from tests.real.lane.rig import DEMO, Document, Rig, read, rig

pytestmark = pytest.mark.real

APPROACHES = ("none", "re2", "moa", "re2")
ROUTES = ("chat", "completions", "responses", "messages", "generate")
WHOLE_OR_STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def cached() -> Document:
    """The lane's configuration with LiteLLM's cache in memory."""
    document = read(ROUTER)
    document["litellm_settings"] |= {"cache": True, "cache_params": {"type": "local"}}
    return document


@pytest.fixture(scope="module")
def _stock() -> Iterator[Rig]:
    with rig(cached(), optillm=DEMO, hooks=False) as running:
        yield running


@pytest.fixture(scope="module")
def _guarded() -> Iterator[Rig]:
    with rig(cached(), optillm=DEMO) as running:
        yield running


@pytest.fixture
def stock(_stock: Rig) -> Rig:
    """LiteLLM alone with its cache, nothing seen yet."""
    _stock.clear()
    return _stock


@pytest.fixture
def guarded(_guarded: Rig) -> Rig:
    """LiteLLM with its cache and the hooks, nothing seen yet."""
    _guarded.clear()
    return _guarded


def test_stock_litellm_serves_one_approachs_answer_for_another(stock: Rig) -> None:
    """Without the hooks the first answer is served for every approach; that is what the hooks prevent."""
    answers = [stock.chat("boost", optillm_approach=approach).json() for approach in ("moa", "re2", "bon")]

    assert [call.body.get("optillm_approach") for call in stock.optillm_calls] == ["moa"]
    assert len({answer["choices"][0]["message"]["content"] for answer in answers}) == 1


@WHOLE_OR_STREAMED
@pytest.mark.parametrize("route", ROUTES)
def test_every_approach_reaches_optillm(guarded: Rig, route: str, stream: bool) -> None:
    """With them each request reaches OptiLLM with its own approach, the same one twice as well."""
    for approach in APPROACHES:
        assert ask(guarded, route, "boost", stream=stream, optillm_approach=approach).status_code == 200

    sent = [call.body.get("optillm_approach", "none") for call in guarded.optillm_calls]
    assert sent == list(APPROACHES)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"cache": {"no-cache": False, "no-store": False}}, id="cache"),
        pytest.param({"cache": {"use-cache": True, "namespace": "mine", "ttl": 600}}, id="use-cache"),
        pytest.param({"caching": True}, id="caching"),
        pytest.param({"cache_key": "mine"}, id="cache_key"),
        pytest.param({"metadata": {"cache_key": "mine"}}, id="cache_key in metadata"),
    ],
)
def test_a_client_cannot_ask_for_the_cache(guarded: Rig, fields: dict[str, Any]) -> None:
    """Whatever it says of caching: what is asked of OptiLLM reaches OptiLLM."""
    answers = [guarded.chat("boost", "mine", optillm_approach=approach, **fields) for approach in APPROACHES]

    served = [answer for answer in answers if answer.status_code == 200]
    assert len(guarded.optillm_calls) == len(served)
    assert {answer.status_code for answer in answers} in ({200}, {400})


@WHOLE_OR_STREAMED
def test_a_plain_handle_is_still_cached(guarded: Rig, stream: bool) -> None:
    """The cache is what the operator turned on for all other handles."""
    answers = [guarded.chat("main", f"plain {stream}", stream=stream) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert len(guarded.backend_calls("main")) == 1
