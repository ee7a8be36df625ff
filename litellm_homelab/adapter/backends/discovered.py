"""The handles that backends list now, as one worker knows them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import chain

from litellm_homelab.backends.presence import retry_after
from litellm_homelab.showroom.discovery import Discovery, Listed


class Discovered:
    """
    Keeps what the last successful list of each backend gave.

    A backend that is away keeps its names: they are not listed then, and requests for them get a 503.
    """

    def __init__(
        self,
        discovery: Discovery,
        mode_of: Callable[[str, str], str],
        intervals: Mapping[str, float],
    ) -> None:
        """`intervals` are the seconds between two probes of each backend."""
        self._discovery = discovery
        self._mode_of = mode_of
        self._intervals = intervals
        self._lists: dict[str, Listed] = {}
        self._owners: dict[str, Listed] = {}
        self._reachable: dict[str, frozenset[str]] = {}
        self.modes: Mapping[str, str] = {}
        """Every name that is served, with its mode."""
        self.shown: tuple[str, ...] = ()
        """The names that listings show."""
        self.changed: Callable[[], None] = lambda: None
        """Called when the names have changed."""

    def learn(self, backend: str, models: Collection[str]) -> None:
        """A backend has listed these models; it counts for those of `discover` only."""
        if backend not in self._discovery.backends:
            return
        found = self._discovery.listed(backend, models, self._mode_of)
        self._lists[backend] = found
        every = [self._lists[one] for one in self._discovery.backends if one in self._lists]
        self._owners = {name: one for one in every for name in one.modes}
        self._reachable = {}
        self.modes = {name: one.modes[name] for name, one in self._owners.items()}
        self.shown = tuple(chain.from_iterable(one.shown for one in every))
        self.changed()

    def below(self, group: str) -> Collection[str]:
        """The names below a wildcard group."""
        return next((one.modes for one in self._lists.values() if one.group == group), ())

    def place_of(self, name: str | None) -> tuple[str, str] | None:
        """The wildcard group and the backend of a name; None for one that no backend lists."""
        found = self._owners.get(name or "")
        return (found.group, found.backend) if found is not None else None

    def reachable(self, name: str) -> frozenset[str]:
        """The name, and the groups that its fallbacks may reach."""
        if name not in self._reachable:
            found = self._owners.get(name)
            self._reachable[name] = found.router.reachable(name) if found else frozenset({name})
        return self._reachable[name]

    def unknown_for(self, name: str) -> int | None:
        """
        Seconds until it may be known whether a backend lists a name; None where that is known.

        It is not known before the first successful list of the only backend that could have the name.
        """
        backend = self._discovery.backend_of(name)
        if backend is None or backend in self._lists:
            return None
        return retry_after(self._intervals, [backend])
