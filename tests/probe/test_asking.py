"""One request on a real connection: bounded in time and size, with the key in a header and nowhere else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from litellm_homelab.probe.asking import Asker, BudgetSpent, ProbeBudget, ProbeReply
from litellm_homelab.probe.target import target
from tests.status import fake_gateway

KEY = "k9-of-the-test-0123456789"


@contextmanager
def asker(url: str, *, seconds: float = 0.5, calls: int = 9) -> Iterator[Asker]:
    """One with a short patience."""
    found = Asker(target(url, KEY), ProbeBudget(calls, 60, seconds))
    yield found
    found.close()


def _said(*pieces: bytes, is_open: bool = False) -> ProbeReply:
    """What is read of a server that sends some pieces, and then the last one for ever, or nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def speak() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                for one in pieces:
                    connection.sendall(one)
                while is_open and not stop.wait(0.02):
                    try:
                        connection.sendall(pieces[-1])
                    except OSError:
                        return

        thread = threading.Thread(target=speak)
        thread.start()
        try:
            with asker(f"http://127.0.0.1:{server.getsockname()[1]}") as found:
                return found.post("/v1/chat/completions", {})
        finally:
            stop.set()
            thread.join()


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"


@pytest.mark.parametrize(
    ("pieces", "is_open", "why"),
    [
        pytest.param((HEAD, b"data: {}\n\n"), True, "its answer does not end within", id="drips"),
        pytest.param((HEAD, b"x" * 300_000), True, "its answer is longer than", id="pours"),
        pytest.param(
            (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc",), False, "it breaks off", id="ends"
        ),
        pytest.param((b"220 smtp.test ESMTP\r\n",), False, "it breaks off", id="another protocol"),
        pytest.param(
            (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc",),
            False,
            "it breaks off",
            id="not what it says",
        ),
    ],
)
def test_what_is_no_whole_answer(pieces: tuple[bytes, ...], is_open: bool, why: str) -> None:
    """Each ends in time, with a reason."""
    assert why in _said(*pieces, is_open=is_open).problem


def test_a_server_that_says_nothing_and_one_that_is_not_there() -> None:
    """Each has words of its own."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with asker(url) as found:
            assert found.get("/").problem.startswith("nothing came within")
    with asker(url) as found:
        reply = found.get("/")
    assert (reply.is_absent, "no connection" in reply.problem) == (True, True)


def test_the_key_is_in_a_header_and_in_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the server repeats it, and where the environment names a proxy."""
    with fake_gateway.running() as server, fake_gateway.running() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        server.status, server.body = 401, f'{{"error": "no such key: {KEY}"}}'.encode()
        with asker(server.url) as found:
            reply = found.get("/v1/models")
        assert KEY not in repr(reply) + repr(found.where)
        assert server.asked[0][1]["authorization"] == f"Bearer {KEY}"
        assert proxy.asked == []


def test_a_redirect_does_not_take_the_key_elsewhere() -> None:
    """It is a problem, and not followed."""
    with fake_gateway.running() as server, fake_gateway.running() as other:
        server.status, server.headers = 302, {"location": f"{other.url}/v1/models?key={KEY}"}
        with asker(server.url) as found:
            reply = found.get("/v1/models")
        assert (other.asked, KEY in reply.problem, "redirects" in reply.problem) == ([], False, True)


def test_a_budget() -> None:
    """Calls and seconds both end it."""
    with asker("http://127.0.0.1:1", calls=1) as found:
        assert found.get("/").is_absent
        with pytest.raises(BudgetSpent, match="1 calls are spent"):
            found.get("/")
    with pytest.raises(BudgetSpent, match="s are over"):
        ProbeBudget(9, -1.0, 1.0).spend()
