"""The load: requests of several kinds in turn, and what became of each."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import httpx

TOGETHER: Final = 4
"""Requests at a time."""
KINDS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "plain": {"model": "main"},
        "streamed": {"model": "deep", "stream": True},
        "refused": {"model": "boost-base"},
        "optillm": {"model": "boost", "optillm_approach": "moa"},
        "left early": {"model": "main", "stream": True},
    }
)
"""What each kind asks for; a client that leaves early does so after the first event."""


@dataclass(slots=True)
class Load:
    """Requests to one gateway; `seen` counts (kind, status), with 0 for a request that broke off."""

    url: str
    key: str
    seen: Counter[tuple[str, int]] = field(default_factory=Counter)

    @property
    def requests(self) -> int:
        """Answered so far."""
        return sum(self.seen.values())

    def of(self, kind: str, status: int) -> int:
        """How many requests of a kind had this status."""
        return self.seen[kind, status]

    async def run(self, seconds: float, again: Callable[[], bool] = lambda: True) -> None:
        """Ask for so long, `TOGETHER` at a time, while `again` says so."""
        until = time.monotonic() + seconds
        kinds = itertools.cycle(KINDS)
        headers = {"Authorization": f"Bearer {self.key}"}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60) as client:

            async def ask() -> None:
                while time.monotonic() < until and again():
                    kind = next(kinds)
                    self.seen[kind, await self._one(client, kind)] += 1

            await asyncio.gather(*(ask() for _ in range(TOGETHER)))

    async def _one(self, client: httpx.AsyncClient, kind: str) -> int:
        body = {"messages": [{"role": "user", "content": "Say hello in a few words."}], **KINDS[kind]}
        try:
            async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
                async for _ in answer.aiter_lines():
                    if kind == "left early":
                        break
                return answer.status_code
        except httpx.HTTPError:
            return 0
