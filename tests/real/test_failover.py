"""Who is asked when the upstreams of a chain fail: each rung once, in order."""

from __future__ import annotations

import pytest

from tests.config import shipped as files
from tests.real import chain
from tests.real.asking import ROUTES, ask
from tests.real.gateway import Gateway


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("kind", ["500", "429", "404"])
def test_each_rung_is_asked_once(chained: Gateway, kind: str, route: str) -> None:
    """Without retries of its own, a chain that fails to its end has asked each rung once, in order."""
    for rung in chain.RUNGS:
        chained.demo.fault(rung, kind)

    ask(chained, route, "vllm-qwen", stream=False)

    assert [one.json["model"] for one in chained.demo.requests()] == [
        files.BY_GROUP[group].upstream_model for group in chain.RUNGS.values()
    ]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("route", ["chat", "responses"])
def test_when_to_come_back_is_told(chained: Gateway, route: str, stream: bool) -> None:
    """
    A 429 of the upstream reaches the client as one, with its retry-after.

    On completions, messages and generateContent LiteLLM leaves it out (measured on 1.106.2).
    """
    for rung in chain.RUNGS:
        chained.demo.fault(rung, "429", seconds=7)

    answer = ask(chained, route, "vllm-qwen", stream=stream)

    assert (answer.status_code, answer.headers.get("retry-after")) == (429, "7")


@pytest.mark.parametrize("kind", ["500", "429", "404"])
def test_each_rung_of_embeddings_is_asked_once(chained: Gateway, kind: str) -> None:
    """
    Nor are embeddings retried below LiteLLM's router.

    Its OpenAI client retries twice unless DEFAULT_MAX_RETRIES is 0 (measured on LiteLLM 1.106.2).
    """
    for rung in chain.EMBED_RUNGS:
        chained.demo.fault(rung, kind)

    chained.post("/v1/embeddings", {"model": "embed", "input": "hello"})

    assert [one.backend for one in chained.demo.requests()] == list(chain.EMBED_RUNGS)
