"""A backend that keeps, for each root, how often it was asked and what it said it used."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ROOT = re.compile(r"root-\d{4}")
"""What a test writes into the prompt of each root, and every call on its behalf repeats."""
TOTAL = re.compile(r'"total_tokens":\s*(\d+)')


def marker(number: int) -> str:
    """The marker of one root."""
    return f"root-{number:04}"


class Till:
    """ASGI middleware around a backend: counts calls and tokens by the marker in the prompt."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.calls: Counter[str] = Counter()
        self.tokens: Counter[str] = Counter()
        self.mixed: list[list[str]] = []
        """The markers of prompts that hold those of several roots, or none."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI 3)."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        heard, said = _Ear(), _Ear()

        async def listen() -> Message:
            return heard.keep(await receive())

        async def speak(message: Message) -> None:
            await send(said.keep(message))

        try:
            await self._app(scope, listen, speak)
        finally:
            self._book(sorted(set(ROOT.findall(heard.text))), said.text)

    def _book(self, found: list[str], answer: str) -> None:
        if len(found) != 1:
            self.mixed.append(found)
        totals: list[Any] = TOTAL.findall(answer)
        for name in found[:1]:
            self.calls[name] += 1
            self.tokens[name] += int(totals[-1]) if totals else 0


class _Ear:
    """The bodies of the messages that pass."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def keep(self, message: Message) -> Message:
        self._parts.append(message.get("body", b""))
        return message

    @property
    def text(self) -> str:
        return b"".join(self._parts).decode("utf-8", "replace")
