"""Probes over real sockets on this machine: what each kind of answer says."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from litellm_homelab.adapter.backends import probing
from litellm_homelab.backends.kinds import KINDS
from litellm_homelab.backends.presence import Probed, ProbeOutcome

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    """A server on a free port; the address of its API."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


def answering(status: int, body: bytes = b"{}", asked: list[bytes] | None = None) -> Serve:
    """A server that answers each request with the same."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if asked is not None:
            asked.append(head)
        writer.write(
            b"HTTP/1.1 %d X\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % (status, len(body)) + body
        )
        await writer.drain()
        writer.close()

    return serve


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that takes the connection and never answers."""
    await reader.read()
    writer.close()


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server whose answer does not end, a byte at a time."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    for _ in range(100):
        writer.write(b" ")
        await asyncio.sleep(0.05)
    writer.close()


async def probe(base: str, kind: str = "vllm", key: str = "") -> Probed:
    """One probe that waits for 0.3 s."""
    return await probing.probe(KINDS[kind], base, key, 0.3)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *((200, ProbeOutcome.ANSWERED), (404, ProbeOutcome.ANSWERED), (302, ProbeOutcome.ANSWERED)),
        *((401, ProbeOutcome.UNAUTHORIZED), (429, ProbeOutcome.LIMITED), (503, ProbeOutcome.BUSY)),
    ],
)
async def test_a_status_says_how_it_is(status: int, outcome: ProbeOutcome) -> None:
    """Any answer says that the server is there; a redirect is not followed."""
    async with serving(answering(status)) as base:
        assert (await probe(base)).outcome is outcome


async def test_a_refused_connection_is_absent() -> None:
    """Nothing listens there."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert await probe(f"http://127.0.0.1:{bound.getsockname()[1]}/v1") == Probed(ProbeOutcome.ABSENT)


@pytest.mark.parametrize("serve", [silent, endless], ids=["silent", "endless"])
async def test_a_server_that_takes_the_connection_is_there(serve: Serve) -> None:
    """It is busy; and the probe ends all the same."""
    async with asyncio.timeout(30), serving(serve) as base:
        assert await probe(base) == Probed(ProbeOutcome.BUSY)


async def test_a_question_ends_in_time() -> None:
    """Each read of an endless answer is quick; the whole is not."""
    async with serving(endless) as base:
        with pytest.raises(TimeoutError):
            await probing.ask(probing.Asked(base, "", 0.3))


def test_authorities_are_there_without_those_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image without `ca-certificates` asks openrouter.ai, too."""
    none = tmp_path / "none.pem"
    none.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(none))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    probing._tls.cache_clear()
    found = probing._tls()
    assert found.get_ca_certs()
    assert found.verify_mode is ssl.CERT_REQUIRED
    assert found is probing._tls()


@pytest.mark.parametrize("key", ["schlüssel", "two\nlines"])
async def test_a_key_that_cannot_be_sent_breaks_nothing(key: str) -> None:
    """A server would not take it; the state is not `up`."""
    async with serving(answering(200)) as base:
        assert await probe(base, key=key) == Probed(ProbeOutcome.BUSY)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1:2/v1", "http://[::1/v1", "ftp://127.0.0.1/v1"])
async def test_an_address_that_cannot_be_asked_breaks_nothing(url: str) -> None:
    """LiteLLM could not reach it either; the state is not `up`."""
    assert (await probe(url)).outcome is not ProbeOutcome.ANSWERED


async def test_the_key_goes_along_and_nothing_else_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server with a key lists only with it; proxies of the environment are passed by."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    asked: list[bytes] = []
    async with serving(answering(200, b'{"data": [{"id": "qwen3"}]}', asked)) as base:
        assert await probe(base, key="none-of-yours") == Probed(ProbeOutcome.ANSWERED, frozenset({"qwen3"}))
    assert asked[0].startswith(b"GET /v1/models HTTP/1.1\r\n")
    assert b"authorization: bearer none-of-yours" in asked[0].lower()


async def test_both_questions_are_asked_of_an_ollama() -> None:
    """What it has, and what is loaded."""
    asked: list[bytes] = []
    async with serving(answering(200, b'{"models": [{"name": "qwen3:latest"}]}', asked)) as base:
        found = await probe(base, "ollama")
    assert [head.split()[1] for head in asked] == [b"/api/tags", b"/api/ps"]
    assert found.loaded == {"qwen3", "qwen3:latest"}


async def test_a_worker_that_was_busy_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection was made, and the time for it was over before its event loop had seen that."""
    original, stalls = asyncio.get_running_loop().sock_connect, [0.5]

    async def late(sock: socket.socket, address: tuple[str, int]) -> None:
        await original(sock, address)
        if stalls:
            time.sleep(stalls.pop())  # noqa: ASYNC251 - what keeps a worker's event loop busy
            await asyncio.sleep(0)

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", late)
    async with serving(answering(200)) as base:
        assert (await probe(base)).outcome is ProbeOutcome.ANSWERED
    assert not stalls


async def test_a_server_behind_which_packets_vanish_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked twice, each time for as long as the setting says."""
    asked = []

    async def vanishing(question: probing.Asked) -> tuple[int, bytes]:
        asked.append(question.seconds)
        raise httpx.ConnectTimeout("no connection")

    monkeypatch.setattr(probing, "_fetch", vanishing)
    assert await probe("http://192.0.2.1/v1") == Probed(ProbeOutcome.ABSENT)
    assert asked == [0.3, 0.3]
