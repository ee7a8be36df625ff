"""Backends that are away: their deployments are left out, so that the chain goes on without a call."""

from __future__ import annotations

import asyncio
import time
from asyncio import FIRST_COMPLETED
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self

import httpx

from litellm_homelab import refusals
from litellm_homelab.adapter import context
from litellm_homelab.adapter.backends.directory import Directory, id_of
from litellm_homelab.adapter.backends.presence import Presence, Probes
from litellm_homelab.adapter.backends.waker import Waker
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.litellm_api.exceptions import Refused, Skipped
from litellm_homelab.adapter.litellm_api.own_errors import Unsent
from litellm_homelab.adapter.outcome import Level
from litellm_homelab.adapter.policies.error_response import CLIENT_LEFT
from litellm_homelab.adapter.policies.waiting import left, waited
from litellm_homelab.adapter.policy import Policy
from litellm_homelab.adapter.recording import meter
from litellm_homelab.backends import reach
from litellm_homelab.backends.kinds import KINDS
from litellm_homelab.backends.presence import BackendState, ProbeOutcome, probe_intervals
from litellm_homelab.backends.rule import place

if TYPE_CHECKING:
    from litellm_homelab.adapter.wiring import Shared
    from litellm_homelab.config.sections import BackendSection

IGNORE: Final = "ignore"
REFUSE: Final = "refuse"
WAKE: Final = "wake"


class ShownStandings:
    """Counts what is seen of backends."""

    def standing(self, backend: str, state: BackendState) -> None:
        """A backend is in a state."""
        meter().backend_state(backend, state)

    def probed(self, backend: str, outcome: ProbeOutcome) -> None:
        """This worker has asked a backend."""
        meter().probed(backend, outcome)


class PresencePolicy(Policy):
    """Leaves out deployments whose backend is away, or does not have their model any more."""

    name = "presence"

    def __init__(
        self,
        presence: Presence,
        directory: Directory,
        sections: Mapping[str, BackendSection],
        shared: Shared,
    ) -> None:
        self.presence = presence
        self._directory = directory
        self._sections = {name: one.presence for name, one in sections.items() if one.presence is not None}
        self._wakes = {
            name: one.wake
            for name, one in sections.items()
            if one.wake is not None and one.presence is not None and one.presence.on_absent == WAKE
        }
        self._waker = Waker(self._wakes, shared.store, lambda *what: meter().woken(*what))
        self._deployments = shared.deployments
        self._chains = shared.showroom.chain_of
        self._known: tuple[int, Away] | None = None
        self._there: dict[tuple[str, str], int] = {}
        """By deployment and group: the version of what is known, as of which an attempt may be made."""

    @classmethod
    def build(cls, shared: Shared) -> Self:
        """Make it from what policies share."""
        sections = shared.settings.homelab.backends
        probed = ProbedBackends(shared.directory, sections, frozenset(shared.lanes.lanes))
        presence = Presence(probe_intervals(sections), probed.of, shared.store, ShownStandings())
        made = cls(presence, shared.directory, sections, shared)
        presence.start()
        return made

    # --- attempts ----------------------------------------------------------------------------------

    def passes(self, group: str, deployments: Sequence[Mapping[str, Any]]) -> bool:
        """Mostly there is one deployment, and its backend is as it was a moment ago."""
        self.presence.start()
        if len(deployments) != 1 or type(deployments) is not list:
            return False
        place, version = (id_of(deployments[0]), group), self.presence.version
        if self._there.get(place) != version:
            if self._missing(*place) is not None:
                return False
            self._there[place] = version
        return True

    async def filter(
        self, ctx: RequestContext, group: str, deployments: Sequence[Mapping[str, Any]]
    ) -> Sequence[Mapping[str, Any]]:
        """
        Leave out deployments that are not there; prefer those whose model is in memory.

        Raises:
            Skipped: there is none left; the chain goes on.
            Refused: there is none left, and the request ends here (`on_absent: refuse`).

        """
        there = [one for one in deployments if self._missing(id_of(one), group) is None]
        if there or not deployments:
            return self._loaded(there, group) or there
        asleep = [one for one in deployments if self._waits(id_of(one), group)]
        if asleep:
            return asleep
        raise self._absent(ctx, [self._directory.of(id_of(one), group) for one in deployments])

    async def attempt(
        self,
        ctx: RequestContext | None,
        kwargs: dict[str, Any],  # noqa: ARG002 - the chosen deployment says enough
        call_type: Any,  # noqa: ANN401, ARG002 - LiteLLM's enum, or None
    ) -> dict[str, Any] | None:
        """
        Skip an attempt whose backend went away since it was chosen, or that was not chosen by the filter.

        Raises:
            Skipped: its backend is away.

        """
        chosen = context.chosen()
        if ctx is None or chosen is None or chosen.deployment is None or not self.presence.away:
            return None
        group = ctx.stats.chosen
        missing = self._missing(chosen.deployment, group)
        if missing is None or (self._waits(chosen.deployment, group) and await self._woken(ctx, missing)):
            return None
        raise self._absent(ctx, [missing])

    async def _woken(self, ctx: RequestContext, backend: str) -> bool:
        """
        Wake a backend, and wait for it; whether it has come.

        Raises:
            Unsent: the client left.

        """
        began = time.monotonic()
        self._waker.wake(backend)
        seconds = self._wakes[backend].wait_seconds
        coming, leaving = self.presence.waking(backend, seconds), asyncio.ensure_future(left(ctx))
        try:
            done, _ = await asyncio.wait({coming, leaving}, timeout=seconds, return_when=FIRST_COMPLETED)
        finally:
            leaving.cancel()
            waited(ctx, time.monotonic() - began)
        if leaving in done and coming not in done:
            raise Unsent(CLIENT_LEFT, "The client left while its request waited.")
        return coming in done and coming.result()

    def _waits(self, deployment: str, group: str | None) -> bool:
        """Whether an attempt waits for the backend of a deployment, which is away, to wake."""
        backend = self._directory.of(deployment, group)
        wake = self._wakes.get(backend)
        if wake is None or not self.presence.standing(backend).is_away:
            return False
        return wake.meanwhile == "wait" or not self._chains(group or "") - {group}

    def _missing(self, deployment: str, group: str | None) -> str | None:
        """The backend of a deployment where it, or the model, is away; None where an attempt may be made."""
        backend = self._directory.of(deployment, group)
        section = self._sections.get(backend)
        if section is None or section.on_absent == IGNORE:
            return None
        standing = self.presence.standing(backend)
        if standing.is_away:
            return backend
        if standing.models is None:
            return None
        return None if standing.has(self._models(deployment, group)) else backend

    def _models(self, deployment: str, group: str | None) -> frozenset[str]:
        return self._directory.models(deployment, self._deployments.model_for(deployment, group))

    def _loaded(self, deployments: Sequence[Mapping[str, Any]], group: str) -> list[Mapping[str, Any]]:
        """Of several deployments, those whose model is in memory."""
        if len(deployments) < 2:
            return []
        return [
            one
            for one in deployments
            if self.presence.standing(self._directory.of(id_of(one), group)).has_loaded(
                self._models(id_of(one), group)
            )
        ]

    def _absent(self, ctx: RequestContext, backends: Sequence[str]) -> Exception:
        for one in backends:
            if one in self._wakes and self.presence.standing(one).is_away:
                self._waker.wake(one)
        refusal = refusals.model_absent(
            ctx.asked or "", self.presence.retry_after(backends), to_child=ctx.is_optillms
        )
        if all(self._sections[one].on_absent == REFUSE for one in backends):
            ctx.outcome.refuse(self.name, refusal, Level.ATTEMPT)
            return Refused(refusal, self.name)
        return Skipped(refusal, self.name)

    # --- what else asks ------------------------------------------------------------------------------

    def unreachable(self, request: httpx.Request) -> None:
        """Note that a request found no connection, where it was an attempt's at its own backend."""
        chosen, record = context.chosen(), context.current()
        if chosen is None or chosen.deployment is None or record is None:
            return
        group = self._deployments.group_of(chosen.deployment)
        own, met = (
            place(self._directory.base(chosen.deployment)),
            place(str(request.url.copy_with(query=None))),
        )
        if own is not None and met is not None and own.origin == met.origin:
            self.presence.unreachable(self._directory.of(chosen.deployment, group))

    def is_missing(self, deployment: str, group: str) -> bool:
        """Whether an attempt would not find a deployment's server there, or not its model."""
        return self._missing(deployment, group) is not None

    def _is_out(self, deployment: str, group: str) -> bool:
        """Whether a deployment is missing, and nothing would wake its server."""
        backend = self._missing(deployment, group)
        return backend is not None and not (
            backend in self._wakes and self.presence.standing(backend).is_away
        )

    def is_away(self) -> Away:
        """
        What says of each name whether every backend of its chain is away, as things are now.

        It is kept while no backend is away: then only a probe changes it. Else an absence may end by itself.
        """
        if self._known is None or self._known[0] != self.presence.version or self.presence.away:
            found = self._away_now()
            self._known = self.presence.version, found
        return self._known[1]

    def _away_now(self) -> Away:
        there: dict[str, bool] = {}
        for group, deployment in self._directory.all():
            there[group] = there.get(group, False) or not self._is_out(deployment, group)
        return Away(there, self._chains)


class Away:
    """Which names have only backends that are away."""

    def __init__(self, there: Mapping[str, bool], chains: Callable[[str], frozenset[str]]) -> None:
        """`chains` gives a name and what it leads to."""
        self._there, self._chains = there, chains
        self._known: dict[str, bool] = {}

    def __call__(self, name: str) -> bool:
        """Whether all backends of a name and of its fallbacks are away."""
        if name not in self._there:
            return False
        if name not in self._known:
            self._known[name] = not any(self._there.get(one, False) for one in self._chains(name))
        return self._known[name]


class ProbedBackends:
    """Which backends are probed, and how."""

    def __init__(
        self, directory: Directory, sections: Mapping[str, BackendSection], lanes: frozenset[str]
    ) -> None:
        self._directory, self._sections, self._lanes = directory, sections, lanes
        self._known: dict[str, Probes] = {}

    def of(self, backend: str) -> Probes | None:
        """How a backend is probed; None for a cloud, an OptiLLM, and one without a deployment."""
        section = self._sections[backend]
        kind = KINDS.get(section.kind)
        if kind is None or section.presence is None:
            return None
        if backend not in self._known:
            for group, deployment in (*self._directory.all(), *self._directory.kept()):
                if self._directory.of(deployment, group) != backend:
                    continue
                found = place(self._directory.base(deployment))
                if group in self._lanes or found is None or not self._is_near(section, found.origin[1]):
                    return None
                self._known[backend] = Probes(
                    kind,
                    self._directory.base(deployment),
                    self._directory.key(deployment),
                    section.presence.probe_seconds,
                    section.presence.timeout_seconds,
                )
                break
        return self._known.get(backend)

    @staticmethod
    def _is_near(section: BackendSection, host: str) -> bool:
        """Whether a backend is on this network; others are clouds, unless `kind` is set."""
        return "kind" in section.model_fields_set or reach.is_local(host)
