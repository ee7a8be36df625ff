"""Whatever fails, no answer names an upstream's model or address, a deployment or an internal group."""

from __future__ import annotations

import base64

import httpx
import pytest

from tests.config import shipped as files
from tests.real import chain, leaks
from tests.real.asking import ROUTES, ask
from tests.real.gateway import Gateway

STREAMED = [pytest.param(False, id="whole"), pytest.param(True, id="streamed")]
KINDS = ["500", "429", "404", "down", "drop"]


@pytest.fixture
def words(chained: Gateway) -> frozenset[str]:
    """What no answer of the gateway may say."""
    document = chain.document()
    groups = document["homelab"]["showroom"]["internal"]
    ids = [one["model_info"]["id"] for one in document["model_list"]]
    return leaks.secrets(chained.environ, [*groups, *ids], files.SHOWROOM["handles"])


@pytest.mark.parametrize("stream", STREAMED)
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("failed", [1, 2], ids=["to-the-second", "to-the-last"])
def test_a_failover_names_nothing(
    chained: Gateway, words: frozenset[str], failed: int, kind: str, route: str, stream: bool
) -> None:
    """The next rung answers in the handle's name, and nothing tells that it was another one."""
    rungs = list(chain.RUNGS)
    for rung in rungs[:failed]:
        chained.demo.fault(rung, kind)

    answer = ask(chained, route, "vllm-qwen", stream=stream)

    assert leaks.found(answer, words) == []
    if kind == "drop" and stream:
        return  # what was heard of the first rung is out already; LiteLLM does not go on on every route
    assert answer.status_code == 200, answer.text
    assert chained.demo.requests(rungs[failed]), answer.text


@pytest.mark.parametrize("stream", STREAMED)
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_chain_that_fails_to_its_end_names_nothing(
    chained: Gateway, words: frozenset[str], kind: str, route: str, stream: bool
) -> None:
    """When every rung has failed, the error says what happened and not to whom."""
    for rung in chain.RUNGS:
        chained.demo.fault(rung, kind)

    answer = ask(chained, route, "vllm-qwen", stream=stream)

    assert leaks.found(answer, words) == []
    assert "error" in answer.text
    assert answer.status_code >= 400 or (kind == "drop" and stream)


@pytest.mark.parametrize("kind", ["500", "429", "404", "down"])
@pytest.mark.parametrize("failed", [1, 2], ids=["to-the-last", "to-its-end"])
def test_a_chain_of_embeddings_names_nothing(
    chained: Gateway, words: frozenset[str], failed: int, kind: str
) -> None:
    """A failover of embeddings is as silent, and so is its failure."""
    for rung in list(chain.EMBED_RUNGS)[:failed]:
        chained.demo.fault(rung, kind)

    answer = chained.post("/v1/embeddings", {"model": "embed", "input": "hello"})

    assert leaks.found(answer, words) == []
    assert (answer.status_code == 200) == (failed == 1), answer.text


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("handle", chain.TORN)
def test_an_error_in_mid_stream_names_nothing(
    chained: Gateway, words: frozenset[str], handle: str, route: str
) -> None:
    """An upstream's own error after the first words reaches the client without its names."""
    answer = ask(chained, route, handle, stream=True)

    assert leaks.found(answer, words) == []
    assert "The engine of `upstream` at upstream" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models",
        "/v1/models?include_metadata=true",
        "/v1/models?client_version=1",
        "/v1/models?scope=expand",
        "/v1/models?return_wildcard_routes=true",
        "/models?include_metadata=true&fallback_type=general",
        "/v1/models/vllm-qwen",
        "/model/info",
        "/v1/model/info",
        f"/v1/model/info?litellm_model_id={chain.identifier('nowhere')}",
        "/v2/model/info",
        "/model_group/info",
    ],
)
def test_a_listing_names_nothing(chained: Gateway, words: frozenset[str], path: str) -> None:
    """Listings tell of handles, not of what stands behind them."""
    assert leaks.found(chained.client.get(path), words - {chain.identifier("nowhere")}) == []


@pytest.mark.parametrize("path", ["/model/info", "/v1/model/info", "/model_group/info"])
def test_a_listing_shows_each_handle(chained: Gateway, path: str) -> None:
    """What a listing leaves out, it does not leave out with the handle."""
    entries = chained.client.get(path).json()["data"]

    assert [entry.get("model_name") or entry["model_group"] for entry in entries] == files.SHOWROOM["handles"]
    assert all((entry.get("model_info") or entry)["max_input_tokens"] for entry in entries[:6])


def test_the_shipped_gateway_names_nothing(shipped: Gateway) -> None:
    """Nor does an answer of the shipped configuration, whose deployments have LiteLLM's own ids."""
    words = leaks.secrets(shipped.environ, files.SHOWROOM["internal"], files.SHOWROOM["handles"])

    for route in ROUTES:
        for stream in (False, True):
            answer = ask(shipped, route, "main", stream=stream)
            assert answer.status_code == 200
            assert leaks.found(answer, words) == []


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(httpx.Response(200, json={"model": "Org/Secret-7B"}), id="body"),
        pytest.param(httpx.Response(200, headers={"x-model": "org/secret-7b"}), id="header-value"),
        pytest.param(httpx.Response(200, headers={"x-org/secret-7b": "1"}), id="header-name"),
        pytest.param(httpx.Response(200, text="org%2Fsecret-7b"), id="percent"),
        pytest.param(
            httpx.Response(200, text=f"resp_{base64.b64encode(b'a:org/secret-7b;b').decode()}"), id="base64"
        ),
        pytest.param(
            httpx.Response(200, text=base64.urlsafe_b64encode(b"?>?org/secret-7b").decode()), id="base64url"
        ),
    ],
)
def test_a_leak_is_found(answer: httpx.Response) -> None:
    """The search finds a word wherever an answer can carry it."""
    words = leaks.secrets({"A_MODEL": "openai/org/secret-7b"}, [], ["main"])

    assert "org/secret-7b" in leaks.found(answer, words)
