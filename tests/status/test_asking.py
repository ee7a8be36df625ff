"""Asking a gateway how it is."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_homelab.status import asking
from litellm_homelab.status.asking import GatewayRefuses, NoAnswer, StatusUnusable
from tests.status import fake_gateway
from tests.status.fake_gateway import KEY, FakeGateway


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    """One that answers."""
    with fake_gateway.running() as found:
        yield found


@pytest.mark.parametrize(
    ("base", "url"),
    [
        pytest.param("http://gw:4000", "http://gw:4000/homelab.json", id="plain"),
        pytest.param("gw:4000", "http://gw:4000/homelab.json", id="no scheme"),
        pytest.param("https://gw/llm/", "https://gw/llm/homelab.json", id="below a path"),
        pytest.param("http://gw:4000/homelab", "http://gw:4000/homelab.json", id="the page"),
        pytest.param("http://gw:4000/homelab.json", "http://gw:4000/homelab.json", id="the JSON"),
        pytest.param("http://[::1]:4000", "http://[::1]:4000/homelab.json", id="IPv6"),
    ],
)
def test_the_address(base: str, url: str) -> None:
    """The gateway's, in the forms in which people have it."""
    assert asking.request_to(base, KEY).url == url


@pytest.mark.parametrize(
    ("base", "key"),
    [
        pytest.param("ftp://gw", KEY, id="another scheme"),
        pytest.param("http://", KEY, id="no host"),
        pytest.param("http://gw:port", KEY, id="no port"),
        pytest.param(f"http://{KEY}@gw:4000", KEY, id="a key as user"),
        pytest.param(f"http://gw:4000?key={KEY}", KEY, id="a key as query"),
        pytest.param(f"http://gw:4000#{KEY}", KEY, id="a key as fragment"),
        pytest.param("http://gw:4000/a b", KEY, id="a space"),
        pytest.param("http://gw\r\nx:4000", KEY, id="a line break"),
        pytest.param("http://gw:4000", "", id="no key"),
        pytest.param("http://gw:4000", f"{KEY}\r\nx: y", id="a header in the key"),
        pytest.param("http://gw:4000", "kéy", id="not ASCII"),
    ],
)
def test_what_cannot_be_used(base: str, key: str) -> None:
    """Said before anything is sent, without the key."""
    with pytest.raises(StatusUnusable) as error:
        asking.request_to(base, key)
    assert KEY not in str(error.value)


def test_the_key_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    """A file counts before the variable; a line break at its end is none of the key."""
    (tmp_path / "key").write_text(f"{KEY}\n", encoding="utf-8")
    assert asking.key_from(tmp_path / "key", {"HOMELAB_KEY": "other"}) == KEY
    assert asking.key_from(None, {"HOMELAB_KEY": KEY}) == KEY
    for file, environ in ((tmp_path / "none", {}), (None, {}), (None, {"HOMELAB_KEY": " "})):
        with pytest.raises(StatusUnusable):
            asking.key_from(file, environ)


def test_an_answer(gateway: FakeGateway) -> None:
    """The key is in a header and not in the path; the answer is the document with its tag."""
    found = asking.ask(asking.request_to(gateway.url, KEY))
    assert found == asking.StatusAnswer(fake_gateway.view(), '"one"')
    ((path, headers),) = gateway.asked
    assert (path, headers["authorization"]) == ("/homelab.json", f"Bearer {KEY}")
    assert headers["user-agent"].startswith("litellm-homelab/")


def test_an_answer_that_has_not_changed_is_the_one_before(gateway: FakeGateway) -> None:
    """By its tag; a new one is read."""
    request = asking.request_to(gateway.url, KEY)
    first = asking.ask(request)
    assert asking.ask(request, first) is first
    gateway.says(fake_gateway.view(workers=2), '"two"')
    assert asking.ask(request, first).etag == '"two"'


@pytest.mark.parametrize(
    ("status", "error"),
    [
        pytest.param(401, GatewayRefuses, id="key unknown"),
        pytest.param(403, GatewayRefuses, id="not admin"),
        pytest.param(404, GatewayRefuses, id="page is off"),
        pytest.param(500, NoAnswer, id="broken"),
        pytest.param(503, NoAnswer, id="starting"),
        pytest.param(304, NoAnswer, id="not changed, without a tag"),
    ],
)
def test_other_answers(gateway: FakeGateway, status: int, error: type[Exception]) -> None:
    """Some will stay so, others may pass."""
    gateway.status = status
    with pytest.raises(error) as found:
        asking.ask(asking.request_to(gateway.url, KEY))
    assert KEY not in str(found.value)
    assert str(status) in str(found.value)


def test_a_redirect_does_not_take_the_key_elsewhere(gateway: FakeGateway) -> None:
    """It is an answer that is not understood."""
    with fake_gateway.running() as other:
        gateway.status, gateway.headers = 302, {"location": f"{other.url}/homelab.json"}
        with pytest.raises(NoAnswer, match="302"):
            asking.ask(asking.request_to(gateway.url, KEY))
        assert other.asked == []


def test_a_proxy_of_the_environment_is_not_asked(
    gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would get the key."""
    with fake_gateway.running() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        asking.ask(asking.request_to(gateway.url, KEY))
        assert proxy.asked == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>", id="HTML"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="nothing in it"),
        pytest.param(b'{"problems": 5}', id="another shape"),
        pytest.param(b"[" * 100_000, id="nested"),
        pytest.param(b"\xff\xfe\xff", id="not UTF-8"),
        pytest.param(b'{"a": ' + b"1" * 5000 + b"}", id="a number of 5,000 digits"),
    ],
)
def test_what_is_not_the_document(gateway: FakeGateway, body: bytes) -> None:
    """Another server's answer is none."""
    gateway.body = body
    with pytest.raises(NoAnswer, match=r"not that of /homelab\.json"):
        asking.ask(asking.request_to(gateway.url, KEY))


def test_an_answer_without_an_end_is_cut(gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not read into memory to its last byte."""
    monkeypatch.setattr(asking, "LONGEST", 100)
    with pytest.raises(NoAnswer):
        asking.ask(asking.request_to(gateway.url, KEY))


def test_no_server_and_a_silent_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are no answer, and say which."""
    monkeypatch.setattr(asking, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(NoAnswer, match=r"nothing came within 0\.2 s"):
            asking.ask(asking.request_to(f"http://127.0.0.1:{port}", KEY))
    with pytest.raises(NoAnswer, match="Connection refused"):
        asking.ask(asking.request_to(f"http://127.0.0.1:{port}", KEY))


def test_a_server_of_another_protocol() -> None:
    """Its words are shown as text."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"\x1b[31mSSH-2.0\r\n")

        thread = threading.Thread(target=speak)
        thread.start()
        with pytest.raises(NoAnswer) as error:
            asking.ask(asking.request_to(f"http://127.0.0.1:{server.getsockname()[1]}", KEY))
        thread.join()
    assert str(error.value).isprintable()
