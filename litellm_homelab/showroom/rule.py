"""The showroom rule: who may use which name, on which route, and which attempt it may lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from litellm_homelab import refusals
from litellm_homelab.access.callers import READS_ONLY, Caller
from litellm_homelab.config.router_file import Deployment, RouterFile
from litellm_homelab.config.settings import Settings
from litellm_homelab.decision import Allow, Refuse
from litellm_homelab.showroom.modes import KEPT_RESPONSE, MODES, ROUTES, ServedRoute


class LateNames(Protocol):
    """Handles that backends list now (`homelab.showroom.discover`)."""

    @property
    def modes(self) -> Mapping[str, str]:
        """Every name that is served, with its mode."""

    @property
    def shown(self) -> tuple[str, ...]:
        """The names that listings show."""

    def reachable(self, name: str) -> frozenset[str]:
        """The name, and the groups that its fallbacks may reach."""

    def unknown_for(self, name: str) -> int | None:
        """Seconds until it may be known whether a backend lists a name; None where that is known."""


class NoLateNames:
    """For showrooms without `discover`."""

    modes: Mapping[str, str] = MappingProxyType({})
    shown: tuple[str, ...] = ()

    def reachable(self, name: str) -> frozenset[str]:
        """The name alone."""
        return frozenset({name})

    def unknown_for(self, name: str) -> int | None:  # noqa: ARG002 - the protocol's
        """Every name is known."""
        return None


@dataclass(frozen=True, slots=True)
class Showroom:
    """Handles, hidden and internal names, with what each serves and leads to; built once, asked often."""

    handles: tuple[str, ...]
    hidden: frozenset[str]
    internal: frozenset[str]
    modes: Mapping[str, str]
    reachable: Mapping[str, frozenset[str]]
    search_tools: frozenset[str]
    concrete: frozenset[str] = frozenset()
    """Names below wildcard groups."""
    late_mode: Callable[[str], str] = lambda _: "chat"
    """The mode of a name that router.yaml does not have: one of LiteLLM's database."""
    lanes: frozenset[str] = frozenset()
    """Names whose deployments are OptiLLM."""
    late: LateNames = field(default_factory=NoLateNames)
    """Names that backends list; call `forget` when they have changed."""
    _served: dict[Caller, frozenset[str]] = field(default_factory=dict, compare=False, repr=False)
    _offered: dict[Caller, str] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        late_mode: Callable[[str], str] = lambda _: "chat",
        late: LateNames | None = None,
    ) -> Showroom:
        """
        Build the rule from checked settings.

        `late_mode` knows the modes of names that come with LiteLLM's database, `late` what backends list.
        """
        router = settings.router
        placed = (*settings.handles, *settings.homelab.showroom.hidden, *settings.homelab.showroom.internal)
        return cls(
            handles=settings.handles,
            hidden=frozenset(settings.homelab.showroom.hidden),
            internal=frozenset(settings.homelab.showroom.internal),
            modes=_modes(router),
            reachable=_reachable(router, placed),
            search_tools=router.search_tools,
            concrete=frozenset(one.group for one in router.deployments if one.wildcard),
            late_mode=late_mode,
            lanes=frozenset(settings.homelab.optillm),
            late=late or NoLateNames(),
        )

    def forget(self) -> None:
        """Names have changed: decide again who may use which."""
        self._served.clear()
        self._offered.clear()

    # --- names -----------------------------------------------------------------------------------

    def served(self, caller: Caller) -> frozenset[str]:
        """Names that `caller` may use; None of its own means every handle and hidden name."""
        if caller not in self._served:
            self._served[caller] = self._names(caller)
        return self._served[caller]

    def _names(self, caller: Caller) -> frozenset[str]:
        everything = frozenset((*self.handles, *self.hidden, *self.late.modes))
        own = everything if caller.handles is None else caller.handles & everything
        if caller.role in READS_ONLY:
            return frozenset()
        return (own | self.internal) - self.lanes if caller.role == "optillm" else own

    def listed(self, caller: Caller) -> tuple[str, ...]:
        """Handles that `/v1/models` shows to `caller`: in the order of `handles`, then those of backends."""
        served = self.served(caller)
        return tuple(name for name in (*self.handles, *self.late.shown) if name in served)

    # --- before routing --------------------------------------------------------------------------

    def request(self, call_type: str, model: object, others: Iterable[str], caller: Caller) -> Allow | Refuse:
        """
        Decide on a request before LiteLLM routes it.

        `model` is what LiteLLM is about to route; `others` are names found elsewhere (a header, an encoded
        id), deployment ids already turned into group names.
        """
        route = ROUTES.get(call_type)
        if route is None:
            return refusals.call_type_closed(call_type)
        if route.names == "search_tool":
            return self._search(model)
        named = [model, *others] if model else list(others)
        if not named:
            return self._unnamed(route, caller)
        decisions = (self._name(name, route, caller) for name in named)
        return next((one for one in decisions if isinstance(one, Refuse)), Allow())

    def _name(self, name: object, route: ServedRoute, caller: Caller) -> Allow | Refuse:
        if not isinstance(name, str) or name not in self.served(caller):
            return self._not_yet(name, caller) or self.not_found(name, caller)
        mode = self._mode(name)
        if mode in route.modes:
            return Allow()
        return refusals.mode_not_served(name, mode, route.path, self._fitting(route, caller))

    def _not_yet(self, name: object, caller: Caller) -> Refuse | None:
        """The refusal of a name that a backend may have, which has not listed its models yet."""
        if not isinstance(name, str) or caller.role in READS_ONLY:
            return None
        seconds = self.late.unknown_for(name) if caller.handles is None or name in caller.handles else None
        if seconds is None:
            return None
        return refusals.model_absent(name, seconds, to_child=caller.role == "optillm")

    def _fitting(self, route: ServedRoute, caller: Caller) -> list[str]:
        """The listed models of a caller that a route serves."""
        return [name for name in self.listed(caller) if self._mode(name) in route.modes]

    def _mode(self, name: str) -> str:
        found = self.modes.get(name) or self.late.modes.get(name)
        return found or self.late_mode(name)

    def below_wildcards(self, name: str) -> str | None:
        """The mode of a name below a wildcard group; None for any other."""
        if name in self.concrete:
            return self.modes.get(name, "chat")
        return self.late.modes.get(name)

    def not_found(self, name: object, caller: Caller) -> Refuse:
        """The one answer for a backroom name, a name that exists nowhere, and no name at all."""
        if caller not in self._offered:
            self._offered[caller] = refusals.listing(self.listed(caller))
        return refusals.model_not_found(name, self._offered[caller])

    def _search(self, tool: object) -> Allow | Refuse:
        if isinstance(tool, str) and tool in self.search_tools:
            return Allow()
        return refusals.search_tool_not_found(tool, sorted(self.search_tools))

    def _unnamed(self, route: ServedRoute, caller: Caller) -> Refuse:
        if route.names == "handle":
            return refusals.model_missing(route.path, self._fitting(route, caller))
        if route.path == KEPT_RESPONSE:
            return refusals.response_not_kept()
        return refusals.route_without_a_model(route.path, self.listed(caller))

    # --- per attempt -----------------------------------------------------------------------------

    def attempt(self, asked: str | None, group: str | None, caller: Caller) -> Allow | Refuse:
        """
        Decide on one attempt: `group` is the group of the deployment that the router chose.

        Allowed is the group asked for and what the configured fallbacks lead to from it; where no hook
        saw the request come in (`asked` is None), only what the caller may use itself.
        """
        if group is not None:
            allowed = self.served(caller) if asked is None else self.chain_of(asked)
            if group in allowed:
                return Allow()
        return self.not_found(asked, caller)

    def chain_of(self, name: str) -> frozenset[str]:
        """A name and the groups that its fallbacks lead to."""
        return self.reachable.get(name) or self.late.reachable(name)


def _modes(router: RouterFile) -> dict[str, str]:
    return {group: _mode(deployments) for group, deployments in router.groups.items()}


def _mode(deployments: list[Deployment]) -> str:
    """The mode of a group: one that is set comes first; an unknown one is chat."""
    found = next((one for one in deployments if one.mode_is_set), deployments[0]).mode
    return found if found in MODES else "chat"


def _reachable(router: RouterFile, names: Iterable[str]) -> dict[str, frozenset[str]]:
    """Only names that lead elsewhere are kept: every other one reaches itself alone."""
    sources = {source for _, source, _ in (*router.fallbacks, *router.leads)}
    return {name: router.reachable(name) for name in names if name in sources or "*" in sources}
