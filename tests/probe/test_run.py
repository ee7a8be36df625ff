"""The whole probe on servers whose truth is known: never `accepted` without a use, and uses are found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_homelab.probe.run import FORCE_NONE, ProbeFailed
from tests.probe.stand_in import KEY, MANNERS, MODEL, NAMES, SEEN, UNSEEN, StandIn, probed, verdicts

CHAT = "/v1/chat/completions"


def test_a_server_that_uses_all() -> None:
    """Every use is seen; what no answer shows is not known."""
    found = verdicts(probed(StandIn()))
    assert {name for name, verdict in found.items() if verdict == "accepted"} == SEEN
    assert {name for name, verdict in found.items() if verdict == "not known"} == UNSEEN


@pytest.mark.parametrize("manner", ["model", *MANNERS])
def test_a_server_that_uses_nothing(manner: str) -> None:
    """Whatever it says, and whatever its words depend on."""
    found = verdicts(probed(StandIn(uses=(), manner=manner)))
    assert {name for name, verdict in found.items() if verdict in ("accepted", "rejected")} == set()


def test_a_choice_among_a_few_texts_is_not_taken_for_chance() -> None:
    """However often it is asked: with four texts of its own, no six answers all differ."""
    for _ in range(20):
        found = verdicts(probed(StandIn(uses=(), manner="choice")))
        assert "accepted" not in found.values()


@pytest.mark.parametrize(
    ("name", "error"),
    [
        *((name, "openai") for name in sorted(NAMES - {"max_tokens"})),
        *(("seed", error) for error in ("html", "ok", "detail")),
    ],
)
def test_one_that_is_rejected(name: str, error: str) -> None:
    """By an error in whatever form, a 200 with an error in it included; all others are served as before."""
    found = verdicts(probed(StandIn(rejects={name}, error=error)))
    assert found[name] == "rejected"
    assert {other for other, verdict in found.items() if verdict == "rejected"} <= {
        name,
        *NEEDS.get(name, ()),
    }


NEEDS = {"logprobs": ["top_logprobs"], "tools": ["tool_choice"], "stream": ["stream_options.include_usage"]}
"""What cannot be asked for without the other, and so falls with it."""


def test_max_tokens_that_is_rejected() -> None:
    """Ordinary requests are limited by its successor then."""
    server = StandIn(rejects={"max_tokens"})
    found = verdicts(probed(server))
    assert (found["max_tokens"], found["max_completion_tokens"]) == ("rejected", "accepted")
    assert all("max_tokens" not in one for one in server.requests[26:28])


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_use_is_made_up(data: st.DataObject) -> None:
    """Some used, some rejected, the rest ignored: `accepted` is used, `rejected` is rejected."""
    uses = data.draw(st.sets(st.sampled_from(sorted(SEEN))))
    rejects = data.draw(st.sets(st.sampled_from(sorted(NAMES - {"max_tokens"})), max_size=4)) - uses
    server = StandIn(uses=uses, rejects=rejects, manner=data.draw(st.sampled_from(["model", *MANNERS])))
    found = verdicts(probed(server))
    fallen = rejects | {each for one in rejects for each in NEEDS.get(one, ())}
    assert {name for name, verdict in found.items() if verdict == "accepted"} <= uses
    assert {name for name, verdict in found.items() if verdict == "rejected"} <= fallen
    assert rejects <= {name for name, verdict in found.items() if verdict in ("rejected", "not known")}


@pytest.mark.parametrize("name", sorted(SEEN - {"temperature", "stream", "tools", "logprobs"}))
def test_one_that_is_ignored(name: str) -> None:
    """It alone is not accepted."""
    found = verdicts(probed(StandIn(uses=SEEN - {name})))
    assert found[name] == ("not known" if name == "presence_penalty" else "ignored")
    assert {other for other in SEEN - {name} if found[other] != "accepted"} == set()


class Instead:
    """A stand-in that answers some chats in another way: those with a field, or all."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response], field: str = "") -> None:
        self.server, self.answer, self.field = StandIn(), answer, field

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The other answer, or the ordinary one."""
        if request.url.path == CHAT and (not self.field or f'"{self.field}":'.encode() in request.content):
            return self.answer(request)
        return self.server(request)


def _endless() -> Iterator[bytes]:
    while True:
        yield b'data: {"choices": [{"index": 0, "delta": {"content": "tide "}}]}\n\n' * 10


class Endless(httpx.SyncByteStream):
    """A body without an end."""

    def __iter__(self) -> Iterator[bytes]:
        """The same event, again and again."""
        return _endless()


def _silent(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("", request=request)


def _ends(request: httpx.Request) -> httpx.Response:
    raise httpx.RemoteProtocolError("peer closed connection", request=request)


def _html(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, html="<!doctype html><html>Sign in</html>")


OTHERS: list[Any] = [
    pytest.param(_silent, "nothing came within", id="silent"),
    pytest.param(_ends, "it breaks off", id="breaks off"),
    pytest.param(_html, "an HTML page", id="a page"),
    pytest.param(lambda _: httpx.Response(200, stream=Endless()), "longer than", id="endless"),
    pytest.param(lambda _: httpx.Response(200, text="x" * 9_000_000), "longer than", id="huge"),
    pytest.param(lambda _: httpx.Response(200, json={"choices": []}), "without choices", id="no choices"),
    pytest.param(lambda _: httpx.Response(200, json=[1]), "not an object", id="a list"),
    pytest.param(lambda _: httpx.Response(200, text=""), "an empty body", id="empty"),
    pytest.param(lambda _: httpx.Response(200, content=b"[" * 100_000), "plain text", id="nested"),
    pytest.param(lambda _: httpx.Response(503, json={"error": "loading"}), "503: loading", id="loading"),
    pytest.param(
        lambda _: httpx.Response(307, headers={"location": "http://elsewhere.test/v1"}),
        "it redirects to //elsewhere.test; that is not followed",
        id="elsewhere",
    ),
]


@pytest.mark.parametrize(("answer", "why"), OTHERS)
def test_a_chat_that_is_not_one(answer: Callable[[httpx.Request], httpx.Response], why: str) -> None:
    """Nothing is concluded of parameters; the text says what came."""
    with pytest.raises(ProbeFailed) as error:
        probed(Instead(answer))
    assert why in str(error.value)
    assert not error.value.is_unusable


@pytest.mark.parametrize(("answer", "why"), OTHERS)
@pytest.mark.parametrize("field", ["seed", "stream", "tools"])
def test_a_parameter_with_an_answer_that_is_not_one(
    answer: Callable[[httpx.Request], httpx.Response], why: str, field: str
) -> None:
    """It is not known, the rest is as it was."""
    report = probed(Instead(answer, field))
    (found,) = [one for one in report.findings if one.parameter == field]
    assert (found.verdict.value, why in found.why) == ("not known", True)
    assert verdicts(report)["top_p"] == "accepted"


def test_it_goes_elsewhere_with_nothing() -> None:
    """A redirect is not followed, with a key or without one."""
    hosts: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(302, headers={"location": f"http://elsewhere.test/?key={KEY}"})

    with pytest.raises(ProbeFailed) as error:
        probed(answer, key=KEY, model=MODEL)
    assert {*hosts} == {"stand-in.test"}
    assert KEY not in str(error.value)


def test_a_server_without_a_connection_is_unusable() -> None:
    """That is nothing that a server does."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused", request=request)

    with pytest.raises(ProbeFailed, match="no connection") as error:
        probed(refuse)
    assert error.value.is_unusable


def test_a_key_that_is_needed() -> None:
    """Without it the text says what to do; with it, that it is needed."""
    with pytest.raises(ProbeFailed, match="--key-env") as error:
        probed(StandIn(key=KEY), model=MODEL)
    assert error.value.is_unusable
    assert probed(StandIn(key=KEY), key=KEY).key == "needed: 401 without, 401 with a wrong one"


def test_a_list_without_a_model() -> None:
    """One must be named then."""

    def empty(request: httpx.Request) -> httpx.Response:
        listed = {"object": "list", "data": []}
        return httpx.Response(200, json=listed) if request.method == "GET" else httpx.Response(404)

    with pytest.raises(ProbeFailed, match="--model"):
        probed(empty)


def test_calls_end_where_the_budget_does() -> None:
    """What was found until then counts, the rest was not tried."""
    report = probed(StandIn(), calls=40)
    found = verdicts(report)
    assert (report.calls, found["temperature"], found["stream"]) == (40, "accepted", "not known")
    assert report.problems == ("not finished: 40 calls are spent",)


def test_time_ends_it() -> None:
    """So does a time that is over."""
    report = probed(StandIn(), seconds=0.01, calls=10_000)
    assert report.problems[0].startswith("not finished: 0.01 s")


def test_a_server_that_falls_silent_is_left_in_peace() -> None:
    """After three requests in a row without an answer."""
    asked: list[int] = []

    def server(request: httpx.Request) -> httpx.Response:
        asked.append(1)
        return StandIn()(request) if len(asked) < 30 else _silent(request)

    report = probed(server)
    assert len(asked) == 32
    assert report.problems == ("not finished: 3 requests in a row had no answer",)
    assert "accepted" not in {verdicts(report)[one] for one in ("n", "stream", "tools")}


def test_a_server_that_is_loaded_rejects_nothing() -> None:
    """A 429, or an error that comes without the parameter too, is not about the parameter."""
    count = [0]

    def server(request: httpx.Request) -> httpx.Response:
        count[0] += request.url.path == CHAT
        return StandIn()(request) if count[0] < 30 else httpx.Response(500, json={"error": "broken"})

    assert "rejected" not in verdicts(probed(server)).values()
    busy = Instead(lambda _: httpx.Response(429, json={"error": "busy"}), "seed")
    assert verdicts(probed(busy))["seed"] == "not known"


def test_wrong_values_are_sent_where_that_is_asked_for() -> None:
    """They show which parameters are read; a server that ends on one is a problem."""
    server = StandIn()
    probed(server)
    assert all(one.get("temperature", 0) != "warm" for one in server.requests)
    ended: list[bytes] = []

    def fragile(request: httpx.Request) -> httpx.Response:
        if b'"seven"' in request.content:
            ended.append(request.content)
        if b'"warm"' in request.content or b'"many"' in request.content:
            return httpx.Response(400, json={"error": "wrong"})
        return httpx.Response(500, json={"error": "ended"}) if ended else StandIn()(request)

    report = probed(fragile, with_wrong_values=True)
    assert report.problems == ("after a wrong value of seed it serves no ordinary request any more",)
    (temperature,) = [one for one in report.findings if one.parameter == "temperature"]
    assert temperature.why.endswith("; a wrong value is refused")


def test_what_is_validated_and_has_no_effect_is_not_accepted() -> None:
    """That a wrong value is refused says that it is read, and no more."""

    def server(request: httpx.Request) -> httpx.Response:
        if b'"narrow"' in request.content or b'"user": 5' in request.content:
            return httpx.Response(400, json={"error": "wrong"})
        return StandIn(uses=SEEN - {"top_k"})(request)

    report = probed(server, with_wrong_values=True)
    found = {one.parameter: one for one in report.findings}
    assert found["top_k"].verdict.value == found["user"].verdict.value == "not known"
    assert found["top_k"].why.endswith("a wrong value is refused, so it is read")


class Optillm:
    """OptiLLM's headers and health around a stand-in; with an approach of its own an answer has no id."""

    def __init__(self, approach: str) -> None:
        self.approach, self.server, self.through = approach, StandIn(), 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """One request; those that go through the approach are counted."""
        if request.url.path == "/health":
            return httpx.Response(200, json={"status": "ok"}, headers={"server": "Werkzeug/3 Python/3"})
        is_chat = request.url.path == CHAT and b'"model": "' in request.content
        if is_chat and self.approach != "none" and FORCE_NONE.encode() not in request.content:
            self.through += 1
            said = {"role": "assistant", "content": "A whole answer of several calls."}
            return httpx.Response(200, json={"choices": [{"index": 0, "message": said}]})
        return self.server(request)


def test_an_optillm_with_an_approach_of_its_own() -> None:
    """One request goes through the approach; then each asks for none, errors and keys included."""
    server = Optillm("moa")
    report = probed(server)
    assert (report.server.kind, server.through) == ("optillm", 1)
    assert "--approach none" in report.problems[0]
    assert verdicts(report)["max_tokens"] == "accepted"
    assert probed(Optillm("none")).problems == ()


def test_an_mlx_server_is_asked_for_no_other_model() -> None:
    """It would unload its own."""
    server = StandIn()

    def mlx(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/health":
            return httpx.Response(200, json={"status": "ok"}, headers={"server": "BaseHTTP/0.6"})
        return server(request)

    report = probed(mlx)
    assert report.server.kind == "mlx"
    assert {one.get("model") for one in server.requests} == {MODEL}
    assert report.errors["another model"].startswith("not tried")


@pytest.mark.parametrize("calls", range(8, 90, 6))
def test_every_end_of_the_budget(calls: int) -> None:
    """Wherever it comes, what was not tried is not known."""
    report = probed(StandIn(uses=SEEN - {"n", "seed"}, rejects={"top_k"}), calls=calls)
    found = verdicts(report)
    assert {name for name, verdict in found.items() if verdict == "accepted"} <= SEEN - {"n", "seed"}
    assert {name for name, verdict in found.items() if verdict == "rejected"} <= {"top_k"}
    assert (report.calls <= calls, len(found)) == (True, len(NAMES))


def _always(**changed: Any) -> Callable[[httpx.Request], httpx.Response]:
    """A server that uses nothing, and answers with something of its own each time."""
    server = StandIn(uses=(), manner="canned")

    def answer(request: httpx.Request) -> httpx.Response:
        reply = server(request)
        document = reply.json() if reply.status_code == 200 else {}
        if "choices" not in document:
            return reply
        (choice,) = document["choices"]
        asked = json.loads(request.content)
        choice |= {name: one for name, one in changed.items() if name in ("finish_reason", "logprobs")}
        choice["message"] |= changed.get("message", {})
        if "content" in changed:
            choice["message"]["content"] = changed["content"]
        if "usage" in changed:
            document["usage"]["completion_tokens"] = asked.get("max_tokens", 5)
        document["choices"] = [choice, {**choice, "index": 1}] if "n" in changed else [choice]
        return httpx.Response(200, json=document)

    return answer


CALL = {"function": {"name": "note_colour_of_probe", "arguments": "{}"}}
ROWS = [{"token": "x", "logprob": -1.0, "top_logprobs": [{"token": "x", "logprob": -1.0}] * 3}]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(_always(finish_reason="length", usage=True), id="says length, and counts as asked"),
        pytest.param(_always(n=True), id="two choices"),
        pytest.param(_always(logprobs={"content": ROWS}), id="log probabilities"),
        pytest.param(_always(content='{"probe_number": 1}'), id="JSON"),
        pytest.param(_always(content=""), id="nothing"),
        pytest.param(_always(message={"tool_calls": [CALL]}), id="a call"),
    ],
)
def test_what_comes_each_time_is_no_effect(answer: Callable[[httpx.Request], httpx.Response]) -> None:
    """Whether it was asked for or not."""
    assert "accepted" not in verdicts(probed(answer)).values()


def test_a_stream_that_comes_each_time_is_no_effect() -> None:
    """Of `stream` nothing is known then."""

    def answer(request: httpx.Request) -> httpx.Response:
        server = StandIn()
        if request.url.path == CHAT and b'"stream"' not in request.content and request.content[-1:] == b"}":
            content = request.content[:-1] + b', "stream": true}'
            request = httpx.Request("POST", request.url, headers=request.headers, content=content)
        return server(request)

    found = verdicts(probed(answer))
    assert (found["stream"], found["max_tokens"]) == ("not known", "accepted")
