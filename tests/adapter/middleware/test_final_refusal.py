"""What the client of a root that failed gets, whatever LiteLLM would have sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from litellm_homelab.adapter.context import RequestContext, Root
from litellm_homelab.adapter.middleware.final_refusal import LastWord
from litellm_homelab.adapter.outcome import Level
from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.optillm import fanout
from litellm_homelab.optillm.child_failures import ChildFailure
from litellm_homelab.optillm.fanout import Summary, Usage

LOOPED = Refuse(RefusalType.LOOP_DETECTED, "Loop detected: boost -> OptiLLM -> boost.", "model")
SPENT = Refuse(RefusalType.FANOUT_EXCEEDED, "Too many calls.", "optillm_approach")
STREAM = [(b"content-type", b"text/event-stream"), (b"x-homelab-root", b"r1")]
JSON = [(b"content-type", b"application/json"), (b"x-homelab-root", b"r1")]


def record(verdict: Refuse | None = None, refusal: Refuse | None = None) -> RequestContext:
    """A request whose root got this verdict, and which was refused this attempt."""
    made = RequestContext(root=Root("r1", "boost", "moa", ""))
    if verdict is not None:
        made.outcome.refuse("loop_guard", verdict, Level.ROOT)
    if refusal is not None:
        made.outcome.refuse("loop_guard", refusal, Level.ATTEMPT)
    return made


async def sent(
    record: RequestContext, status: int, parts: list[bytes], raw: list[tuple[bytes, bytes]] = STREAM
) -> tuple[int, dict[str, str], bytes]:
    """What leaves of an answer in several parts: status, headers, body."""
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    word = LastWord(record, send, lambda _: None)
    await word({"type": "http.response.start", "status": status, "headers": list(raw)})
    for part in parts:
        await word({"type": "http.response.body", "body": part, "more_body": part != parts[-1]})
    start, *bodies = messages
    assert not bodies[-1].get("more_body", False)
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    assert len(headers) == len(start["headers"])
    return start["status"], headers, b"".join(one["body"] for one in bodies)


@pytest.mark.parametrize(
    "before", [pytest.param(200, id="a 200"), pytest.param(500, id="an error as an event")]
)
@pytest.mark.parametrize("verdict", [pytest.param(LOOPED, id="looped"), pytest.param(SPENT, id="spent")])
async def test_a_verdict_replaces_an_event_stream(verdict: Refuse, before: int) -> None:
    """Status and body are the refusal's; the headers that tell of the root stay."""
    status, headers, body = await sent(
        record(verdict), before, [b"event: response.failed\n", b"data: {}\n\n"]
    )

    error = json.loads(body)["error"]
    assert (status, error["type"], error["message"]) == (verdict.status, verdict.type, verdict.message)
    assert headers["content-type"] == "application/json"
    assert headers["content-length"] == str(len(body))
    assert headers["x-homelab-root"] == "r1"
    assert headers.get("x-should-retry") == ("false" if verdict.status >= 500 else None)


@pytest.mark.parametrize(
    ("one", "status", "retry"),
    [
        pytest.param(record(LOOPED), 508, "false", id="looped"),
        pytest.param(record(refusal=LOOPED), 508, "false", id="an attempt refused"),
        pytest.param(record(SPENT), 422, None, id="a status that nobody retries"),
        pytest.param(record(), 500, None, id="not ours"),
        pytest.param(RequestContext(), 500, None, id="no root"),
    ],
)
async def test_an_error_keeps_its_body(one: RequestContext, status: int, retry: str | None) -> None:
    """Each route words an error in its own format; that it is not worth a retry is added to ours alone."""
    assert await sent(one, status, [b"{}"], JSON) == (
        status,
        {"content-type": "application/json", "x-homelab-root": "r1"}
        | ({"x-homelab-approach": "moa"} if one.root else {})
        | ({"x-should-retry": retry} if retry else {}),
        b"{}",
    )


@pytest.mark.parametrize(
    "one", [record(), record(refusal=LOOPED), RequestContext()], ids=["good", "fell back", "plain"]
)
async def test_a_good_answer_passes(one: RequestContext) -> None:
    """Without a verdict it stays, though an attempt on the way was refused; what ran is told."""
    told = {k.decode(): v.decode() for k, v in STREAM} | ({"x-homelab-approach": "moa"} if one.root else {})
    assert await sent(one, 200, [b"a", b"b"]) == (200, told, b"ab")


@pytest.mark.parametrize("before", [200, 500, 503])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
async def test_what_a_backend_said_to_a_call_replaces_every_other_answer(path: str, before: int) -> None:
    """In the form of the route's errors; it must not be sent again, but says when it could be."""
    one = record()
    one.path = path
    assert one.root is not None
    one.outcome.backend_failed(ChildFailure(429, "Too busy.", "7"))
    status, headers, body = await sent(one, before, [b"{}"], JSON)

    assert (status, headers["x-should-retry"], headers["retry-after"]) == (429, "false", "7")
    error = json.loads(body)["error"]
    assert (error["type"], error["message"]) == ("rate_limit_error", "Too busy.")
    assert ("type" in json.loads(body)) == (path == "/v1/messages")


async def test_what_has_run_optillm_must_not_be_sent_again() -> None:
    """Whatever went wrong: each repetition would run it again."""
    one = record()
    assert one.root is not None
    known = fanout.RootRecord("r1", "boost", "moa", 12, 0.0, 1.0)
    one.root.summary = Summary(known, 3, 3, Usage(5, 9), None, ended=True)
    one.dropped = ("tools", "images")
    _, headers, _ = await sent(one, 500, [b"{}"], JSON)

    assert (headers["x-should-retry"], headers["x-homelab-calls"]) == ("false", "3")
    assert (headers["x-homelab-tokens"], headers["x-homelab-dropped"]) == ("14", "tools,images")
