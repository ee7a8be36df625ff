"""Bodies of every size and shape over a real socket, announced and in chunks."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest
import yaml

from tests.access.asking import KEYS, ROUTER, TEXT, bearer
from tests.bodies import NO_OBJECT
from tests.real.gated import Gated, gated

pytestmark = pytest.mark.real

MB = 2**20
LIMIT = 11 * MB
PATHS = ("/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages")
FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
"""How a form begins; its file is what follows."""
SENDINGS = [pytest.param(False, id="announced"), pytest.param(True, id="in chunks")]
PATIENCE = 60
"""Seconds until a connection must have ended that the gateway should end; lingering takes 30 at the most."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gated]:
    """A gateway that takes bodies of 11 MB, so that ten are served and twelve are not."""
    document = yaml.safe_load(ROUTER.read_text(encoding="utf-8"))
    document["homelab"]["limits"] = {"body_mb": LIMIT // MB}
    config = tmp_path_factory.mktemp("bodies") / "router.yaml"
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    with gated(config, {"LITELLM_LOG": "INFO"}) as running:
        yield running


def pieces(content: bytes, size: int = 65_536) -> Iterator[bytes]:
    """A body bit by bit; httpx sends it in chunks then."""
    yield from (content[start : start + size] for start in range(0, len(content), size))


def post(gateway: Gated, path: str, content: bytes, *, chunked: bool) -> httpx.Response:
    """What a client gets for a body."""
    headers = {**bearer("client"), "content-type": "application/json"}
    return gateway.client.post(path, content=pieces(content) if chunked else content, headers=headers)


def healthy(gateway: Gated) -> bool:
    """Whether the worker still serves."""
    body = json.dumps({"model": "main", "messages": TEXT}).encode()
    return post(gateway, "/v1/chat/completions", body, chunked=False).status_code == 200


def is_refusal(answer: httpx.Response, status: int, path: str = "") -> bool:
    """Whether an answer is an error with this status, in Anthropic's shape on its route, else in OpenAI's."""
    document = answer.json()
    fields = {"message", "type"} if document.get("type") == "error" else {"message", "type", "param", "code"}
    is_anthropics = path.startswith("/v1/messages")
    shaped = fields <= set(document.get("error", {})) and (document.get("type") == "error") is is_anthropics
    return answer.status_code == status and shaped


@pytest.mark.parametrize("chunked", SENDINGS)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "content",
    [
        *(pytest.param(content, id=name) for name, content in NO_OBJECT.items()),
        pytest.param(b"{broken", id="broken object"),
    ],
)
def test_a_body_that_is_no_object_is_a_400(gateway: Gated, content: bytes, path: str, chunked: bool) -> None:
    """Each is an error in OpenAI's shape, no call, and the worker goes on."""
    before = len(gateway.upstreams.recorder.requests())
    answer = post(gateway, path, content, chunked=chunked)
    assert is_refusal(answer, 400, path), answer.text
    assert len(gateway.upstreams.recorder.requests()) == before
    assert healthy(gateway)


@pytest.mark.parametrize("chunked", SENDINGS)
@pytest.mark.parametrize("path", PATHS)
def test_no_body_is_a_4xx(gateway: Gated, path: str, chunked: bool) -> None:
    """It names no model; the error is in the shape of the route's API."""
    answer = post(gateway, path, b"", chunked=chunked)
    assert is_refusal(answer, 400, path), answer.text


@pytest.mark.parametrize("chunked", SENDINGS)
def test_ten_megabytes_are_served(gateway: Gated, chunked: bool) -> None:
    """A body under the limit arrives whole at the backend."""
    text = "0123456789abcdef" * (10 * MB // 16)
    body = {"model": "main", "messages": [{"role": "user", "content": text}]}
    answer = post(gateway, "/v1/chat/completions", json.dumps(body).encode(), chunked=chunked)
    assert answer.status_code == 200, answer.text[:300]
    assert gateway.upstreams.of("main").requests[-1].json["messages"][0]["content"] == text


@pytest.mark.parametrize("chunked", SENDINGS)
@pytest.mark.parametrize("size", [LIMIT + 1, 40 * MB])
@pytest.mark.parametrize("is_form", [False, True], ids=["JSON", "form"])
def test_a_body_over_the_limit_is_a_413(gateway: Gated, is_form: bool, size: int, chunked: bool) -> None:
    """A client that sends to the end before it listens, and minds a broken connection, hears it."""
    path = "/v1/audio/transcriptions" if is_form else "/v1/chat/completions"
    begin = FORM if is_form else b"{"
    content = begin + b" " * (size - len(begin))
    answer = send_first(gateway, path, content, is_form=is_form, chunked=chunked)
    assert is_refusal(answer, 413), answer.text
    assert healthy(gateway)


def send_first(gateway: Gated, path: str, content: bytes, *, is_form: bool, chunked: bool) -> httpx.Response:
    """What Python's own client gets: unlike httpx it does not look for an answer once it cannot send."""
    kind = "multipart/form-data; boundary=x" if is_form else "application/json"
    url = gateway.client.base_url
    connection = http.client.HTTPConnection(url.host, url.port, timeout=PATIENCE)
    with contextlib.closing(connection):
        headers = {**bearer("client"), "Content-Type": kind}
        if chunked:
            headers["Transfer-Encoding"] = "chunked"
        body = pieces(content) if chunked else content
        connection.request("POST", path, body=body, headers=headers, encode_chunked=chunked)
        answer = connection.getresponse()
        return httpx.Response(answer.status, content=answer.read())


def test_the_openai_sdk_hears_that_it_is_too_large(gateway: Gated) -> None:
    """It is a status that the SDK knows, not a broken connection."""
    client = openai.OpenAI(
        base_url=f"{gateway.client.base_url}/v1", api_key=KEYS["client"], max_retries=0, timeout=60
    )
    with client, pytest.raises(openai.APIStatusError) as raised:
        client.chat.completions.create(model="main", messages=[{"role": "user", "content": "x" * 20 * MB}])
    assert raised.value.status_code == 413


def test_curl_does_not_even_send_it(gateway: Gated, tmp_path: Path) -> None:
    """A client that asks first (`Expect: 100-continue`) gets its answer first and sends no megabytes."""
    curl = shutil.which("curl")
    assert curl
    (tmp_path / "body").write_bytes(b"{" + b" " * 20 * MB)
    url = f"{gateway.client.base_url}/v1/chat/completions"
    command = [curl, "-sS", "-o", str(tmp_path / "answer"), "-w", "%{http_code} %{size_upload}"]
    command += ["-H", "Expect: 100-continue", "--expect100-timeout", "30"]
    command += ["--data-binary", f"@{tmp_path / 'body'}", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert done.stdout == "413 0"
    assert json.loads((tmp_path / "answer").read_text())["error"]["type"] == "body_too_large"


def test_an_endless_sender_is_cut_off(gateway: Gated) -> None:
    """Whoever never stops gets an answer, and is then disconnected; others are served meanwhile."""
    host, port = gateway.client.base_url.host, gateway.client.base_url.port
    assert port
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    sent = 0
    with socket.create_connection((host, port), timeout=PATIENCE) as connection:
        connection.sendall(head.encode())
        deadline = time.monotonic() + PATIENCE
        try:
            while time.monotonic() < deadline:
                connection.sendall(chunk)
                sent += 0x10000
                if sent == 2 * LIMIT:
                    assert b"413" in connection.recv(65_536).partition(b"\r\n")[0]
                    assert healthy(gateway)
        except (BrokenPipeError, ConnectionResetError):
            pass
        else:
            pytest.fail(f"{sent} bytes were taken in {PATIENCE} s")
    assert sent < 8 * LIMIT
    assert healthy(gateway)
