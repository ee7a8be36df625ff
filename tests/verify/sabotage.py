"""A gateway with one fault: between `verify` and the real one, answers are changed, or there are none."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx

from litellm_homelab.verify import lab as labs
from litellm_homelab.verify.asking import VerifyAsker
from litellm_homelab.verify.check import CheckedItem
from litellm_homelab.verify.exchange import VerifyVerdict
from litellm_homelab.verify.lab import VerifyLab
from litellm_homelab.verify.run import verify

ROUTER = Path(__file__).parents[2] / "config" / "router.yaml"
URL = "http://127.0.0.1:4000"
OPTILLM = "http://127.0.0.1:4020"
ELSEWHERE = ("127.0.0.2", "192.0.2.7")
KEYS = {
    "LITELLM_MASTER_KEY": "sk-mock-proxy",
    "OPEN_WEBUI_KEY": "sk-client-client-client",
    "PROMETHEUS_KEY": "sk-metrics-metrics-metrics",
    "OPTILLM_UPSTREAM_KEY": "sk-optillm-optillm-optillm",
    "OPTILLM_GATE_KEY": "gate-gate-gate-gate",
}
NAMES = {value: name for name, value in KEYS.items()} | {"": ""}


@dataclass(frozen=True)
class Asked:
    """A request, as a fault looks at it."""

    request: httpx.Request
    send: Callable[[httpx.Request], Awaitable[httpx.Response]] = field(repr=False)
    """To what is behind the fault."""

    @property
    def path(self) -> str:
        """Without the address."""
        return self.request.url.path

    @property
    def is_optillms(self) -> bool:
        """Whether it is sent to OptiLLM itself."""
        return self.request.url.port == 4020

    @property
    def key(self) -> str:
        """The variable of its key; `?` for a key of no variable, empty without one."""
        value = self.request.headers.get("authorization", "").removeprefix("Bearer ")
        return NAMES.get(value, "?")

    @property
    def body(self) -> dict[str, Any]:
        """Its JSON."""
        return dict(json.loads(self.request.content or b"{}"))

    @property
    def model(self) -> str:
        """The name that it asks for."""
        return str(self.body.get("model", ""))

    async def behind(self, **changed: Any) -> httpx.Response:
        """What is behind the fault answers; to another body or key where one is given."""
        headers = {name: value for name, value in self.request.headers.items() if name != "content-length"}
        if "key" in changed:
            headers["authorization"] = f"Bearer {KEYS[changed.pop('key')]}"
        for name in changed.pop("without", ()):
            headers.pop(name, None)
        body = {**self.body, **changed} if self.request.content else None
        url, method = self.request.url, self.request.method
        return await self.send(httpx.Request(method, url, headers=headers, json=body))


Fault = Callable[[Asked], Awaitable[httpx.Response | None]]
"""An answer in the place of the real one; None for the real one."""


class Sabotaged(httpx.AsyncBaseTransport):
    """Answers as the fault says, and else as what is behind it."""

    def __init__(self, behind: httpx.AsyncBaseTransport, *faults: Fault) -> None:
        self._behind = behind
        self._faults = faults

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        await request.aread()
        return await self._from(0, request)

    async def _from(self, number: int, request: httpx.Request) -> httpx.Response:
        if number == len(self._faults):
            response = await self._behind.handle_async_request(request)
            response.request = request
            await response.aread()
            response.headers["date"] = formatdate(usegmt=True)  # as uvicorn does
            return response
        fault = self._faults[number]
        asked = Asked(request, lambda other: self._from(number + 1, other))
        return await fault(asked) or await self._from(number + 1, request)


class Remembered(httpx.AsyncBaseTransport):
    """
    The same answer to the same request, for as long as no counter has moved: 60 faults, one gateway.

    Unknown keys and fields that are taken out are counted: after one of them, metrics are new.
    """

    def __init__(self, behind: httpx.AsyncBaseTransport) -> None:
        self._behind = behind
        self._answers: dict[tuple[object, ...], httpx.Response] = {}
        self._moved = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        headers = [request.headers.get(name, "") for name in ("authorization", "x-homelab-hop")]
        is_unknown = headers[0].removeprefix("Bearer ") not in NAMES
        is_taken_out = b"optillm_approach" in request.content and b'"boost"' not in request.content
        moved = self._moved if "/metrics" in request.url.path else 0
        if is_unknown or is_taken_out:
            self._moved += 1
            return await self._behind.handle_async_request(request)
        asked = (request.method, str(request.url), request.content, moved, *headers)
        if asked not in self._answers:
            self._answers[asked] = await self._behind.handle_async_request(request)
            await self._answers[asked].aread()
        known = self._answers[asked]
        left_out = ("content-length", "content-encoding")
        kept = {name: value for name, value in known.headers.items() if name not in left_out}
        return httpx.Response(known.status_code, headers=kept, content=known.content)


async def optillm(asked: Asked) -> httpx.Response | None:
    """OptiLLM itself as it should be, and its calls back, which the stand-ins of MockProxy do not make."""
    if asked.request.url.port == 4020:
        return _optillm_itself(asked)
    if asked.model == "boost":
        answer = await asked.behind()
        if "x-homelab-calls" in answer.headers and "optillm_approach" in asked.body:
            answer.headers["x-homelab-calls"] = "3"
        return answer
    return None


def _optillm_itself(asked: Asked) -> httpx.Response:
    if asked.request.url.host != "127.0.0.1":
        raise httpx.ConnectError("Connection refused", request=asked.request)
    if asked.path == "/health":
        return httpx.Response(200, json={"status": "ok"})
    if asked.key != "OPTILLM_GATE_KEY":
        return httpx.Response(401, json={"error": "Invalid API key"})
    return httpx.Response(200, json={"object": "list", "data": []})


def lab(environ: Mapping[str, str] = KEYS) -> VerifyLab:
    """The shipped lab, with OptiLLM's address."""
    found = labs.of_config(URL, ROUTER, environ)
    return replace(found, optillm=OPTILLM, own_addresses=ELSEWHERE)


@functools.cache
def shipped_lab() -> VerifyLab:
    """The same with every key, read once."""
    return lab()


async def verified(
    behind: httpx.AsyncBaseTransport, *faults: Fault, of: VerifyLab | None = None, seconds: float = 120
) -> list[CheckedItem]:
    """What `verify` says of the gateway with these faults, the first one outermost."""
    of = of or shipped_lab()
    async with httpx.AsyncClient(transport=Sabotaged(behind, *faults, optillm), base_url=of.url) as client:
        asker = VerifyAsker(client, of.keys.values, time.monotonic() + seconds)
        return [item async for item in verify(of, asker)]


def failures(items: Sequence[CheckedItem]) -> list[str]:
    """The ids of the checks that failed."""
    return [one.check.id for one in items if one.judgement.verdict is VerifyVerdict.FAILED]
