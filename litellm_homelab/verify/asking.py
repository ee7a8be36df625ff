"""The part that sends: one request at a time, counted, bounded in time and size, without a proxy."""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx

from litellm_homelab import __version__
from litellm_homelab.verify.exchange import KeyRole, NoReply, VerifyQuestion, VerifyReply

MOST_BYTES: Final = 8 * 1024 * 1024
"""Of one answer; /metrics/ of a large lab has some hundred thousand."""
DEFAULT_KEY: Final = "sk-1234"
"""The master key of LiteLLM's documentation."""
NEIGHBOUR: Final = "127.0.0.2"
"""Leads to what listens on every address, and not to what listens on 127.0.0.1 alone (Linux)."""
ELSEWHERE: Final = ("192.0.2.1", "2001:db8::1")
"""Addresses that a route is looked up for, and to which nothing is sent (RFC 5737, RFC 3849)."""


@dataclass(slots=True)
class VerifyAsker:
    """Sends questions until its time is up; `client` has the gateway's address."""

    client: httpx.AsyncClient
    keys: Mapping[KeyRole, str] = field(repr=False)
    until: float
    """When its time is up, on the monotonic clock."""
    requests: int = 0
    calls: int = 0
    """Requests that a model may have answered."""
    _wrong: str = field(default_factory=lambda: f"sk-verify-{secrets.token_hex(12)}", repr=False)

    async def ask(self, question: VerifyQuestion) -> VerifyReply:
        """Send one; whatever goes wrong is in the reply. No key is in it, whatever the server says."""
        left = self.until - time.monotonic()
        if left <= 0:
            return VerifyReply(failure=NoReply.TIME_UP)
        self.requests += 1
        self.calls += question.is_call
        key = self._key(question.key)
        headers = {"user-agent": f"litellm-homelab/{__version__}", **question.headers}
        headers |= {"authorization": f"Bearer {key}"} if key else {}
        method = "GET" if question.body is None else "POST"
        timeout = httpx.Timeout(min(left, question.seconds), connect=min(left, 10.0))
        url = question.base + question.path
        try:
            request = self.client.build_request(
                method, url, headers=headers, json=question.body, timeout=timeout
            )
            async with asyncio.timeout(min(left, question.seconds)):
                return await self._sent(request)
        except TimeoutError:
            return VerifyReply(failure=NoReply.TIMEOUT)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return VerifyReply(failure=_why(error), detail=self._without_keys(str(error)))

    async def _sent(self, request: httpx.Request) -> VerifyReply:
        response = await self.client.send(request, stream=True)
        found, size = [], 0
        try:
            async for chunk in response.aiter_bytes():
                found.append(chunk)
                size += len(chunk)
                if size > MOST_BYTES:
                    break
        finally:
            await response.aclose()
        body = b"".join(found)[:MOST_BYTES].decode("utf-8", "replace")
        headers = {name.lower(): self._without_keys(value) for name, value in response.headers.items()}
        return VerifyReply(response.status_code, headers, self._without_keys(body), at=time.time())

    def _key(self, role: KeyRole | None) -> str:
        own = {KeyRole.WRONG: self._wrong, KeyRole.DEFAULT: DEFAULT_KEY}
        return "" if role is None else own.get(role) or self.keys.get(role, "")

    def _without_keys(self, text: str) -> str:
        for key in self.keys.values():
            text = text.replace(key, "(hidden)")
        return text


def _why(error: Exception) -> NoReply:
    """What kind of failure it is, by the exceptions behind it."""
    causes = [*_causes(error)]
    if any(isinstance(one, ssl.SSLError) for one in causes) or "SSL" in str(error):
        return NoReply.TLS
    if any(isinstance(one, socket.gaierror) for one in causes) or "Name or service" in str(error):
        return NoReply.NAME
    if isinstance(error, httpx.TimeoutException):
        return NoReply.TIMEOUT
    return NoReply.REFUSED if isinstance(error, httpx.ConnectError) else NoReply.BROKEN


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def own_addresses() -> tuple[str, ...]:
    """Addresses of this machine other than 127.0.0.1, as its routes say; nothing is sent."""
    found = [NEIGHBOUR]
    for address, family in zip(ELSEWHERE, (socket.AF_INET, socket.AF_INET6), strict=True):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as one:
                one.connect((address, 9))
                found.append(str(one.getsockname()[0]))
        except OSError:  # no route
            continue
    return tuple(dict.fromkeys(one for one in found if one not in {"127.0.0.1", "::1"}))
