"""A real LiteLLM with a new route, parameter, header, call type and hook: each is closed, and counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from litellm_homelab.cli.logtail import notices
from tests.access.asking import KEYS, TEXT, USERS, bearer, described, refused
from tests.real import planted
from tests.real.gated import Gated, gated

pytestmark = pytest.mark.real
CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gated]:
    """One process of it for all tests."""
    folder = planted.plant(tmp_path_factory.mktemp("planted"))
    with gated(environ={"PYTHONPATH": str(folder)}) as running:
        yield running


def test_the_start_counts_each(gateway: Gated) -> None:
    """One line with the numbers and the way out; their names are in the debug log."""
    log = gateway.log.read_text(encoding="utf-8", errors="replace")
    lines = notices(log)
    assert len(lines) == 1
    assert planted.LINE in lines[0]
    assert "Install a newer litellm-homelab" in lines[0]
    for name in (
        "POST /steer/{path:path}",
        "WS /steer/socket",
        "steer_to",
        "asteer",
        "async_steer_hook",
        "x-steer-to",
    ):
        assert name in log, name


@pytest.mark.parametrize("who", KEYS)
@pytest.mark.parametrize("path", ["/steer/v1/chat/completions", "/prompts/steer/x"])
def test_a_new_route_is_closed_for_everyone(gateway: Gated, path: str, who: str) -> None:
    """The master key's too, and also that of a feature that LiteLLM loads on its first request."""
    answer = gateway.ask("POST", path, who, json={"model": "main", "messages": TEXT})
    assert refused(answer, 403, "route_not_allowed"), described(answer)
    assert "litellm-homelab has not reviewed it" in answer.text


@pytest.mark.parametrize("who", KEYS)
def test_a_new_websocket_is_closed(gateway: Gated, who: str) -> None:
    """The handshake is a 403."""
    url = f"{gateway.client.base_url}".replace("http", "ws").rstrip("/") + "/steer/socket"
    with pytest.raises(InvalidStatus) as refusal, connect(url, additional_headers=bearer(who)):
        pass
    assert refusal.value.response.status_code == 403


@pytest.mark.parametrize("who", USERS)
def test_a_new_parameter_is_refused(gateway: Gated, who: str) -> None:
    """In the body and in extra_body, and nothing is sent."""
    body = {"model": "main", "messages": TEXT}
    for extra in ({"steer_to": "embed"}, {"extra_body": {"steer_to": "embed"}}):
        answer = gateway.ask("POST", CHAT, who, json={**body, **extra})
        assert refused(answer, 400, "param_not_allowed"), described(answer)


@pytest.mark.parametrize("who", USERS)
@pytest.mark.parametrize("header", ["x-steer-to", "X-Steer-To", "x-litellm-steer-to"])
def test_a_new_header_never_reaches_litellm(gateway: Gated, header: str, who: str) -> None:
    """The request is served as if it were not there: the handle that was named, not the header's."""
    headers = {**bearer(who), header: "embed"}
    response = gateway.client.post(CHAT, json={"model": "main", "messages": TEXT}, headers=headers)
    assert response.status_code == 200, response.text
    assert gateway.upstreams.recorder.requests()[-1].backend == "main"


@pytest.mark.parametrize("who", USERS)
def test_a_new_call_type_is_refused(gateway: Gated, who: str) -> None:
    """A route that LiteLLM calls by another name than the reviewed one serves nobody until it is reviewed."""
    answer = gateway.ask("POST", "/v1/embeddings", who, json={"model": "embed", "input": "hello"})
    assert refused(answer, 403, "route_not_allowed"), described(answer)
    assert "asteer" in answer.text


@pytest.mark.parametrize("who", USERS)
def test_everything_else_works(gateway: Gated, who: str) -> None:
    """A chat reaches its handle."""
    answer = gateway.ask("POST", CHAT, who, json={"model": "main", "messages": TEXT})
    assert (answer.status, answer.sent_to) == (200, ["main"]), described(answer)
