"""Every route of LiteLLM x every kind of key, on a real LiteLLM process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from litellm_homelab.access.table import Access, Route
from litellm_homelab.adapter.middleware.token_counts import PATHS as COUNTED
from litellm_homelab.testing import Answer
from litellm_homelab.testing.upstream import SEARCH
from tests.access.asking import (
    KEYS,
    LISTINGS,
    OTHER_MODES,
    STRANGERS,
    TEXT,
    USERS,
    bearer,
    described,
    refusal_of,
    refused,
    routes,
    served_at,
    serving,
    sockets,
    wrongly_led,
)
from tests.real.gated import Gated, gated

pytestmark = pytest.mark.real

OTHERS = tuple(who for who in KEYS if who != "master")
THE_OPERATORS = Route("POST", "/bria")
"""A pass-through endpoint of the router.yaml's own."""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gated]:
    """One LiteLLM process for all of them: features that load on their first request load here."""
    with gated() as running:
        yield running


# --- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize("who", KEYS)
def test_a_route_that_no_hook_guards_is_closed_for_everyone(gateway: Gated, who: str) -> None:
    """Each is a 403 and no call, the first request too, which makes LiteLLM load the feature."""
    found = gateway.sweep([*routes(Access.UNGUARDED), THE_OPERATORS], who, "main")
    assert _others(found, refusal_of(Access.UNGUARDED, who)) == []


@pytest.mark.parametrize("who", [*STRANGERS, "metrics"])
def test_a_guarded_route_is_closed_without_a_callers_key(gateway: Gated, who: str) -> None:
    """No key and a wrong one are a 401 everywhere, a metrics key a 403, and no backend is called."""
    found = gateway.sweep(routes(Access.GUARDED), who, "main")
    assert _others(found, refusal_of(Access.GUARDED, who)) == []


@pytest.mark.parametrize(("number", "who"), list(enumerate(OTHERS)))
def test_management_and_pages_are_for_the_master_key(gateway: Gated, number: int, who: str) -> None:
    """
    Each such route is a 401 without a key of ours and a 403 with one.

    Each route is tried with one of these keys: LiteLLM takes some 10 ms for a refusal. Through the mocked
    proxy each is tried with every key; with the master key none is.
    """
    for kind in (Access.MANAGEMENT, Access.KEYLESS):
        found = gateway.sweep([*routes(kind)][number :: len(OTHERS)], who, "main")
        assert _others(found, refusal_of(kind, who)) == []


def _others(found: list[tuple[Route, Answer]], expected: tuple[int, str] | None) -> list[str]:
    """The answers that are not the refusal that was expected."""
    assert found
    assert expected is not None
    return [f"{route}: {described(answer)}" for route, answer in found if not refused(answer, *expected)]


@pytest.mark.parametrize("who", KEYS)
def test_no_websocket_opens(gateway: Gated, who: str) -> None:
    """Each is an HTTP 403 in the handshake, the master key's too, and no backend is called."""
    before = len(gateway.upstreams.recorder.requests())
    root = str(gateway.client.base_url).replace("http", "ws").rstrip("/")
    opened = [path for path in (*sockets(), "/mcp") if not _is_refused(f"{root}{path}?model=main", who)]
    assert opened == []
    assert len(gateway.upstreams.recorder.requests()) == before


def _is_refused(url: str, who: str) -> bool:
    try:
        with connect(url, additional_headers=bearer(who)):
            return False
    except InvalidStatus as refusal:
        return refusal.response.status_code == 403


@pytest.mark.parametrize(
    "path", ["/rag/query/", "//rag/query", "/r%61g/query", "/rag%2fquery", "/x/../rag/query"]
)
def test_no_spelling_gets_through(gateway: Gated, path: str) -> None:
    """As a server hears it: closed, redirected, or nothing there."""
    answer = gateway.ask("POST", path, "master", json={"model": "main", "query": "hello"})
    assert answer.status in {307, 403, 404, 405}, described(answer)
    assert answer.calls == ()


def test_what_does_not_exist_is_not_there(gateway: Gated) -> None:
    """A path of no route is LiteLLM's own 404."""
    assert gateway.ask("GET", "/routes/x", "client").status == 404


# --- what is served ---------------------------------------------------------------------------------


@pytest.mark.parametrize("who", USERS)
def test_a_guarded_route_leads_to_no_backroom_model(gateway: Gated, who: str) -> None:
    """With a name that nobody may use, a guarded route is a 4xx and calls no backend; a listing lacks it."""
    found = gateway.sweep(routes(Access.GUARDED), who, "back")
    assert [
        f"{route}: {described(answer)}" for route, answer in found if wrongly_led(route, answer, "back")
    ] == []


@pytest.mark.parametrize("who", USERS)
def test_a_guarded_route_serves_its_callers(gateway: Gated, who: str) -> None:
    """Every route that a handle or a search tool of this router.yaml serves calls its upstream, once."""
    wrong = []
    served = [(route, found) for route in routes(Access.GUARDED) if (found := serving(route))]
    assert len(served) == 27
    for route, (model, body) in served:
        answer = gateway.ask("POST", served_at(route, model), who, json=body)
        if (answer.status, answer.sent_to) != (200, [SEARCH if model == "web" else model]):
            wrong.append(f"{route}: {described(answer)}")
    assert wrong == []


@pytest.mark.parametrize("who", USERS)
def test_a_handle_of_another_mode_is_refused(gateway: Gated, who: str) -> None:
    """A route that the handle's mode does not fit is a 400, before any call."""
    asked = [one for one in routes(Access.GUARDED) if one.method == "POST" and one.path.endswith(OTHER_MODES)]
    assert len(asked) == 21
    found = gateway.sweep(asked, who, "main")
    wrong = [(route, answer) for route, answer in found if not refused(answer, 400, "param_not_allowed")]
    assert [f"{route}: {described(answer)}" for route, answer in wrong] == []


@pytest.mark.parametrize("who", USERS)
def test_a_listing_shows_the_handles(gateway: Gated, who: str) -> None:
    """Every listing names the handle, no other group, and calls no backend."""
    for route in routes(Access.GUARDED):
        if route.path in LISTINGS:
            answer = gateway.ask("GET", route.path.replace("{model_id}", "main"), who)
            assert (answer.status, answer.calls) == (200, ()), described(answer)
            assert '"main"' in answer.text
            assert not any(name in answer.text for name in ('"base"', '"back"', "real-"))


@pytest.mark.parametrize("who", USERS)
def test_what_is_left_leads_to_the_named_handle_or_nowhere(gateway: Gated, who: str) -> None:
    """Files, batches, videos, containers and stored responses reach the handle that was named, or none."""
    wrong = []
    for route in routes(Access.GUARDED):
        if serving(route) or route.path in LISTINGS or route.path.endswith(OTHER_MODES):
            continue
        path = route.path.replace("{", "").replace("}", "").replace(":path", "")
        answer = gateway.ask(route.method, path, who, json={"model": "main"}, params={"model": "main"})
        if route.path in COUNTED and (answer.status, answer.sent_to) == (200, []):
            continue  # tokens are counted in the gateway
        if answer.status not in {400, 403, 404, 422} or set(answer.sent_to) - {"main"}:
            wrong.append(f"{route}: {described(answer)}")
    assert wrong == []


def test_optillm_reaches_what_is_internal(gateway: Gated) -> None:
    """The key of role optillm calls an internal model, which no client may."""
    body = {"model": "base", "messages": TEXT}
    assert gateway.ask("POST", "/v1/chat/completions", "optillm", json=body).sent_to == ["base"]
    assert gateway.ask("POST", "/v1/chat/completions", "client", json=body).status == 404


@pytest.mark.parametrize("who", KEYS)
def test_metrics_are_for_prometheus_and_the_master_key(gateway: Gated, who: str) -> None:
    """Role metrics and the master key read them, another key is a 403, none or a wrong one a 401."""
    status = 200 if who in {"master", "metrics"} else 401 if who in STRANGERS else 403
    assert gateway.ask("GET", "/metrics/", who).status == status


@pytest.mark.parametrize("who", KEYS)
def test_liveliness_and_readiness_are_open(gateway: Gated, who: str) -> None:
    """A load balancer needs no key."""
    for route in routes(Access.OPEN):
        assert gateway.ask("GET", route.path, who).status == 200


def test_no_key_is_in_the_log(gateway: Gated) -> None:
    """At LITELLM_LOG=DEBUG, after all of the above, LiteLLM's log has none of the keys in it."""
    text = gateway.log.read_text(encoding="utf-8", errors="replace")
    assert "DEBUG" in text
    assert [who for who, key in KEYS.items() if key and key in text] == []
