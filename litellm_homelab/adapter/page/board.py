"""The page's JSON: made when it is asked for, and kept for a moment: ten viewers cost as much as one."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import orjson

from litellm_homelab.page import model
from litellm_homelab.page.facts import Facts
from litellm_homelab.page.widget import widget

FRESH_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class JsonText:
    """A JSON text and its entity tag."""

    body: bytes
    etag: str

    @classmethod
    def of(cls, value: object) -> JsonText:
        """The text of a dataclass."""
        body = orjson.dumps(value)
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


class Board:
    """Makes the documents from facts."""

    def __init__(self, gather: Callable[[], Awaitable[Facts]]) -> None:
        self._gather = gather
        self._lock = asyncio.Lock()
        self._until = 0.0
        self._page = self._widget = JsonText(b"", "")

    async def page(self) -> JsonText:
        """What `/homelab.json` answers."""
        await self._fresh()
        return self._page

    async def widget(self) -> JsonText:
        """What `/homelab/widget.json` answers."""
        await self._fresh()
        return self._widget

    async def _fresh(self) -> None:
        async with self._lock:
            if time.monotonic() < self._until:
                return
            view = model.view(await self._gather())
            self._page, self._widget = JsonText.of(view), JsonText.of(widget(view))
            self._until = time.monotonic() + FRESH_SECONDS
