"""Gathers the facts of the page: of this worker, and of the whole from the store and LiteLLM's router."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from litellm_homelab import __version__
from litellm_homelab.adapter.page.events import RefusalLog
from litellm_homelab.adapter.page.meeting import MeetingPlace
from litellm_homelab.adapter.page.paces import Paces
from litellm_homelab.adapter.page.sharing import Sharing
from litellm_homelab.adapter.policies.queue import workers
from litellm_homelab.adapter.recording import meter
from litellm_homelab.page import configured
from litellm_homelab.page import facts as model
from litellm_homelab.page import quotas as shown_quotas
from litellm_homelab.page.facts import (
    BackendFacts,
    Closed,
    Deployed,
    Facts,
    HourCounts,
    OpenRoot,
    QuotaWindow,
    RootFacts,
    SeenBackend,
    ShownSettings,
    WorkerFacts,
)
from litellm_homelab.quotas.rule import Quotas
from litellm_homelab.state import StateUnavailable, within

if TYPE_CHECKING:
    from litellm_homelab.adapter.policies.presence import PresencePolicy
    from litellm_homelab.adapter.policies.quotas import QuotaPolicy
    from litellm_homelab.adapter.wiring import Shared

STORE_SECONDS: Final = 1.0
MOST_ROOTS: Final = 50
"""Roots that are shown: each is one question to the store."""


class Sources:
    """Where each fact comes from."""

    def __init__(
        self,
        shared: Shared,
        events: RefusalLog,
        roots: dict[str, OpenRoot],
        presence: PresencePolicy | None,
        quota: QuotaPolicy | None,
    ) -> None:
        self._shared, self._events, self._roots = shared, events, roots
        self._presence, self._quota = presence, quota
        self._paces = Paces(lambda: meter().paces())
        self.sharing = Sharing(self.own, workers(os.environ), MeetingPlace.of_this_process())
        self._litellm = version("litellm")

    def own(self) -> WorkerFacts:
        """What this worker knows and no store does."""
        return WorkerFacts(
            self.sharing.worker,
            self._events.started_at,
            self._events.last(),
            dict(self._standings()),
            tuple(self._roots.values())[:MOST_ROOTS],
            self._paces.look(),
        )

    def _standings(self) -> Iterator[tuple[str, SeenBackend]]:
        for name, section in self._shared.settings.homelab.backends.items():
            if self._presence is not None and section.presence is not None:
                standing = self._presence.presence.standing(name)
                yield name, SeenBackend(standing.state, standing.since, tuple(sorted(standing.loaded)))

    async def whole(self) -> Facts:
        """Everything that the page is made from, as it is now."""
        known = await self.sharing.facts()
        together = model.merged(known)
        found = Facts(
            at=time.time(),
            shown=self._shown(),
            workers=self.sharing.workers,
            seen=len(known),
            worker=together,
            deployed=tuple(self._deployed()),
        )
        found = replace(found, backends=tuple(configured.backends(self._shared.settings, found.deployed)))
        try:
            return await self._stored(found)
        except (StateUnavailable, TimeoutError):
            return replace(found, hours=HourCounts(since=together.started_at), store_answers=False)

    # --- from the store ----------------------------------------------------------------------------

    async def _stored(self, found: Facts) -> Facts:
        quotas, closed = await self._quotas(found.at)
        return replace(
            found,
            backends=tuple([await self._queued(one) for one in found.backends]),
            quotas=quotas,
            closed=closed,
            roots=tuple([one async for one in self._under_way(found.worker)]),
            hours=await self._events.hours(),
        )

    async def _queued(self, backend: BackendFacts) -> BackendFacts:
        if backend.slots is None:
            return backend
        async with within(STORE_SECONDS):
            pool = await self._shared.store.pool(f"slots:{backend.name}")
        return replace(backend, used=pool.used, waiting=len(pool.waiting))

    async def _quotas(self, at: float) -> tuple[tuple[QuotaWindow, ...], tuple[Closed, ...]]:
        if self._quota is None:
            return (), ()
        accounts = await self._quota.book.read_all()
        if accounts is None:
            raise TimeoutError
        every = [(one, accounts[one.account]) for one in Quotas(self._shared.settings.homelab.quotas).all]
        return (
            tuple(each for one, account in every for each in shown_quotas.windows(one, account, at)),
            tuple(each for one, account in every for each in shown_quotas.closures(one, account, at)),
        )

    async def _under_way(self, worker: WorkerFacts) -> AsyncIterator[RootFacts]:
        for one in worker.roots[:MOST_ROOTS]:
            async with within(STORE_SECONDS):
                summary = await self._shared.ledger.read(one.id)
            if summary is not None and not summary.ended:
                counts = (summary.children, summary.finished, summary.root.max_calls)
                yield RootFacts(
                    one.id,
                    one.handle,
                    one.approach,
                    one.caller,
                    one.opened_at,
                    *counts,
                    summary.usage.total_tokens,
                )

    # --- from the settings and LiteLLM's router -----------------------------------------------------

    def _deployed(self) -> Iterator[Deployed]:
        names = {name for name, _, _ in self._names()}
        chained = {one for chain in self._chains().values() for one in chain}
        directory, seen = self._shared.directory, set[tuple[str, str]]()
        for group, deployment in directory.all():
            backend = directory.of(deployment, group)
            if group in names | chained and (group, backend) not in seen:
                seen.add((group, backend))
                missing = self._presence is not None and self._presence.is_missing(deployment, group)
                yield Deployed(group, backend, missing)

    def _names(self) -> Iterator[tuple[str, str, str]]:
        """Every name that is served, with its mode and its place."""
        showroom = self._shared.showroom
        for name, place in configured.placed(self._shared.settings, self._shared.discovered.shown):
            yield name, showroom.modes.get(name) or showroom.late.modes.get(name, "chat"), place

    def _chains(self) -> dict[str, tuple[str, ...]]:
        return configured.chains(self._shared.settings, [name for name, _, _ in self._names()])

    def _shown(self) -> ShownSettings:
        settings = self._shared.settings
        return ShownSettings(
            __version__,
            self._litellm,
            tuple(self._names()),
            self._chains(),
            configured.callers(settings),
            configured.calls_back(settings),
            {name: tuple(one.groups) for name, one in settings.homelab.quotas.items()},
        )
