"""`main` of the shipped configuration on a real mlx_lm.server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.config import shipped as files
from tests.real import leaks
from tests.real.asking import ask
from tests.real.clients import ROUTES, Clients, clients_of
from tests.real.gateway import Gateway, gateway
from tests.real.mlx import MlxServer, mlx_server


@pytest.fixture(scope="module")
def server() -> Iterator[MlxServer]:
    """The model's server."""
    with mlx_server() as running:
        yield running


@pytest.fixture(scope="module")
def on_mlx(server: MlxServer) -> Iterator[Gateway]:
    """A gateway whose `main` leads there, by the provider that env.example has."""
    provider = files.BY_GROUP["main"].model.partition("/")[0]
    environ = {"MAIN_MODEL": f"{provider}/{server.model}", "MAIN_API_BASE": server.api_base}
    with gateway(environ=environ) as running:
        yield running


@pytest.fixture(scope="module")
def sdks(on_mlx: Gateway) -> Iterator[Clients]:
    """The SDKs on it."""
    with clients_of(on_mlx) as clients:
        yield clients


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("route", ROUTES)
def test_main_answers(sdks: Clients, route: str, stream: bool) -> None:
    """A real model's text comes back on every route, in the handle's name, streamed in pieces."""
    heard = ROUTES[route](sdks, "main", "What is the weather like?", stream)

    assert heard.text.strip()
    assert heard.models == {"main"} or (route == "generate" and not heard.models)
    assert heard.pieces == 1 if not stream else heard.pieces > 3


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("route", ROUTES)
def test_main_names_nothing(on_mlx: Gateway, route: str, stream: bool) -> None:
    """Neither the model's folder nor the server's address is in an answer."""
    words = leaks.secrets(on_mlx.environ, files.SHOWROOM["internal"], files.SHOWROOM["handles"])

    answer = ask(on_mlx, route, "main", stream=stream)

    assert answer.status_code == 200
    assert leaks.found(answer, words) == []


BAD_REQUESTS: dict[str, dict[str, object]] = {
    "a temperature that is a text": {"temperature": "hot"},
    "a temperature below zero": {"temperature": -1},
    "no tokens": {"max_tokens": 0},
    "a part that the model does not take": {
        "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x:"}}]}]
    },
    "a role that does not exist": {"messages": [{"role": "nobody", "content": "hello"}]},
    "too many logprobs": {"logprobs": True, "top_logprobs": 50},
    "a bias that is no number": {"logit_bias": {"x": "y"}},
    "a seed that is a text": {"seed": "x"},
    "no messages": {"messages": []},
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_six_bad_requests_leave_main_to_everybody(on_mlx: Gateway, name: str, stream: bool) -> None:
    """What the server makes of them is the client's; the next request is answered by the model."""
    for _ in range(6):
        body = {"model": "main", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 5}
        on_mlx.post("/v1/chat/completions", {**body, **BAD_REQUESTS[name], "stream": stream})
    answer = on_mlx.chat("main", max_tokens=5)
    assert answer.status_code == 200, answer.text
