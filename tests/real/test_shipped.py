"""The shipped configuration, `litellm --config config/router.yaml`, through the clients that people use."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import anthropic
import httpx
import openai
import pytest

from tests.config import shipped as files
from tests.real.asking import ask
from tests.real.clients import ROUTES, Clients
from tests.real.gateway import Gateway

HANDLES: list[str] = files.SHOWROOM["handles"]
CHAT_HANDLES = [name for name in HANDLES if files.BY_GROUP[name].info["mode"] == "chat"]
LISTED = f"You may use: {', '.join(HANDLES)}."
STREAMED = [pytest.param(False, id="whole"), pytest.param(True, id="streamed")]


def test_lists_the_handles(clients: Clients) -> None:
    """GET /v1/models shows exactly the handles, in the order of the file."""
    assert [model.id for model in clients.openai.models.list()] == HANDLES


@pytest.mark.parametrize("stream", STREAMED)
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("handle", CHAT_HANDLES)
def test_a_chat_handle_answers(
    clients: Clients, shipped: Gateway, handle: str, route: str, stream: bool
) -> None:
    """Each chat handle answers on each chat route, by its own name, from the upstream of its own."""
    heard = ROUTES[route](clients, handle, "hello", stream)

    assert "heard: hello. No model ran" in heard.text
    assert heard.models == {handle} or (route == "generate" and not heard.models)
    # OptiLLM gives the whole text at once.
    assert heard.pieces == 1 if not stream or handle == "boost" else heard.pieces > 3
    assert asked_for(shipped)[0] == files.BY_GROUP[handle].upstream_model


def test_boost_is_answered_through_optillm(clients: Clients, shipped: Gateway) -> None:
    """OptiLLM calls this gateway back, which asks the model behind `boost-base`."""
    assert (
        clients.openai.chat.completions.create(model="boost", messages=[{"role": "user", "content": "hello"}])
        .choices[0]
        .message.content
    )
    assert [one.backend for one in shipped.demo.requests()] == ["optillm", "mlx"]
    assert asked_for(shipped) == ["boost-base", files.BY_GROUP["boost-base"].upstream_model]


def asked_for(gateway: Gateway) -> list[str]:
    """The models that the backends were asked for; the lineage that OptiLLM's carries is left out."""
    return [one.json["model"].partition("@")[0] for one in gateway.demo.requests()]


@pytest.mark.parametrize("text", ["hello", ["hello", "there"]], ids=["one", "two"])
def test_embed_answers(clients: Clients, text: str | list[str]) -> None:
    """The embedding handle gives one vector for each text."""
    answer = clients.openai.embeddings.create(model="embed", input=text)

    assert len(answer.data) == (1 if isinstance(text, str) else 2)
    assert all(len(one.embedding) > 8 for one in answer.data)
    assert answer.model == "embed"


def test_answers_curl(shipped: Gateway) -> None:
    """The line of the README works."""
    body = json.dumps({"model": "main", "messages": [{"role": "user", "content": "hello"}]})
    command = [
        "curl",
        "--silent",
        "--fail-with-body",
        "--max-time",
        "30",
        f"{shipped.url}/v1/chat/completions",
    ]
    command += ["-H", f"Authorization: Bearer {shipped.key}", "-H", "Content-Type: application/json"]
    done = subprocess.run([*command, "-d", body], check=True, capture_output=True, text=True, timeout=300)

    assert json.loads(done.stdout)["model"] == "main"


# --- a wrong pairing -------------------------------------------------------------------------------

PAIRINGS = [
    pytest.param("/v1/chat/completions", {"model": "embed", "messages": []}, id="embed-chat"),
    pytest.param("/v1/completions", {"model": "embed", "prompt": "hello"}, id="embed-completions"),
    pytest.param("/v1/responses", {"model": "embed", "input": "hello"}, id="embed-responses"),
    pytest.param("/v1/messages", {"model": "embed", "messages": [], "max_tokens": 9}, id="embed-messages"),
    pytest.param("/v1beta/models/embed:generateContent", {"contents": []}, id="embed-generate"),
    pytest.param("/v1/embeddings", {"model": "main", "input": "hello"}, id="main-embeddings"),
    pytest.param("/v1/images/generations", {"model": "main", "prompt": "a cat"}, id="main-images"),
]


@pytest.mark.parametrize(("path", "body"), PAIRINGS)
def test_a_wrong_pairing_is_refused(shipped: Gateway, path: str, body: dict[str, Any]) -> None:
    """A route that does not fit the handle's mode is a 400 that says what does, before any call."""
    answer = shipped.post(path, body)

    error = answer.json()["error"]
    assert answer.status_code == 400
    assert " serves" in error["message"]
    if path != "/v1/messages":
        assert (error["type"], error["param"], error["code"]) == ("param_not_allowed", "model", "400")
    assert shipped.sent() == []


def test_a_wrong_pairing_cools_nothing_down(clients: Clients, shipped: Gateway) -> None:
    """However often a pairing is wrong, both handles answer the next good request, and none has rested."""
    for _ in range(4):
        with pytest.raises(openai.BadRequestError, match="has mode 'chat'"):
            clients.openai.embeddings.create(model="swap", input="hello")
        with pytest.raises(openai.BadRequestError, match="has mode 'embedding'"):
            clients.chat("embed", "hello", stream=False)

    assert clients.chat("swap", "hello", stream=False).text
    assert clients.openai.embeddings.create(model="embed", input="hello").data
    assert not [line for line in metrics(shipped) if line.startswith("litellm_deployment_cooled_down_total{")]


def metrics(gateway: Gateway) -> list[str]:
    """The lines of /metrics/."""
    return gateway.client.get("/metrics/").raise_for_status().text.splitlines()


def test_metrics_want_the_key(shipped: Gateway) -> None:
    """/metrics/ is closed without a key and open with the master key."""
    assert httpx.get(f"{shipped.url}/metrics/").status_code == 401
    assert metrics(shipped)


def test_a_client_cannot_keep_itself_out_of_the_metrics(shipped: Gateway) -> None:
    """`"no-log": true` in a body is dropped: such a request is counted like any other."""

    def counted() -> list[str]:
        asked = 'requested_model="lil-jerry"'
        lines = metrics(shipped)
        return [line for line in lines if line.startswith("litellm_requests_metric_total{") and asked in line]

    no_log: dict[str, Any] = {"no-log": True}
    before, deadline = counted(), time.monotonic() + 15
    assert ask(shipped, "chat", "lil-jerry", stream=False, **no_log).status_code == 200

    while counted() == before:
        assert time.monotonic() < deadline, "not counted"
        time.sleep(0.1)


# --- a wrong name ----------------------------------------------------------------------------------

WRONG = ["nowhere", "ollama-qwen", "openai/gpt-4o-mini"]


@pytest.mark.parametrize("stream", STREAMED)
@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("route", ["chat", "completions", "responses"])
def test_a_wrong_name_is_not_found_by_openai(
    clients: Clients, shipped: Gateway, route: str, name: str, stream: bool
) -> None:
    """The OpenAI SDK raises its NotFoundError, whose message lists what may be used; nothing was called."""
    with pytest.raises(openai.NotFoundError) as raised:
        ROUTES[route](clients, name, "hello", stream)

    assert LISTED in str(raised.value)
    assert (raised.value.type, raised.value.param, raised.value.code) == ("model_not_found", "model", "404")
    assert shipped.sent() == []


def test_a_wrong_name_is_not_found_for_embeddings(clients: Clients) -> None:
    """So does it on embeddings."""
    with pytest.raises(openai.NotFoundError) as raised:
        clients.openai.embeddings.create(model="nowhere", input="hello")

    assert LISTED in str(raised.value)


@pytest.mark.parametrize("stream", STREAMED)
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_name_is_not_found_by_anthropic(
    clients: Clients, shipped: Gateway, name: str, stream: bool
) -> None:
    """The Anthropic SDK raises its own NotFoundError, with the same message."""
    with pytest.raises(anthropic.NotFoundError) as raised:
        clients.messages(name, "hello", stream)

    assert LISTED in str(raised.value)
    assert shipped.sent() == []


def test_a_model_that_is_not_there_is_not_found(clients: Clients) -> None:
    """GET /v1/models/{id} finds a handle; a hidden and an internal name are not found."""
    assert clients.openai.models.retrieve("main").id == "main"
    for name in (files.SHOWROOM["hidden"][0], files.SHOWROOM["internal"][0], "nowhere"):
        with pytest.raises(openai.NotFoundError):
            clients.openai.models.retrieve(name)


# --- search ----------------------------------------------------------------------------------------


def test_searches_the_web(shipped: Gateway) -> None:
    """POST /v1/search/searxng-search answers with what SearXNG found."""
    answer = shipped.post("/v1/search/searxng-search", {"query": "home lab"})

    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert results
    assert all(result["title"] and result["url"] for result in results)
    assert [(one.path, "home" in one.query) for one in shipped.demo.requests("searxng")] == [
        ("/search", True)
    ]


def test_an_unknown_search_tool_is_not_found(shipped: Gateway) -> None:
    """A search tool that is not configured is a 404 that lists those that are."""
    answer = shipped.post("/v1/search/nowhere", {"query": "home lab"})

    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "model_not_found"
    assert "There is: searxng-search." in answer.json()["error"]["message"]
    assert shipped.sent() == []
