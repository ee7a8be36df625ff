"""Backends that are away: their deployments are left out, so that the chain goes on without a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self

import httpx

from litellm_homelab import refusals
from litellm_homelab.adapter import context
from litellm_homelab.adapter.backends.directory import Directory, id_of
from litellm_homelab.adapter.backends.presence import Presence, Probes
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.litellm_api.exceptions import Refused, Skipped
from litellm_homelab.adapter.outcome import Level
from litellm_homelab.adapter.policy import Policy
from litellm_homelab.adapter.recording import meter
from litellm_homelab.backends import reach
from litellm_homelab.backends.kinds import KINDS
from litellm_homelab.backends.presence import Outcome, State
from litellm_homelab.backends.rule import place

if TYPE_CHECKING:
    from litellm_homelab.adapter.wiring import Shared
    from litellm_homelab.config.sections import BackendSection

IGNORE: Final = "ignore"
REFUSE: Final = "refuse"


class Shown:
    """Counts what is seen of backends."""

    def standing(self, backend: str, state: State) -> None:
        """A backend is in a state."""
        meter().backend_state(backend, state)

    def probed(self, backend: str, outcome: Outcome) -> None:
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
        self._deployments = shared.deployments
        self._chains = shared.settings.router.reachable

    @classmethod
    def build(cls, shared: Shared) -> Self:
        """Make it from what policies share."""
        sections = shared.settings.homelab.backends
        asked = {
            name: one.presence.probe_seconds for name, one in sections.items() if one.presence is not None
        }
        probed = Probed(shared.directory, sections, frozenset(shared.lanes.lanes))
        presence = Presence(asked, probed.of, shared.store, Shown())
        made = cls(presence, shared.directory, sections, shared)
        presence.start()
        return made

    # --- attempts ----------------------------------------------------------------------------------

    async def filter(
        self, ctx: RequestContext, group: str, deployments: Sequence[Mapping[str, Any]]
    ) -> Sequence[Mapping[str, Any]]:
        """
        Leave out deployments that are not there; prefer those whose model is in memory.

        Raises:
            Skipped: there is none left; the chain goes on.
            Refused: there is none left, and the request ends here (`on_absent: refuse`).

        """
        self.presence.start()
        there = [one for one in deployments if self._missing(id_of(one), group) is None]
        if not there and deployments:
            raise self._absent(ctx, [self._directory.of(id_of(one), group) for one in deployments])
        return self._loaded(there, group) or there

    async def attempt(
        self,
        ctx: RequestContext | None,
        kwargs: dict[str, Any],
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
        group = self._deployments.group_in(kwargs, ctx.asked)
        missing = self._missing(chosen.deployment, group)
        if missing is not None:
            raise self._absent(ctx, [missing])
        return None

    def _missing(self, deployment: str, group: str | None) -> str | None:
        """The backend of a deployment that an attempt would not find there; None for one that it may."""
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
        refusal = refusals.model_absent(
            ctx.asked or "", self.presence.retry_after(backends), to_child=ctx.child is not None
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

    def is_away(self) -> Away:
        """What says of each name whether every backend of its chain is away, as things are now."""
        there: dict[str, bool] = {}
        for group, deployment in self._directory.all():
            there[group] = there.get(group, False) or self._missing(deployment, group) is None
        return Away(there, self._chains)


class Away:
    """Which names have no backend that is there."""

    def __init__(self, there: Mapping[str, bool], chains: Any) -> None:  # noqa: ANN401
        self._there, self._chains = there, chains

    def __call__(self, name: str) -> bool:
        """Whether neither a name's own deployments nor those of its fallbacks are there."""
        return name in self._there and not any(
            self._there.get(one, False) for one in (name, *self._chains(name))
        )


class Probed:
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
            for group, deployment in self._directory.all():
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
        """Others are clouds, unless the operator says what they are."""
        return "kind" in section.model_fields_set or reach.is_local(host)
