"""Bodies of the wrong size or shape, as a client of the wrapped app sees them."""

from __future__ import annotations

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

from litellm_homelab.hooks import edge
from litellm_homelab.hooks.context import Record
from litellm_homelab.optillm import lineage

LIMIT = 1000
ROOT = lineage.new_root()
MARK = lineage.mint("a secret of sixteen", ROOT, 1, 4e9)


def unmark(record: Record, model: str) -> str:
    """Cut a mark off, as the gateway's own opening does, and remember that it was there."""
    record.forged = "seen"
    return model.partition(lineage.MARKER)[0]


async def echo(request: Request) -> Response:
    """Answer with what arrived."""
    if "form" in request.headers.get("content-type", ""):
        return JSONResponse({"length": len(await request.body())})
    body = await request.body()
    return JSONResponse(
        {"body": body.decode("utf-8", "replace"), "told": request.headers.get("content-length")}
    )


async def sent(content: Any, **kwargs: Any) -> httpx.Response:
    """What a client gets for a body."""
    routes = [Route("/v1/chat/completions", echo, methods=["POST", "DELETE"])]
    app = edge.Edge(Starlette(routes=routes), edge.Border((), LIMIT, unmark))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        method = kwargs.pop("method", "POST")
        return await client.request(method, "/v1/chat/completions", content=content, **kwargs)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"[1,2]", id="list"),
        pytest.param(b'"x"', id="text"),
        pytest.param(b"null", id="null"),
        pytest.param(b"5", id="number"),
        pytest.param(b"  \n[]", id="blanks"),
        pytest.param(b"\xef\xbb\xbf[]", id="byte-order-mark"),
        pytest.param(b"\xff\xfe", id="no-utf8"),
        pytest.param(b"not json", id="no-json"),
    ],
)
async def test_a_body_that_is_no_object_is_a_400(content: bytes) -> None:
    """Anything but a JSON object is refused in OpenAI's shape, whatever content type it claims."""
    for kind in ("application/json", "text/plain", ""):
        answer = await sent(content, headers={"content-type": kind} if kind else {})
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


async def test_a_method_without_a_body_is_left_alone() -> None:
    """A DELETE, whatever it carries, is not looked at."""
    assert (await sent(b"[1]", method="DELETE")).status_code == 200


async def test_a_mark_is_taken_off_before_the_app_reads() -> None:
    """The app sees the model name without its mark, every other field, and the right length."""
    body = {"model": f"base{MARK}", "messages": [{"role": "user", "content": "\u00e9 @homelab. stays"}]}
    told = (await sent(json.dumps(body).encode())).json()
    assert json.loads(told["body"]) == {**body, "model": "base"}
    assert int(told["told"]) == len(told["body"].encode())


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"model": 5, "x": "@homelab."}', id="model-is-no-text"),
        pytest.param(b'{"x": "@homelab."}', id="no-model"),
        pytest.param(b'{"x": "@homelab."', id="broken"),
        pytest.param(b'{"x": ' + b"[" * 400 + b'"@homelab."' + b"]" * 400 + b"}", id="nested"),
    ],
)
async def test_the_marker_elsewhere_changes_nothing(content: bytes) -> None:
    """A body that merely contains the marker's text goes on byte for byte."""
    assert (await sent(content)).json()["body"] == content.decode()


async def test_deep_nesting_does_not_break_the_search_for_a_mark() -> None:
    """A body nested deeper than Python's JSON reader can follow goes on to LiteLLM, which refuses it."""
    depth = 100_000
    content = b'{"model": "@homelab.", "x": ' + b"[" * depth + b"]" * depth + b"}"
    app = edge.Edge(Starlette(routes=[Route("/", echo, methods=["POST"])]), edge.Border((), 2**20, unmark))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        assert (await client.post("/", content=content)).status_code == 200


@given(content=st.binary(max_size=LIMIT + 20))
async def test_any_bytes_get_an_answer(content: bytes) -> None:
    """Whatever the bytes, the answer is the app's, a 400 or a 413."""
    assert (await sent(content)).status_code in {200, 400, 413}
