"""Asks servers whether they are there: HTTP of our own, in no request's path."""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import httpx
import orjson

from litellm_homelab.backends import kinds
from litellm_homelab.backends.kinds import ServerKind
from litellm_homelab.backends.presence import Probed, ProbeOutcome, outcome_of

OK: Final = 200
AGENT: Final = "litellm-homelab"
"""The user agent of probes, by which a server's log tells them from requests."""
LONGEST: Final = 4 * 2**20
"""Bytes of an answer that are read: a list of models is never longer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to a server."""

    url: str
    key: str = ""
    seconds: float = 2


Fetch: TypeAlias = Callable[[Asked], Awaitable[tuple[int, bytes]]]
"""Gives the status and the body of an answer; raises `UNANSWERED`."""

UNANSWERED: Final = (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError)
"""A server that does not answer in time, an address that cannot be asked, a key that is not ASCII."""


@functools.cache
def _tls() -> ssl.SSLContext:
    """
    One for all questions, since reading the authorities takes tens of milliseconds.

    They are certifi's, which httpx brings: an image without `ca-certificates` has none of its own.
    """
    return httpx.create_ssl_context(trust_env=False)


async def fetch(asked: Asked) -> tuple[int, bytes]:
    """Ask a server, past the proxies of the environment; no redirect is followed."""
    headers = {"user-agent": AGENT, **({"authorization": f"Bearer {asked.key}"} if asked.key else {})}
    async with (
        httpx.AsyncClient(timeout=asked.seconds, trust_env=False, headers=headers, verify=_tls()) as client,
        client.stream("GET", asked.url) as response,
    ):
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > LONGEST:
                break
        return response.status_code, bytes(body)


_fetch: Fetch = fetch


def fetch_with(other: Fetch | None) -> None:
    """Ask with another function from now on; None is `fetch` (`MockProxy` has its own)."""
    global _fetch
    _fetch = other or fetch


async def ask(asked: Asked) -> tuple[int, bytes]:
    """
    Ask a server; its status and body.

    It may take twice `seconds` in all: httpx's limits are for each read.

    Raises:
        httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError: it does not answer, or cannot be asked.

    """
    async with asyncio.timeout(2 * asked.seconds):
        return await _fetch(asked)


async def probe(kind: ServerKind, base: str, key: str, seconds: float) -> Probed:
    """
    Find out how the server at `base` is; never raises.

    A server that takes the connection and stays silent is busy: one that generates in its event loop
    (mlx_lm.server) answers nothing else meanwhile.
    """
    answers: list[Any] = []
    for url in kinds.urls(kind, base):
        try:
            status, body = await _answer(Asked(url, key, seconds))
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return Probed(ProbeOutcome.ABSENT)
        except UNANSWERED:
            return kinds.read(kind, answers) if answers else Probed(ProbeOutcome.BUSY)
        if status != OK:
            return kinds.read(kind, answers) if answers else Probed(outcome_of(status))
        answers.append(_json(body))
    return kinds.read(kind, answers)


async def _answer(asked: Asked) -> tuple[int, bytes]:
    """
    As `ask`; a server to which there was no connection in time is asked once more.

    A worker that imports, or works, for longer than the limit finds its connection made and its time over
    (seen at LiteLLM's first requests on a busy machine): no server is absent for that.
    """
    try:
        return await ask(asked)
    except httpx.ConnectTimeout:
        return await ask(asked)


def _json(body: bytes) -> Any:  # noqa: ANN401 - JSON of any shape
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
