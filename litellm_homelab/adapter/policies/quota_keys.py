"""Asks OpenRouter what of a free tier is used: its own account of a key, with other programs' requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import httpx

from litellm_homelab.adapter.backends import probing
from litellm_homelab.adapter.litellm_api.targets import Targets
from litellm_homelab.quotas.book import Book
from litellm_homelab.quotas.presets import provider_at
from litellm_homelab.quotas.rule import Quota, Quotas

OPENROUTER: Final = "openrouter"
EVERY_SECONDS: Final = 300.0
TIMEOUT_SECONDS: Final = 10.0
OK: Final = 200


@dataclass(frozen=True, slots=True)
class KeyAccount:
    """Where the account of a quota's key is read (openrouter.ai/docs/api-reference/limits: `GET /key`)."""

    quota: Quota
    url: str
    key: str


def accounts(quotas: Quotas, targets: Targets) -> Iterator[KeyAccount]:
    """One for each quota with OpenRouter that learns; the key goes to the deployment's own address."""
    seen = set()
    for target in targets.all():
        base, key = next(iter(target.bases), None), next(iter(sorted(target.keys)), None)
        for quota in quotas.of(target.group):
            if base is None or key is None or not quota.learns or quota.name in seen:
                continue
            if OPENROUTER in (quota.provider, provider_at(base.host)):
                seen.add(quota.name)
                yield KeyAccount(quota, f"{base.url}/key", key)


class KeyReader:
    """Reads the accounts of all keys from time to time, in no request's path."""

    def __init__(
        self, quotas: Quotas, targets: Targets, book: Book, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._quotas, self._targets, self._book, self._clock = quotas, targets, book, clock
        self._due = 0.0

    async def read_if_due(self) -> None:
        """Read them, at most once in `EVERY_SECONDS`; one that cannot be read changes nothing."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + EVERY_SECONDS
        for one in accounts(self._quotas, self._targets):
            try:
                status, body = await probing.ask(probing.Asked(one.url, one.key, TIMEOUT_SECONDS))
            except (httpx.HTTPError, TimeoutError):
                continue
            found = self._book.read_key(one.quota, body) if status == OK else {}
            if found:
                await self._book.learn(found)
