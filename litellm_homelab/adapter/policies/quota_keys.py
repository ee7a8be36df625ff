"""Asks OpenRouter how much of a free tier is used: a key's own figures include requests of other programs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from litellm_homelab.adapter.backends import probing
from litellm_homelab.adapter.backends.directory import Directory
from litellm_homelab.attempts import address
from litellm_homelab.quotas.book import Book
from litellm_homelab.quotas.presets import provider_at
from litellm_homelab.quotas.rule import Quota, Quotas

OPENROUTER: Final = "openrouter"
VARIABLE: Final = "OPENROUTER_API_KEY"
"""The key that LiteLLM sends to OpenRouter for deployments without one (1.106.2)."""
EVERY_SECONDS: Final = 300.0
TIMEOUT_SECONDS: Final = 10.0
OK: Final = 200


@dataclass(frozen=True, slots=True)
class KeyAccount:
    """Where the account of a quota's key is read (openrouter.ai/docs/api-reference/limits: `GET /key`)."""

    quota: Quota
    url: str
    key: str


def accounts(quotas: Quotas, directory: Directory) -> Iterator[KeyAccount]:
    """
    One for each quota with OpenRouter that learns.

    A deployment's own key goes to its own address only; the environment's goes to OpenRouter's host only.
    """
    seen = set()
    for group, deployment in dict.fromkeys(chain(directory.all(), directory.kept())):
        for quota in quotas.of(group):
            found = _account(quota, directory, deployment) if quota.learns else None
            if found is not None and quota.name not in seen:
                seen.add(quota.name)
                yield found


def _account(quota: Quota, directory: Directory, deployment: str) -> KeyAccount | None:
    base = address.parse(directory.base(deployment))
    provider = provider_at(base.host) if base is not None else ""
    if base is None or (provider or quota.provider) != OPENROUTER:
        return None
    key = directory.key(deployment)
    if not key and provider == OPENROUTER:
        key = os.environ.get(VARIABLE, "")
    return KeyAccount(quota, f"{base.url}/key", key) if key else None


class KeyReader:
    """Reads the accounts of all keys from time to time, in no request's path."""

    def __init__(
        self, quotas: Quotas, directory: Directory, book: Book, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._quotas, self._directory, self._book, self._clock = quotas, directory, book, clock
        self._due = 0.0

    async def read_if_due(self) -> None:
        """Read them, at most once in `EVERY_SECONDS`; one that cannot be read changes nothing."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + EVERY_SECONDS
        for one in accounts(self._quotas, self._directory):
            try:
                status, body = await probing.ask(probing.Asked(one.url, one.key, TIMEOUT_SECONDS))
            except probing.UNANSWERED:
                continue
            found = self._book.read_key(one.quota, body) if status == OK else {}
            if found:
                await self._book.learn(found)
