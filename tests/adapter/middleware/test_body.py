"""Bodies of the wrong size or shape, as a client of the wrapped app sees them."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.middleware import drain, outer
from litellm_homelab.optillm import lineage
from tests.bodies import NO_OBJECT

LIMIT = 1000
METHODS = ["POST", "PUT", "PATCH", "DELETE", "GET", "OPTIONS", "QUERY", "FOO"]
ROOT = lineage.new_root()
MARK = lineage.mint("a secret of sixteen", ROOT, 1, 4e9)


def unmark(record: RequestContext, model: str) -> str:
    """Cut a mark off, as the gateway's own opening does, and remember that it was there."""
    record.forged = "seen"
    return model.partition(lineage.MARKER)[0]


class Echo(JSONResponse):
    """What arrived, in an answer that is not rewritten as a chat's."""

    media_type = "text/plain"


async def echo(request: Request) -> Response:
    """Answer with what arrived."""
    if "form" in request.headers.get("content-type", ""):
        return Echo({"length": len(await request.body())})
    body = await request.body()
    return Echo({"body": body.decode("utf-8", "replace"), "told": request.headers.get("content-length")})


def wrapped(limit: int = LIMIT, parts: int = 2000) -> outer.Edge:
    """An app that echoes, behind the border."""
    routes = [Route("/v1/chat/completions", echo, methods=METHODS), Route("/v1/models", echo)]
    return outer.Edge(Starlette(routes=routes), outer.Border((), limit, unmark, parts=parts))


async def sent(content: Any, **kwargs: Any) -> httpx.Response:
    """What a client gets for a body."""
    app = wrapped(kwargs.pop("limit", LIMIT), kwargs.pop("parts", 2000))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        method, path = kwargs.pop("method", "POST"), kwargs.pop("path", "/v1/chat/completions")
        return await client.request(method, path, content=content, **kwargs)


@pytest.mark.parametrize(
    "content",
    [
        *(pytest.param(content, id=name) for name, content in NO_OBJECT.items()),
        pytest.param(b'{"model": "@homelab.", "x": ' + b"[" * 100_000, id="nested-behind-a-mark"),
    ],
)
async def test_a_body_that_is_no_object_is_a_400(content: bytes) -> None:
    """
    Anything but a JSON object is refused in OpenAI's shape, whatever content type it claims.

    So is what LiteLLM would take for an empty one: bytes that are no text, and nesting without end.
    """
    for kind in ("application/json", "text/plain", ""):
        answer = await sent(content, headers={"content-type": kind} if kind else {}, limit=2**20)
        assert answer.status_code == 400
        assert answer.json() == {
            "error": {
                "message": "The body must be a JSON object: {...}.",
                "type": "invalid_request_error",
                "param": None,
                "code": "400",
            }
        }


@pytest.mark.parametrize("content", [b"", b"   ", b"{}", b' {"a": 1}', b'\xef\xbb\xbf{"a": 1}', b"{broken"])
async def test_an_object_or_nothing_goes_on_as_it_is(content: bytes) -> None:
    """An object, an empty body and a broken object are for LiteLLM to look at, byte for byte."""
    answer = await sent(content)
    assert answer.json()["body"] == content.decode("utf-8", "replace")


async def test_a_body_over_the_limit_is_a_413() -> None:
    """One byte over the limit is refused, one at the limit is not; announced or in chunks."""

    async def chunks(size: int) -> AsyncIterator[bytes]:
        yield b'{"a": "'
        for _ in range(size - 9):
            yield b"x"
        yield b'"}'

    assert (await sent(chunks(LIMIT))).status_code == 200
    for content in (chunks(LIMIT + 1), b'{"a": "' + b"x" * LIMIT):
        answer = await sent(content)
        assert (answer.status_code, answer.json()["error"]["type"]) == (413, "body_too_large")


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
async def test_a_form_is_counted_on_its_way(kind: str) -> None:
    """A form goes on in pieces and is cut off once it is over the limit."""

    def pieces(count: int) -> Iterator[bytes]:
        yield from (b"x" * 100 for _ in range(count))

    headers = {"content-type": kind}
    assert (await sent(_each(pieces(10)), headers=headers)).json() == {"length": LIMIT}
    answer = await sent(_each(pieces(11)), headers=headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "body_too_large")


async def _each(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "in chunks"])
@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "image/png", ""])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/models", "/metrics/", "/nowhere"])
@pytest.mark.parametrize("method", [*METHODS, "HEAD"])
async def test_the_limit_is_for_every_method_and_path(
    method: str, path: str, kind: str, chunked: bool
) -> None:
    """A listing, the metrics, what does not exist: a body over the limit is a 413 everywhere."""
    content = b"{" + b" " * LIMIT
    pieces = _each(iter([content[:10], content[10:]])) if chunked else content
    headers = {"content-type": kind} if kind else {}
    answer = await sent(pieces, method=method, path=path, headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize("method", METHODS)
async def test_a_small_body_goes_on_with_every_method(method: str) -> None:
    """So does none; a body that is no object is a 400 here too, since LiteLLM reads it before the key."""
    for content in (b"", b'{"a": 1}'):
        assert (await sent(content, method=method)).json()["body"] == content.decode()
    assert (await sent(b"[1]", method=method)).status_code == 400


async def test_a_form_that_the_app_refuses_is_counted_to_its_end() -> None:
    """An app that answers without reading has its answer kept, unless the form is too large."""
    headers = {"content-type": "multipart/form-data; boundary=x"}
    small = await sent(_each(iter([b"x" * 10] * 10)), path="/nowhere", headers=headers)
    large = await sent(_each(iter([b"x" * 300] * 10)), path="/nowhere", headers=headers)
    assert (small.status_code, large.status_code) == (404, 413)


@pytest.mark.parametrize(
    "kind", ["application/json", "Multipart/Form", "image/png", "application/x-protobuf"]
)
async def test_too_many_parts_are_a_400_whatever_the_content_type(kind: str) -> None:
    """LiteLLM reads whatever is not a form as JSON."""
    content = json.dumps({"messages": [1] * 21}).encode()
    for method in ("POST", "GET"):
        answer = await sent(content, method=method, parts=20, headers={"content-type": kind})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "messages"), kind
    assert (await sent(json.dumps({"messages": [1] * 20}).encode(), parts=20)).status_code == 200


async def test_parts_are_counted_in_json_that_only_the_slow_reader_takes() -> None:
    """Lone surrogates and NaN make orjson give up, and LiteLLM read the body with Python's own reader."""
    for odd in ("NaN", '"\\ud800"'):
        content = f'{{"x": {odd}, "messages": [{", ".join("1" * 21)}]}}'.encode()
        assert (await sent(content, parts=20)).status_code == 400


async def test_of_a_key_that_occurs_twice_the_last_counts() -> None:
    """It is the one that LiteLLM reads."""
    many, few = b"[" + b"1," * 30 + b"1]", b"[1]"
    assert (await sent(b'{"messages": ' + many + b', "messages": ' + few + b"}", parts=20)).status_code == 200
    assert (await sent(b'{"messages": ' + few + b', "messages": ' + many + b"}", parts=20)).status_code == 400


async def test_binary_content_that_is_no_json_goes_on() -> None:
    """Such a body is for LiteLLM to look at; where it is JSON it is looked at here."""
    for kind in ("audio/wav", "application/octet-stream", "application/x-protobuf"):
        answer = await sent(b"\x00\xff{", headers={"content-type": kind})
        assert answer.status_code == 200, kind


async def test_a_mark_is_taken_off_before_the_app_reads() -> None:
    """The app sees the model name without its mark, every other field, and the right length."""
    body = {"model": f"base{MARK}", "messages": [{"role": "user", "content": "\u00e9 @homelab. stays"}]}
    told = (await sent(json.dumps(body).encode())).json()
    assert json.loads(told["body"]) == {**body, "model": "base"}
    assert int(told["told"]) == len(told["body"].encode())


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b'"' + b"\\ud800" + b'"', id="lone-surrogate"),
        pytest.param(b"[" * 100 + b"]" * 100, id="nested"),
        pytest.param(b"123456789012345678901234567890", id="large-number"),
    ],
)
async def test_a_mark_is_taken_off_whatever_stands_beside_it(rest: bytes) -> None:
    """JSON that one reader takes and another does not carries no mark to the app either."""
    told = (await sent(b'{"x": ' + rest + b', "model": "base' + MARK.encode() + b'"}')).json()
    assert json.loads(told["body"])["model"] == "base"
    assert int(told["told"]) == len(told["body"].encode())


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"model": 5, "x": "@homelab."}', id="model-is-no-text"),
        pytest.param(b'{"x": "@homelab."}', id="no-model"),
        pytest.param(b'{"x": "@homelab."', id="broken"),
        pytest.param(b'{"x": ' + b"[" * 100 + b'"@homelab."' + b"]" * 100 + b"}", id="nested"),
    ],
)
async def test_the_marker_elsewhere_changes_nothing(content: bytes) -> None:
    """A body that merely contains the marker's text goes on byte for byte."""
    assert (await sent(content)).json()["body"] == content.decode()


@given(content=st.binary(max_size=LIMIT + 20))
async def test_any_bytes_get_an_answer(content: bytes) -> None:
    """Whatever the bytes, the answer is the app's, a 400 or a 413."""
    assert (await sent(content)).status_code in {200, 400, 413}


# --- a client that is still sending -----------------------------------------------------------------


class Sender:
    """A client of the wrapped app, piece by piece: what it sends, and what happened in which order."""

    def __init__(self, pieces: Iterator[bytes], *headers: tuple[bytes, bytes]) -> None:
        self.happened: list[str] = []
        self.taken = 0
        self._pieces = pieces
        self._scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "query_string": b""}
        self._scope["headers"] = list(headers)

    async def run(self) -> list[str]:
        """Send until the answer is complete; the events, repeated ones once."""
        await wrapped()(self._scope, self._receive, self._send)
        return [name for name, _ in itertools.groupby(self.happened)]

    async def _receive(self) -> dict[str, Any]:
        piece = next(self._pieces, None)
        if piece is None:
            await asyncio.Event().wait()  # silent for good
        self.happened.append("sends")
        self.taken += len(piece or b"")
        return {"type": "http.request", "body": piece, "more_body": piece != b"last"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.happened.append(str(message["status"]))
        else:
            self.happened.append("more to come" if message.get("more_body") else "complete")


ANNOUNCED = (b"content-length", b"123456")


async def test_an_announced_length_is_refused_before_anything_is_sent() -> None:
    """The answer is out first; then the client may finish, or leave."""
    happened = await Sender(iter([b"x" * 100, b"last"]), ANNOUNCED).run()
    assert happened == ["413", "more to come", "sends", "complete"]


@pytest.mark.parametrize("length", [b"9" * 10_000, b"18446744073709551617"])
async def test_a_length_without_end_is_too_large(length: bytes) -> None:
    """However long the number is."""
    happened = await Sender(iter([b"last"]), (b"content-length", length)).run()
    assert happened[0] == "413"


async def test_a_body_that_grows_too_large_is_read_on_for_a_while() -> None:
    """The answer is out as soon as it is known, and the rest is read before the connection ends."""
    happened = await Sender(iter([b"x" * LIMIT, b"x" * LIMIT, b"last"])).run()
    assert happened == ["sends", "413", "more to come", "sends", "complete"]


async def test_an_endless_sender_is_cut_off() -> None:
    """What is read of the rest is bounded."""
    sender = Sender(itertools.repeat(b"x" * 100), ANNOUNCED)
    assert (await sender.run())[-1] == "complete"
    assert drain.BODIES * LIMIT < sender.taken <= drain.BODIES * LIMIT + 100


@pytest.mark.parametrize("patience", ["SILENCE", "SECONDS"])
async def test_a_sender_that_falls_silent_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, patience: str
) -> None:
    """Neither for the next piece, nor for all of them."""
    monkeypatch.setattr(drain, patience, 0.01)
    happened = await asyncio.wait_for(Sender(iter([b"x"]), ANNOUNCED).run(), 2)
    assert happened == ["413", "more to come", "sends", "complete"]
