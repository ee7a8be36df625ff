"""What is sent, what is counted, and how failures are distinguished."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from litellm_homelab.verify import asking
from litellm_homelab.verify.asking import VerifyAsker
from litellm_homelab.verify.exchange import KeyRole, NoReply, VerifyQuestion, VerifyReply

KEY = "secret-without-a-prefix"
Handler = Callable[[httpx.Request], httpx.Response]


async def ask(
    handler: object, *questions: VerifyQuestion, seconds: float = 60
) -> tuple[VerifyAsker, list[VerifyReply]]:
    """The answers of a server to questions."""
    transport = httpx.MockTransport(handler)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        asker = VerifyAsker(client, {KeyRole.CLIENT: KEY}, time.monotonic() + seconds)
        return asker, [await asker.ask(one) for one in questions]


async def test_what_is_sent() -> None:
    """The key in a header and nowhere else; a body makes it a POST; each is counted."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, headers={"X-A": "1"}, text="ok")

    asker, found = await ask(
        handler,
        VerifyQuestion("/a"),
        VerifyQuestion("/b", KeyRole.CLIENT, {"x": 1}, {"x-homelab-hop": "a.b"}, is_call=True),
        VerifyQuestion("/c", KeyRole.WRONG, base="http://127.0.0.1:4020"),
        VerifyQuestion("/d", KeyRole.DEFAULT),
        VerifyQuestion("/e", KeyRole.MASTER),
    )
    sent = [(one.method, str(one.url), one.headers.get("authorization")) for one in seen]
    assert sent[:2] == [
        ("GET", "http://gateway/a", None),
        ("POST", "http://gateway/b", f"Bearer {KEY}"),
    ]
    assert sent[2][1] == "http://127.0.0.1:4020/c"
    assert str(sent[2][2]).startswith("Bearer sk-verify-")
    assert [sent[3][2], sent[4][2]] == ["Bearer sk-1234", None]
    assert seen[1].headers["x-homelab-hop"] == "a.b"
    assert (found[0].status, found[0].headers["x-a"], found[0].body) == (200, "1", "ok")
    assert (asker.requests, asker.calls) == (5, 1)


def _raising(error: Exception) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error

    return handler


def _caused(cause: Exception) -> httpx.ConnectError:
    error = httpx.ConnectError("failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (httpx.ConnectError("refused"), NoReply.REFUSED),
        (httpx.ConnectError("[Errno -2] Name or service not known"), NoReply.NAME),
        (_caused(ssl.SSLCertVerificationError("self-signed")), NoReply.TLS),
        (httpx.ReadTimeout("late"), NoReply.TIMEOUT),
        (httpx.RemoteProtocolError("cut"), NoReply.BROKEN),
        (httpx.ReadError("reset"), NoReply.BROKEN),
    ],
)
async def test_failures_are_distinguished(error: Exception, failure: NoReply) -> None:
    """By the exceptions of the client and those behind them."""
    _, found = await ask(_raising(error), VerifyQuestion("/a"))
    assert found[0].failure is failure


async def test_a_key_in_an_answer_is_hidden() -> None:
    """Whatever it looks like."""
    text = f"you sent {KEY}"
    _, found = await ask(
        lambda _: httpx.Response(200, text=text, headers={"x-echo": text}), VerifyQuestion("/a")
    )
    assert KEY not in repr(found[0])
    _, found = await ask(_raising(httpx.ReadError(text)), VerifyQuestion("/a"))
    assert KEY not in repr(found[0])


async def test_an_answer_without_an_end() -> None:
    """It is read up to a bound."""

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 65536

    _, found = await ask(lambda _: httpx.Response(200, stream=Endless()), VerifyQuestion("/a"))
    assert len(found[0].body) == asking.MOST_BYTES


async def test_a_server_that_is_silent() -> None:
    """A question has its own time, and all of them together."""

    async def handler(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        return httpx.Response(200)

    asker, found = await ask(
        handler, VerifyQuestion("/a", seconds=0.05), VerifyQuestion("/b"), VerifyQuestion("/c"), seconds=0.3
    )
    assert [one.failure for one in found] == [NoReply.TIMEOUT, NoReply.TIMEOUT, NoReply.TIME_UP]
    assert asker.requests == 2


def test_addresses_of_this_machine() -> None:
    """None of them is 127.0.0.1, where OptiLLM may be."""
    found = asking.own_addresses()
    assert asking.NEIGHBOUR in found
    assert {"127.0.0.1", "::1"} & {*found} == set()
