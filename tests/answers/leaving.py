"""Drives the filter without a server: what an upstream said in, what the client gets out."""

from __future__ import annotations

import asyncio
import functools
from functools import partial

from starlette.types import Message

from litellm_homelab.access.table import Route
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.litellm_api import client_error
from litellm_homelab.adapter.middleware.answer_filter import AnswerFilter
from litellm_homelab.answers.redaction import Words
from tests.answers.hostile import DEPLOYMENTS, HANDLE, Hostile

WORDS = Words(frozenset({HANDLE}))
NAMES = client_error.scrubber(DEPLOYMENTS, (HANDLE,))


@functools.lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """What the gateway makes of a text: `client_error.cleaned` without a router."""
    return client_error.cleaned(text, NAMES, WORDS)


async def _left(answer: Hostile, chunk: int) -> tuple[int, str]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    record = RequestContext(path=answer.path, asked=HANDLE, route=Route("POST", answer.path))
    leaving = AnswerFilter(record, send, clean, lambda _: None)
    headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    await leaving({"type": "http.response.start", "status": answer.status, "headers": headers})
    for at in range(0, len(answer.body), chunk):
        piece = answer.body[at : at + chunk]
        await leaving({"type": "http.response.body", "body": piece, "more_body": True})
    await leaving({"type": "http.response.body", "body": b"", "more_body": False})
    head = "\n".join(f"{name!r}: {value!r}" for name, value in sent[0]["headers"])
    body = b"".join(message.get("body", b"") for message in sent[1:])
    assert sent[-1].get("more_body", False) is False
    return sent[0]["status"], f"{head}\n{body.decode('utf-8', 'replace')}"


def left(answer: Hostile, chunk: int = 2**20) -> tuple[int, str]:
    """The status, and the headers and body as one text; the body arrives in chunks of so many bytes."""
    return asyncio.run(_left(answer, chunk))


def all_left(answers: list[Hostile]) -> list[tuple[int, str]]:
    """The same for many, in one event loop."""

    async def every() -> list[tuple[int, str]]:
        return [await _left(answer, 2**20) for answer in answers]

    return asyncio.run(every())


left_in_pieces = partial(left, chunk=7)
