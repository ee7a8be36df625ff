"""`verify` on stock LiteLLM with our hooks, and with one fault at a time in between."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio

from litellm_homelab.testing import MockProxy
from litellm_homelab.verify.exchange import VerifyVerdict
from litellm_homelab.verify.lab import without_config
from tests.verify.sabotage import KEYS, ROUTER, URL, Asked, Fault, Remembered, failures, lab, verified

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway() -> AsyncIterator[httpx.AsyncBaseTransport]:
    """The shipped router.yaml in this process."""
    from litellm.proxy import proxy_server

    logging.disable(logging.CRITICAL)
    async with MockProxy(ROUTER, environ=KEYS):
        yield Remembered(httpx.ASGITransport(app=proxy_server.app, raise_app_exceptions=False))
    logging.disable(logging.NOTSET)


# --- faults ------------------------------------------------------------------------------------------


def instead(
    status: int, content: object = None, headers: Mapping[str, str] | None = None, **what: Any
) -> Fault:
    """Another answer to the requests that have all of this: path, key, model, a field of the body."""

    async def fault(asked: Asked) -> httpx.Response | None:
        if not matches(asked, what):
            return None
        if isinstance(content, str):
            return httpx.Response(status, text=content, headers=headers)
        return httpx.Response(status, json=content if content is not None else {}, headers=headers)

    return fault


def changed(change: Callable[[httpx.Response], httpx.Response], **what: Any) -> Fault:
    """The real answer to such requests, changed."""

    async def fault(asked: Asked) -> httpx.Response | None:
        return change(await asked.behind()) if matches(asked, what) else None

    return fault


def asked_otherwise(other: Mapping[str, Any], **what: Any) -> Fault:
    """The real answer to another request: with another key, body, or without a header."""

    async def fault(asked: Asked) -> httpx.Response | None:
        return await asked.behind(**other) if matches(asked, what) else None

    return fault


def no_answer(error: Callable[[str], Exception]) -> Fault:
    """No connection to the gateway."""

    async def fault(asked: Asked) -> httpx.Response | None:
        if asked.is_optillms:
            return None
        raise error("of the test")

    return fault


def matches(asked: Asked, what: Mapping[str, Any]) -> bool:
    """Whether a request has a path, key, model and field of these."""
    paths, keys = what.get("path"), what.get("key")
    own = ("127.0.0.1", 4020) if what.get("optillm") else ("127.0.0.1", 4000)
    return (
        (asked.request.url.host, asked.request.url.port) == own
        and (paths is None or asked.path in ([paths] if isinstance(paths, str) else paths))
        and (keys is None or asked.key in ([keys] if isinstance(keys, str) else keys))
        and ("model" not in what or asked.model == what["model"])
        and ("approach" not in what or asked.body.get("optillm_approach") == what["approach"])
        and ("text" not in what or what["text"] in str(asked.body.get("messages")))
        and ("status" not in what)
    )


def text_of(change: Callable[[str], str]) -> Callable[[httpx.Response], httpx.Response]:
    """A change of the body's text."""

    def apply(response: httpx.Response) -> httpx.Response:
        encoded = ("content-length", "content-encoding")
        headers = {name: value for name, value in response.headers.items() if name not in encoded}
        return httpx.Response(response.status_code, headers=headers, text=change(response.text))

    return apply


def headed(**headers: str) -> Callable[[httpx.Response], httpx.Response]:
    """More headers; `_` for `-`."""

    def apply(response: httpx.Response) -> httpx.Response:
        for name, value in headers.items():
            response.headers[name.replace("_", "-")] = value
        return response

    return apply


def replaced(old: str, new: str) -> Callable[[httpx.Response], httpx.Response]:
    """Another word in the body."""
    return text_of(lambda text: text.replace(old, new))


def without_lines(word: str) -> Callable[[httpx.Response], httpx.Response]:
    """A body without the lines that have a word."""
    return text_of(lambda text: "".join(one for one in text.splitlines(keepends=True) if word not in one))


def error(kind: str, message: str = "no") -> dict[str, Any]:
    """An error in OpenAI's shape."""
    return {"error": {"message": message, "type": kind, "param": None, "code": "0"}}


async def call_back_refused(asked: Asked) -> httpx.Response | None:
    """OptiLLM calls back with a wrong key, and passes on that it failed."""
    if asked.model != "boost" or asked.body.get("optillm_approach") != "moa":
        return None
    headers = {"authorization": "Bearer sk-old-old-old"}
    await asked.send(httpx.Request("GET", f"{URL}/v1/models", headers=headers))
    return httpx.Response(500, json=error("internal_server_error", "Error code: 401"))


CHAT = "/v1/chat/completions"
CLIENT, METRICS = "OPEN_WEBUI_KEY", "PROMETHEUS_KEY"
LOGIN = "<!doctype html><title>Log in</title>"
LATE = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)
OTHER = {"data": [{"id": "main"}, {"id": "mlx-gpt-oss-20b-mxfp4-q4"}]}
INFO = {"data": [{"model_name": "main", "litellm_params": {"model": "main", "api_base": "http://10.0.0.2"}}]}
ANSWER = {"model": "main", "choices": [{"message": {"content": "ready"}}]}
LIST = ("/v1/models",)
KEYLESS = ("", "?")
PAGES = ("/homelab", "/homelab.json", "/homelab/widget.json")
WITHOUT_PLUGIN = [
    *("plugin.loaded", "names.closed", "handle.answers", "approach.name"),
    *("optillm.calls", "optillm.tag", "optillm.not-listed", "optillm.web-search", "loop.optillm"),
]

FAULTS: dict[str, tuple[Fault, list[str]]] = {
    # --- the address
    "nothing listens": (no_answer(httpx.ConnectError), ["gateway.answers"]),
    "https on an http port": (
        no_answer(lambda _: httpx.ConnectError("[SSL: WRONG_VERSION_NUMBER] wrong version number")),
        ["gateway.answers"],
    ),
    "it hangs": (no_answer(httpx.ReadTimeout), ["gateway.answers"]),
    "a login in front": (instead(200, LOGIN, {"content-type": "text/html"}), ["gateway.answers"]),
    "a redirect to elsewhere": (
        instead(302, "", {"location": "https://login.example/start"}),
        ["gateway.answers"],
    ),
    "another server": (instead(404, {"detail": "Not Found"}), ["gateway.answers"]),
    "its database is down": (
        instead(503, error("db_exception", "DB not reachable"), path="/health/readiness"),
        ["gateway.ready"],
    ),
    "its clock is an hour late": (changed(headed(date=LATE), path="/health/liveliness"), ["gateway.clock"]),
    "an exploited version": (
        instead(200, {"gateway": {"litellm": "1.82.8"}}, path="/homelab.json", key="LITELLM_MASTER_KEY"),
        ["gateway.version"],
    ),
    # --- keys
    "no master key": (
        asked_otherwise({"key": CLIENT}, key=KEYLESS),
        ["keys.missing", "keys.unknown", "keys.default", "search.key"],
    ),
    "the documented master key": (
        asked_otherwise({"key": "LITELLM_MASTER_KEY"}, key="?", path=LIST),
        ["keys.unknown", "keys.default"],
    ),
    "the gate is missing": (
        instead(401, error("auth_error"), key=KEYLESS, path=(*LIST, CHAT)),
        ["keys.gate"],
    ),
    "the client's key is another": (instead(401, error("authentication_error"), key=CLIENT), ["keys.client"]),
    "a client may manage": (instead(200, {}, path="/active/callbacks"), ["keys.management"]),
    "the API documentation is shown": (
        instead(200, LOGIN, {"content-type": "text/html"}, path="/"),
        ["keys.pages"],
    ),
    # --- names
    "the plugin is not listed": (
        instead(503, error("policy_error"), path=CHAT, key=(CLIENT, "OPTILLM_UPSTREAM_KEY")),
        WITHOUT_PLUGIN,
    ),
    "a canonical id is listed": (instead(200, OTHER, path=LIST, key=CLIENT), ["listing.handles"]),
    "the listing has addresses": (instead(200, INFO, path="/v1/model/info"), ["listing.details"]),
    "an internal name answers": (instead(200, ANSWER, model="boost-base", key=CLIENT), ["names.closed"]),
    "an internal name gets another answer": (
        instead(403, error("key_model_access_denied"), model="boost-base", key=CLIENT),
        ["names.closed"],
    ),
    "the backend is away": (
        instead(503, error("model_absent"), model="main", key=CLIENT),
        ["handle.answers"],
    ),
    "the upstream's name is shown": (
        changed(replaced('"model":"main"', '"model":"gpt-oss"'), model="main"),
        ["handle.answers"],
    ),
    "the upstream's address is shown": (
        changed(headed(x_litellm_model_api_base="http://10.0.0.2"), model="main"),
        ["handle.answers"],
    ),
    # --- approaches and loops
    "fields are not taken out": (
        changed(without_lines("homelab_fields_stripped_total{"), path="/metrics/"),
        ["approach.field", "approach.extra-body"],
    ),
    "an approach in front of a name": (
        asked_otherwise({"model": "main"}, model="moa-main"),
        ["approach.name"],
    ),
    "a tag leads to OptiLLM": (
        changed(headed(x_homelab_approach="moa"), model="main", text="<optillm_approach>"),
        ["approach.prompt"],
    ),
    "the loop guard is off": (asked_otherwise({"without": ["x-homelab-hop"]}), ["loop.gateways"]),
    "OptiLLM's key leads to OptiLLM": (
        asked_otherwise({"key": CLIENT}, model="boost", key="OPTILLM_UPSTREAM_KEY"),
        ["loop.optillm"],
    ),
    "OptiLLM's key is not known": (
        instead(401, error("authentication_error"), key="OPTILLM_UPSTREAM_KEY"),
        ["loop.optillm"],
    ),
    # --- OptiLLM handles
    "OptiLLM is down": (
        instead(500, error("internal_server_error", "Connection error."), model="boost", approach="moa"),
        ["optillm.calls"],
    ),
    "OptiLLM calls back with a wrong key": (call_back_refused, ["optillm.calls"]),
    "boost is a plain model": (
        changed(headed(x_homelab_calls="0"), model="boost", approach="moa"),
        ["optillm.calls"],
    ),
    "boost has no fan-out": (
        changed(headed(x_homelab_calls="1"), model="boost", approach="moa"),
        ["optillm.calls"],
    ),
    "boost is not in homelab.optillm": (
        instead(200, ANSWER, model="boost", key=CLIENT),
        ["optillm.calls", "optillm.tag", "optillm.not-listed", "optillm.web-search"],
    ),
    "OptiLLM's error is a 200": (
        changed(
            text_of(lambda _: '{"choices": [{"message": {"content": "Error: Could not generate any"}}]}'),
            model="boost",
            approach="moa",
        ),
        ["optillm.calls"],
    ),
    "tags are obeyed": (instead(200, ANSWER, model="boost", text="<optillm_approach>"), ["optillm.tag"]),
    "every approach is allowed": (
        instead(200, ANSWER, model="boost", approach="mcts"),
        ["optillm.not-listed"],
    ),
    "OptiLLM's own web search": (
        instead(200, ANSWER, model="boost", approach="web_search"),
        ["optillm.web-search"],
    ),
    # --- OptiLLM itself
    "OptiLLM asks for no key": (
        instead(500, {"error": "no model"}, optillm=True, path=CHAT),
        ["optillm-server.key"],
    ),
    "OptiLLM is not there": (instead(502, "", optillm=True, path="/health"), ["optillm-server.answers"]),
    "OptiLLM has another key": (
        instead(401, {"error": "Invalid API key"}, optillm=True, path="/v1/models"),
        ["optillm-server.way-back"],
    ),
    "OptiLLM's listing is refused": (
        instead(500, {"error": "Error code: 401 - ..."}, optillm=True, path="/v1/models"),
        ["optillm-server.way-back"],
    ),
    # --- metrics, page, search
    "metrics need no key": (
        instead(200, "# TYPE homelab_refusals counter\n", path=("/metrics", "/metrics/"), key=""),
        ["metrics.key"],
    ),
    "metrics are for any key": (
        instead(200, "# TYPE up gauge\n", path="/metrics/", key=CLIENT),
        ["metrics.client"],
    ),
    "metrics have nothing of ours": (
        changed(without_lines("homelab_"), path="/metrics/", key=METRICS),
        ["metrics.read"],
    ),
    "metrics are off": (instead(404, error("not_found"), path=("/metrics", "/metrics/")), ["metrics.read"]),
    "the page needs no key": (instead(200, {"handles": []}, path=PAGES, key=""), ["page.key"]),
    "the page is for any key": (instead(200, {}, path="/homelab.json", key=CLIENT), ["page.client"]),
    "search needs no key": (
        instead(200, {"results": []}, path="/v1/search/searxng-search", key=""),
        ["search.key"],
    ),
    "there is no search tool": (
        instead(404, error("model_not_found"), path="/v1/search/searxng-search", key=CLIENT),
        ["search.answers"],
    ),
    "SearXNG refuses JSON": (
        instead(500, error("internal_server_error"), path="/v1/search/searxng-search", key=CLIENT),
        ["search.answers"],
    ),
    "every engine is blocked": (
        instead(200, {"results": []}, path="/v1/search/searxng-search", key=CLIENT),
        ["search.answers"],
    ),
}


async def test_nothing_fails_on_the_shipped_configuration(gateway: httpx.AsyncBaseTransport) -> None:
    """Every check is made; only the router approach and HTTPS do not apply."""
    items = await verified(gateway)
    assert failures(items) == []
    others = [one for one in items if one.judgement.verdict is not VerifyVerdict.PASSED]
    assert [(one.check.id, one.judgement.verdict) for one in others] == [
        ("gateway.encrypted", VerifyVerdict.NOT_APPLICABLE),
        ("optillm.router", VerifyVerdict.NOT_APPLICABLE),
    ]


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_named(gateway: httpx.AsyncBaseTransport, name: str) -> None:
    """The check that is about it fails, others do not, and it says what to do."""
    fault, expected = FAULTS[name]
    items = await verified(gateway, fault)
    assert failures(items) == expected
    for one in items:
        if one.judgement.verdict is VerifyVerdict.FAILED:
            assert one.judgement.seen
            assert one.judgement.do


async def test_optillm_on_every_address(gateway: httpx.AsyncBaseTransport) -> None:
    """It answers at another address of the machine."""

    async def everywhere(asked: Asked) -> httpx.Response | None:
        is_other = asked.request.url.host == "127.0.0.2"
        return httpx.Response(200, json={"status": "ok"}) if is_other else None

    items = await verified(gateway, everywhere)
    assert failures(items) == ["optillm-server.loopback"]


async def test_the_refused_key_of_calls_back_is_named(gateway: httpx.AsyncBaseTransport) -> None:
    """What the client sees is a 500; the gateway's own count says why."""
    items = await verified(gateway, call_back_refused)
    found = next(one.judgement for one in items if one.check.id == "optillm.calls")
    assert "refused the key of OptiLLM's calls back" in found.seen


async def test_without_a_configuration(gateway: httpx.AsyncBaseTransport) -> None:
    """The listing says what there is; what cannot be known is not checked."""
    items = await verified(gateway, of=without_config(URL, KEYS))
    assert failures(items) == []
    unseen = [one.check.id for one in items if one.judgement.verdict is VerifyVerdict.NOT_CHECKED]
    assert unseen == ["names.closed", "optillm.not-listed", "optillm.router", "optillm-server.key"]


@pytest.mark.parametrize("kept", [*KEYS])
async def test_with_one_key(gateway: httpx.AsyncBaseTransport, kept: str) -> None:
    """Checks without a key are not made and name the variable; none of them fails."""
    items = await verified(gateway, of=lab({kept: KEYS[kept]}))
    if kept in ("LITELLM_MASTER_KEY", CLIENT):
        assert failures(items) == []
    unseen = {one.check.id for one in items if one.judgement.verdict is VerifyVerdict.NOT_CHECKED}
    assert f"keys.{'client' if kept != CLIENT else 'master'}" in unseen


async def test_the_time_is_bounded(gateway: httpx.AsyncBaseTransport) -> None:
    """What is left when it is up is not checked, and nothing failed."""
    items = await verified(gateway, seconds=0.2)
    assert failures(items) == []
    assert any("time of this run" in one.judgement.seen for one in items)


async def test_no_key_is_repeated(gateway: httpx.AsyncBaseTransport) -> None:
    """Whatever a server answers, the keys that it was sent are not in the report."""

    async def echoing(asked: Asked) -> httpx.Response | None:
        sent = asked.request.headers.get("authorization", "")
        return httpx.Response(500, json=error(sent, sent), headers={"location": sent})

    items = await verified(gateway, echoing)
    said = "".join(f"{one.judgement.seen}{one.judgement.do}" for one in items)
    assert [name for name, key in KEYS.items() if key in said] == []
