"""Bad requests in a row on a real process: the handle stays open for everybody, and no chain is walked."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import yaml
from starlette.types import Message, Receive, Scope, Send

from litellm_homelab.testing.upstream import Upstreams
from tests.adapter.failing import JSON, ROUTER, ROUTES, TEXT, handle_of
from tests.config import shipped
from tests.real.gateway import free_port, litellm
from tests.real.upstreams import listening

pytestmark = pytest.mark.real

KEY = "sk-clients-mistakes"
MISTAKES = (400, 401, 402, 404, 413, 422)
ECHO = "rate limit 429, A timeout occurred, Overloaded"
"""What LiteLLM takes for the kind of an error; here it is the client's text, repeated."""


@dataclass(slots=True)
class Moody:
    """Upstreams that answer with the status that a prompt asks for, and repeat its text."""

    inner: Upstreams = field(default_factory=Upstreams)
    seen: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.seen.append(scope["path"].split("/")[1])
        asked = re.search(rb"answer (\d{3})", body)
        if asked is None:
            first: Message = {"type": "http.request", "body": body}
            messages = iter([first])

            async def again() -> Message:
                return next(messages, {"type": "http.disconnect"})

            await self.inner(scope, again, send)
            return
        content = json.dumps({"error": {"message": f"cannot do: {ECHO}", "type": "x", "code": None}}).encode()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": int(asked[1]), "headers": headers})
        await send({"type": "http.response.body", "body": content})


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway and what is behind it."""

    client: httpx.Client
    upstreams: Moody

    def ask(self, route: str, text: str) -> tuple[int, list[str]]:
        """Status, and the groups that were asked in order."""
        before = len(self.upstreams.seen)
        if route in JSON:
            model, path, body = JSON[route]
            content = json.dumps({"model": model, **body}).replace("hello", text)
            headers = {"content-type": "application/json"}
            answer = self.client.post(path, content=content.encode(), headers=headers)
        else:
            form, files = {"model": "hear", "prompt": text}, {"file": ("a.wav", b"RIFF0000")}
            answer = self.client.post("/v1/audio/transcriptions", data=form, files=files)
        return answer.status_code, self.upstreams.seen[before:]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Two failures are allowed, as in the shipped file."""
    document = yaml.safe_load(ROUTER.read_text(encoding="utf-8"))
    document["router_settings"]["allowed_fails"] = 2
    # The last rung is alone and has no fallback: from LiteLLM 1.108 on it rests for named kinds only.
    named = shipped.ROUTER["router_settings"]["allowed_fails_policy"]
    document["router_settings"]["allowed_fails_policy"] = dict.fromkeys(named, 2)
    config = tmp_path_factory.mktemp("mistakes") / "router.yaml"
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    upstreams, port = Moody(), free_port()
    with listening(upstreams) as base:
        names = re.findall(r"os\.environ/(\w+)_API_BASE", config.read_text())
        bases = {f"{name}_API_BASE": f"{base}/{name.lower().replace('_', '-')}/v1" for name in names}
        environ = {**bases, "LITELLM_MASTER_KEY": KEY, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        with _served(config, port, environ) as client:
            yield Running(client, upstreams)


@contextlib.contextmanager
def _served(config: Path, port: int, environ: dict[str, str]) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {KEY}"}
    with (
        litellm(config, port, {**environ, "LITELLM_LOG": "CRITICAL"}),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client,
    ):
        yield client


@pytest.mark.parametrize("route", ROUTES)
def test_six_bad_requests_in_a_row_close_nothing(gateway: Running, route: str) -> None:
    """Of each kind; the next request goes to the handle's own server."""
    for status in MISTAKES:
        for _ in range(6):
            gateway.ask(route, f"answer {status} {ECHO}")
        assert gateway.ask(route, "hello")[1][0] == handle_of(route), status


def test_an_unsupported_parameter_asks_nobody(gateway: Running) -> None:
    """Six times, streamed and not: LiteLLM's own 400, and no server was called for it."""
    before = len(gateway.upstreams.seen)
    for stream in (False, True) * 3:
        body = {"model": "strict", "messages": TEXT, "logit_bias": {"1": 1}, "stream": stream}
        answer = gateway.client.post("/v1/chat/completions", json=body)
        assert answer.status_code == 400
        assert "logit_bias" in answer.text
    assert gateway.upstreams.seen[before:] == []
    assert gateway.ask("another provider", "hello") == (200, ["strict"])


def test_faults_still_close_it(gateway: Running) -> None:
    """Three 503s of the whole chain, and the fourth request asks nobody; the last test of this gateway."""
    for _ in range(3):
        assert gateway.ask("chat", "answer 503")[1][0] == "main"
    assert gateway.ask("chat", "hello") == (429, [])
