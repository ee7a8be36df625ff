"""The loop guard's hooks with simulated children: whose call is it, may it pass, what does the root get?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from litellm_homelab.adapter.optillm import lineage_token
from litellm_homelab.adapter.optillm.roots import RootKeeper
from litellm_homelab.optillm import lineage
from litellm_homelab.optillm.fanout import RootRecord, Summary, Usage
from litellm_homelab.optillm.lanes import Lanes
from litellm_homelab.optillm.ledger import Ledger
from litellm_homelab.optillm.lineage import MARKER
from litellm_homelab.state import Location, connect
from litellm_homelab.testing import Answer, MockProxy
from tests.adapter.lane import CALLERS, CONTENTS, KEYS, TEXT, document, group, key_of, mark_of, proxy_on

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("quiet")]

SECRET = "the-secret-of-this-test"
CHAT = "/v1/chat/completions"
MAX_CALLS = 3


def router(state: str) -> dict[str, Any]:
    """Two OptiLLM handles, a model server that falls back to one of them, and what OptiLLM calls back."""
    models = [group("main"), group("base"), group("boost", "openai/base"), group("deep", "openai/base")]
    models += [group("chain", num_retries=0)]
    lane = {"approaches": ["none", "re2", "moa"], "max_calls": MAX_CALLS}
    made = document(
        models,
        {"boost": {**lane, "max_calls": 12, "prefixes": True}, "deep": lane},
        fallbacks={"chain": ["boost"]},
        callers={**CALLERS, "app": {"key": KEYS["app"]}},
        state=state,
    )
    made["homelab"]["secret"] = SECRET
    return made


@dataclass(frozen=True, slots=True)
class Gateway:
    """The mocked proxy, and the ledger that it keeps its roots in."""

    proxy: MockProxy
    ledger: Ledger

    async def open(self, max_calls: int = MAX_CALLS) -> str:
        """Open a root as another worker would; its id."""
        root, now = lineage.new_root(), time.time()
        await self.ledger.open(RootRecord(root, "boost", "moa", max_calls, now, now + 60))
        return root

    async def child(self, model: str, caller: str = "optillm", **fields: object) -> Answer:
        """A call back for `model`, mark included."""
        return await self.proxy.post(
            CHAT, {"model": model, "messages": TEXT, **fields}, headers=key_of(caller)
        )

    @asynccontextmanager
    async def held(self, handle: str, **fields: object) -> AsyncIterator[Held]:
        """A root whose OptiLLM is at work inside the block and has answered after it."""
        upstream = self.proxy.upstream(handle)
        before = len(upstream.requests)
        release = upstream.holds()
        body = {"model": handle, "messages": TEXT, **fields}
        asking = asyncio.ensure_future(self.proxy.post(CHAT, body))
        try:
            while len(upstream.requests) == before and not asking.done():
                await asyncio.wait({asking}, timeout=0.005)
            held = Held(mark_of(upstream.requests[-1].json))
            yield held
        finally:
            release.set()
        held.answers.append(await asking)


class Held:
    """A root under way: its mark, its id, and in the end its answer."""

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.answers: list[Answer] = []
        opened = lineage.open(mark, SECRET, time.time())
        assert isinstance(opened, lineage.ChildName)
        self.root = opened.root

    @property
    def answer(self) -> Answer:
        """What the client got."""
        return self.answers[0]


def marked(root: str, seconds: float = 60, secret: str = SECRET) -> str:
    """A mark, genuine unless said otherwise."""
    return lineage.mint(secret, root, 1, time.time() + seconds)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """One gateway with a store that the test can look into."""
    folder = tmp_path_factory.mktemp("config")
    ledger = Ledger(connect(Location("sqlite", str(folder / "roots.db"))))
    async with proxy_on(folder, router("sqlite:///roots.db")) as proxy:
        yield Gateway(proxy, ledger)


# --- children --------------------------------------------------------------------------------------


USAGE = {"stream_options": {"include_usage": True}}


def _chat(name: str, stream: bool) -> tuple[str, dict[str, Any]]:
    return CHAT, {"model": name, "messages": TEXT, "stream": stream, **(USAGE if stream else {})}


def _responses(name: str, stream: bool) -> tuple[str, dict[str, Any]]:
    return "/v1/responses", {"model": name, "input": "hello", "stream": stream}


def _messages(name: str, stream: bool) -> tuple[str, dict[str, Any]]:
    return "/v1/messages", {"model": name, "messages": TEXT, "max_tokens": 20, "stream": stream}


def _completions(name: str, stream: bool) -> tuple[str, dict[str, Any]]:
    return "/v1/completions", {
        "model": name,
        "prompt": "hello",
        "stream": stream,
        **(USAGE if stream else {}),
    }


def _engines(name: str, stream: bool) -> tuple[str, dict[str, Any]]:
    return f"/engines/{quote(name)}/chat/completions", _chat("nowhere", stream)[1]


def _belt(name: str, stream: bool) -> tuple[str, dict[str, Any]]:
    return f"/engines/{name.partition(MARKER)[0]}/chat/completions", _chat(name, stream)[1]


def _query(name: str, stream: bool) -> tuple[str, dict[str, Any]]:
    return f"{CHAT}?model={quote(name)}", _chat(name.partition(MARKER)[0], stream)[1]


def _gemini(name: str, stream: bool) -> tuple[str, dict[str, Any]]:
    verb = "streamGenerateContent" if stream else "generateContent"
    return f"/v1beta/models/{quote(name)}:{verb}", {"contents": CONTENTS}


WAYS = [
    pytest.param(way, id=way.__name__[1:])
    for way in (_chat, _responses, _messages, _completions, _engines, _belt, _query, _gemini)
]
"""Every way in which a name with a mark can come in."""


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("way", WAYS)
async def test_a_child_is_tied_to_its_root_and_booked(
    gateway: Gateway, way: Callable[[str, bool], tuple[str, dict[str, Any]]], stream: bool
) -> None:
    """On every route, streamed or not: counted, its tokens booked, and the mark is seen nowhere."""
    root = await gateway.open()
    path, body = way(f"base{marked(root)}", stream)
    answer = await gateway.proxy.post(path, body, headers=key_of("optillm"))
    assert (answer.status, answer.sent_to, answer.wire[0]["model"]) == (200, ["base"], "real-base"), (
        answer.text
    )
    assert MARKER not in answer.text + str(answer.response.headers) + str(answer.calls[0].content)
    summary = await gateway.ledger.read(root)
    assert summary is not None
    assert (summary.children, summary.finished) == (1, 1)
    if not (stream and way is _gemini):  # there LiteLLM does not ask the backend for the numbers
        assert summary.usage.prompt_tokens > 0
        assert summary.usage.completion_tokens > 0


async def test_a_mark_written_with_an_escape_is_the_same_mark(gateway: Gateway) -> None:
    """JSON may write the `@` as an escape, which hides it from a look at the bytes."""
    root = await gateway.open()
    name = f"base{marked(root)}".replace("@", "\\u0040")
    body = f'{{"model": "{name}", "messages": [{{"role": "user", "content": "hello"}}]}}'
    headers = {**key_of("optillm"), "content-type": "application/json"}
    answer = await gateway.proxy.request("POST", CHAT, content=body, headers=headers)
    assert (answer.status, answer.sent_to, answer.wire[0]["model"]) == (200, ["base"], "real-base"), (
        answer.text
    )
    summary = await gateway.ledger.read(root)
    assert summary is not None
    assert summary.children == 1


async def test_a_mark_grants_nothing(gateway: Gateway) -> None:
    """A client with a genuine mark is told of an internal name what any client is told."""
    root = await gateway.open()
    answer = await gateway.child(f"base{marked(root)}", "app")
    assert (answer.status, answer.error["type"], answer.sent_to) == (404, "model_not_found", [])
    assert MARKER not in answer.text


async def test_a_call_of_optillm_without_a_mark_is_served(gateway: Gateway) -> None:
    """A warm-up or a health check belongs to no root."""
    answer = await gateway.child("base")
    assert (answer.status, answer.sent_to) == (200, ["base"])


REFUSED: list[Any] = [
    pytest.param("nowhere", {}, "optillm", (404, "model_not_found"), id="name-that-exists-nowhere"),
    pytest.param("openai/real-base", {}, "optillm", (404, "model_not_found"), id="name-of-the-upstream"),
    pytest.param("id-base-0", {}, "optillm", (404, "model_not_found"), id="deployment-id"),
    pytest.param("", {}, "optillm", (400, "invalid_request_error"), id="empty-name"),
    pytest.param("base", {}, "app", (404, "model_not_found"), id="caller-without-the-right"),
    pytest.param("base", {"fallbacks": ["main"]}, "optillm", (400, "param_not_allowed"), id="fallbacks"),
    pytest.param("boost", {}, "optillm", (400, "loop_detected"), id="return"),
]
"""Calls back that a rule refuses: name, fields, caller, refusal."""


@pytest.mark.parametrize(("name", "fields", "caller", "refusal"), REFUSED)
async def test_a_refused_child_uses_up_nothing(
    gateway: Gateway, name: str, fields: dict[str, Any], caller: str, refusal: tuple[int, str]
) -> None:
    """It reached no backend: `max_calls` other children of its root are served all the same."""
    root = await gateway.open()
    for _ in range(MAX_CALLS + 1):
        answer = await gateway.child(f"{name}{marked(root)}", caller, **fields)
        assert (answer.status, answer.error["type"], answer.sent_to) == (*refusal, []), answer.text
    summary = await gateway.ledger.read(root)
    assert summary is not None
    assert summary.children == 0
    if refusal[1] != "loop_detected":  # which ends the root
        assert [(await gateway.child(f"base{marked(root)}")).status for _ in range(MAX_CALLS)] == [200] * 3
        assert (await gateway.child(f"base{marked(root)}")).error["type"] == "fanout_exceeded"


async def test_a_name_refused_at_the_limit_does_not_end_the_root(gateway: Gateway) -> None:
    """A root that has had all its children is spoilt by one more that would reach a backend only."""
    root = await gateway.open()
    for _ in range(MAX_CALLS):
        await gateway.child(f"base{marked(root)}")
    assert (await gateway.child(f"nowhere{marked(root)}")).error["type"] == "model_not_found"
    summary = await gateway.ledger.read(root)
    assert summary is not None
    assert (summary.children, summary.problem) == (MAX_CALLS, None)


@pytest.mark.parametrize("way", WAYS)
async def test_a_child_that_fails_over_is_counted_once(
    gateway: Gateway, way: Callable[[str, bool], tuple[str, dict[str, Any]]]
) -> None:
    """However many attempts, and however often LiteLLM calls the hooks of each."""
    root = await gateway.open()
    gateway.proxy.upstream("base").fails(500, times=1)
    path, body = way(f"base{marked(root)}", False)
    await gateway.proxy.post(path, body, headers=key_of("optillm"))
    gateway.proxy.upstream("base").works()
    summary = await gateway.ledger.read(root)
    assert summary is not None
    assert summary.children == 1


async def test_the_header_counts_calls_that_reached_a_backend(gateway: Gateway) -> None:
    """`x-homelab-calls` leaves out what was refused."""
    async with gateway.held("boost", optillm_approach="moa") as held:
        for name in ("nowhere", "base", "nowhere"):
            await gateway.child(f"{name}{held.mark}")
    assert held.answer.response.headers["x-homelab-calls"] == "1"


# --- marks that do not hold ------------------------------------------------------------------------


def _genuine(root: str) -> str:
    return marked(root)


FALSE: dict[str, Callable[[str], str]] = {
    "made up": lambda root: MARKER + "a" * 56,
    "of another secret": lambda root: marked(root, secret="another-secret-altogether"),
    "expired": lambda root: marked(root, seconds=-5),
    "of a root unknown here": lambda root: marked(lineage.new_root()),
    "of two roots": lambda root: marked(root) + marked(root),
    "twice": lambda root: marked(root) * 2,
    "in capitals": lambda root: MARKER + marked(root)[len(MARKER) :].upper(),
    "cut short": lambda root: marked(root)[:-1],
    "with a tail": lambda root: marked(root) + "x",
    "with a space": lambda root: marked(root) + " ",
    "with one letter changed": lambda root: marked(root)[:-1] + ("a" if marked(root)[-1] != "a" else "b"),
    "the marker alone": lambda root: MARKER,
}


@pytest.mark.parametrize("caller", ["optillm", "app"])
@pytest.mark.parametrize("false", [pytest.param(make, id=name) for name, make in FALSE.items()])
async def test_a_mark_that_does_not_hold_is_refused(
    gateway: Gateway, false: Callable[[str], str], caller: str
) -> None:
    """Whatever is wrong with it and whoever sends it: a 400 of one wording that does not repeat it."""
    root = await gateway.open()
    mark = false(root)
    answer = await gateway.child(("base" if caller == "optillm" else "main") + mark, caller)
    assert (answer.status, answer.error["type"], answer.sent_to) == (400, "param_not_allowed", []), (
        answer.text
    )
    assert answer.error["param"] == "model"
    assert MARKER not in answer.text
    assert mark.strip("@ ")[8:40] not in answer.text or mark == MARKER


@pytest.mark.parametrize("way", WAYS)
async def test_a_forged_mark_is_refused_on_every_route(
    gateway: Gateway, way: Callable[[str, bool], tuple[str, dict[str, Any]]]
) -> None:
    """No route takes a mark off without looking at it."""
    path, body = way(f"base{MARKER}{'b' * 56}", False)
    answer = await gateway.proxy.post(path, body, headers=key_of("optillm"))
    assert (answer.status, answer.sent_to) == (400, []), answer.text
    assert "invalid or has expired" in answer.text
    assert "bbbb" not in answer.text


async def test_a_marker_in_capitals_is_part_of_a_name_that_does_not_exist(gateway: Gateway) -> None:
    """The marker has one spelling; OptiLLM does not change it."""
    root = await gateway.open()
    answer = await gateway.child(f"base{marked(root).replace('homelab', 'HOMELAB')}")
    assert (answer.status, answer.error["type"], answer.sent_to) == (404, "model_not_found", [])


async def test_a_mark_is_of_no_use_once_its_root_has_ended(gateway: Gateway) -> None:
    """Replayed, it is refused; the refusal does not show it."""
    answer = await gateway.proxy.chat("boost")
    answer = await gateway.child(f"base{mark_of(answer.wire[0])}")
    assert (answer.status, answer.error["type"], answer.sent_to) == (400, "param_not_allowed", [])
    assert "already finished" in answer.error["message"]
    assert MARKER not in answer.text


async def test_children_of_a_client_that_left_are_refused(gateway: Gateway) -> None:
    """Nobody waits for their answer."""
    root = await gateway.open()
    await gateway.ledger.leave(root)
    answer = await gateway.child(f"base{marked(root)}")
    assert (answer.status, answer.sent_to) == (400, [])


# --- re-entries ------------------------------------------------------------------------------------


@pytest.mark.parametrize("caller", ["optillm", "app"])
@pytest.mark.parametrize("name", ["boost", "deep", "moa-boost"])
async def test_a_child_that_asks_for_optillm_ends_its_root(gateway: Gateway, name: str, caller: str) -> None:
    """Known by its mark, whoever's key it comes with; the root's client gets the one clear refusal."""
    async with gateway.held("boost", optillm_approach="re2") as held:
        child = await gateway.child(name + held.mark, caller)
    assert (child.status, child.error["type"], child.sent_to) == (400, "loop_detected", [])
    assert MARKER not in child.text
    path = f"boost -> OptiLLM -> {name.removeprefix('moa-')}"
    assert (held.answer.status, held.answer.error["type"]) == (508, "loop_detected"), held.answer.text
    assert path in held.answer.error["message"]
    assert held.answer.response.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    "way", [_chat, _responses, _messages, _completions, _gemini], ids=lambda way: way.__name__[1:]
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("status", [None, 500], ids=["answered", "failed"])
async def test_a_root_that_looped_is_refused_whatever_optillm_answers(
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    way: Callable[[str, bool], tuple[str, dict[str, Any]]],
    stream: bool,
    status: int | None,
) -> None:
    """A 200 with an error text and a 500 alike become the 508, streamed or not, after one call."""
    end = Ledger.end

    async def loop_and_end(ledger: Ledger, root: str) -> Summary | None:
        await ledger.loop(root, "boost -> OptiLLM -> boost")
        return await end(ledger, root)

    monkeypatch.setattr(Ledger, "end", loop_and_end)
    if status is not None:
        gateway.proxy.upstream("boost").fails(status, times=1)
    path, body = way("boost", stream)
    answer = await gateway.proxy.post(path, body)
    assert (answer.status, answer.sent_to) == (508, ["boost"]), answer.text
    assert answer.error["type"] == "loop_detected" or way is _messages  # Anthropic's format has its own words
    assert "boost -> OptiLLM -> boost" in answer.error["message"]
    assert answer.response.headers["x-should-retry"] == "false"
    monkeypatch.undo()
    assert (await gateway.proxy.chat("boost")).status == 200


@pytest.mark.parametrize("name", ["boost", "deep", "moa-boost"])
async def test_optillms_key_does_not_reach_optillm(gateway: Gateway, name: str) -> None:
    """Without any mark its identity alone stops it."""
    answer = await gateway.child(name)
    assert (answer.status, answer.error["type"], answer.sent_to) == (400, "loop_detected", [])


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_optillms_key_does_not_reach_optillm_by_a_fallback(gateway: Gateway, stream: bool) -> None:
    """A model server that fails over to OptiLLM does so for clients, not for OptiLLM."""
    gateway.proxy.upstream("chain").fails(500, times=2)
    ours = await gateway.child("chain", stream=stream)
    gateway.proxy.upstream("chain").fails(500, times=1)
    clients = await gateway.proxy.chat("chain", stream=stream)
    assert (ours.status, ours.error["type"], ours.sent_to) == (400, "loop_detected", ["chain"]), ours.text
    assert (clients.status, clients.sent_to) == (200, ["chain", "boost"]), clients.text
    gateway.proxy.upstream("chain").works()


# --- fan-out ---------------------------------------------------------------------------------------


async def test_a_root_has_as_many_children_as_it_may_and_no_more(gateway: Gateway) -> None:
    """The next child is refused with a 400, and the root's client is told with a 422."""
    async with gateway.held("deep") as held:
        children = [await gateway.child(f"base{held.mark}") for _ in range(MAX_CALLS + 2)]
    assert [child.status for child in children] == [200] * MAX_CALLS + [400] * 2
    assert children[-1].error["type"] == "fanout_exceeded"
    assert (held.answer.status, held.answer.error["type"]) == (422, "fanout_exceeded"), held.answer.text
    assert str(MAX_CALLS) in held.answer.error["message"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_an_answer_tells_what_its_children_used(gateway: Gateway, stream: bool) -> None:
    """Headers and usage are the sum over the children, not OptiLLM's own numbers."""
    options = {"stream_options": {"include_usage": True}} if stream else {}
    async with gateway.held("boost", optillm_approach="moa", stream=stream, **options) as held:
        for _ in range(3):
            await gateway.ledger.admit(held.root)
            await gateway.ledger.finish(held.root, Usage(100, 10, 0.1))
    assert held.answer.status == 200, held.answer.text
    headers = held.answer.response.headers
    told = {name: headers[f"x-homelab-{name}"] for name in ("root", "approach", "calls", "tokens")}
    assert told == {"root": held.root, "approach": "moa", "calls": "3", "tokens": "330"}
    body = held.answer.events[-1] if stream else held.answer.json
    assert body["usage"]["prompt_tokens"] == 300
    assert body["usage"]["completion_tokens"] == 30
    assert body["usage"]["total_tokens"] == 330


async def test_an_error_of_optillm_does_not_show_the_mark(gateway: Gateway) -> None:
    """OptiLLM may repeat the name that it was asked for; the client never reads the mark in it."""
    gateway.proxy.upstream("boost").fails(500, times=1)
    answer = await gateway.proxy.chat("boost")
    assert answer.status == 500
    assert MARKER in answer.wire[0]["model"]
    assert MARKER not in answer.text + str(answer.response.headers)
    assert mark_of(answer.wire[0])[9:30] not in answer.text


# --- what breaks -----------------------------------------------------------------------------------


def broken(*args: object, **kwargs: object) -> Any:
    """A rule that breaks."""
    raise ZeroDivisionError


DECIDING: dict[str, tuple[type, str]] = {
    "the decision on the request": (Lanes, "decide"),
    "the tags in the prompt": (Lanes, "prompt"),
    "the name's prefix": (Lanes, "split_prefix"),
    "opening the root": (Ledger, "open"),
    "the count of returns": (Ledger, "returns"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("owner", "name"), [pytest.param(*at, id=what) for what, at in DECIDING.items()])
async def test_a_rule_that_breaks_before_the_call_refuses(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, stream: bool
) -> None:
    """Closed: nothing leaves for OptiLLM, and the client is told whose fault it is."""
    monkeypatch.setattr(owner, name, broken)
    answer = await gateway.proxy.chat("boost", optillm_approach="re2", stream=stream)
    assert (answer.status, answer.error["type"], answer.sent_to) == (503, "policy_error", []), answer.text
    assert answer.response.headers["x-should-retry"] == "false"


async def test_a_wire_rule_that_breaks_refuses(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be sent cannot be told: nothing is."""
    monkeypatch.setattr("litellm_homelab.optillm.wire.reduce", broken)
    answer = await gateway.proxy.chat("boost")
    assert (answer.status, answer.error["type"], answer.sent_to) == (503, "policy_error", []), answer.text


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_rule_that_breaks_in_a_fallback_refuses(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    """The client is told of the broken rule, not of the error that led to the fallback."""
    monkeypatch.setattr("litellm_homelab.optillm.wire.reduce", broken)
    gateway.proxy.upstream("chain").fails(500, times=1)
    answer = await gateway.proxy.chat("chain", stream=stream)
    assert (answer.status, answer.error["type"], answer.sent_to) == (503, "policy_error", ["chain"]), (
        answer.text
    )
    assert answer.response.headers["x-should-retry"] == "false"


async def test_stripping_that_breaks_refuses(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model server gets nothing rather than OptiLLM's fields."""
    monkeypatch.setattr("litellm_homelab.optillm.wire.strip", broken)
    answer = await gateway.proxy.chat("main")
    assert (answer.status, answer.error["type"], answer.sent_to) == (503, "policy_error", []), answer.text


async def test_a_child_whose_admission_breaks_is_refused(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child that cannot be counted does not reach a backend."""
    root = await gateway.open()
    monkeypatch.setattr(Ledger, "admit", broken)
    answer = await gateway.child(f"base{marked(root)}")
    assert (answer.status, answer.error["type"], answer.sent_to) == (503, "policy_error", []), answer.text


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_root_that_cannot_be_closed_is_not_answered(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    """Whether it looped is not known, so its answer is held back."""
    monkeypatch.setattr(Ledger, "end", broken)
    answer = await gateway.proxy.chat("boost", stream=stream)
    assert (answer.status, answer.error["type"], answer.sent_to) == (503, "policy_error", ["boost"]), (
        answer.text
    )


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_root_whose_mark_was_not_sent_is_not_answered(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    """LiteLLM swallows what the wire hook raises and sends anyway; the root ends with a refusal."""
    monkeypatch.setattr(lineage_token, "put_on", broken)
    answer = await gateway.proxy.chat("boost", stream=stream)
    assert (answer.status, answer.error["type"]) == (503, "policy_error"), answer.text
    assert answer.response.headers["x-should-retry"] == "false"
    assert MARKER not in answer.wire[0]["model"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_headers_that_cannot_be_told_are_blank(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    """They are not worth an answer."""
    monkeypatch.setattr(RootKeeper, "headers", broken)
    answer = await gateway.proxy.chat("boost", stream=stream)
    assert answer.status == 200, answer.text
    told = {name: value for name, value in answer.response.headers.items() if name.startswith("x-homelab-")}
    assert told == dict.fromkeys(
        ("x-homelab-root", "x-homelab-approach", "x-homelab-calls", "x-homelab-tokens"), ""
    )
