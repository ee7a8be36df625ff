"""Which quotas a group counts against, how much an attempt uses of them, and when there is room again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from typing import TYPE_CHECKING, Final

from litellm_homelab.config.wildcards import group_for, is_wildcard
from litellm_homelab.quotas.observations import State
from litellm_homelab.quotas.presets import Preset, presets
from litellm_homelab.quotas.windows import Calendar, Instant, Per, Span, Unit, Window
from litellm_homelab.state.account import Account, Accounts, Use

if TYPE_CHECKING:
    from litellm_homelab.config.sections import QuotaSection, WindowSection

ACCOUNT: Final = "quota:"
"""What the name of an account begins with in the store."""


@dataclass(frozen=True, slots=True)
class Quota:
    """The limits of one account with a provider."""

    name: str
    windows: tuple[Window, ...]
    provider: str = ""
    """The preset's; empty where the deployment's address says."""
    calendars: Mapping[Per, Calendar] = field(default_factory=dict)
    """The preset's, for windows that are learned."""
    counts_successes: bool = False
    learns: bool = True
    falls_back: bool = True
    serves_without_state: bool = False
    account: str = field(init=False)
    """Its name in the store."""
    counts_tokens: bool = field(init=False)
    """Whether usage changes what a request was counted for."""
    settles: bool = field(init=False)
    """Whether how a request ends changes what it was counted for."""
    _latest: list[tuple[int, Span, Sequence[Use]]] = field(init=False, default_factory=list, compare=False)
    """The uses that were asked for last, and how long they are right: most attempts have the same."""

    def __post_init__(self) -> None:
        tokens = any(one.unit is Unit.TOKENS and one.limit is not None for one in self.windows)
        object.__setattr__(self, "account", ACCOUNT + self.name)
        object.__setattr__(self, "counts_tokens", tokens)
        object.__setattr__(self, "settles", tokens or self.counts_successes)

    @classmethod
    def of(cls, name: str, section: QuotaSection) -> Quota:
        """The quota of a checked section."""
        preset = presets().get(section.preset or "")
        return cls(
            name,
            tuple(_windows(section, preset)),
            preset.provider if preset else "",
            preset.calendars if preset else {},
            section.counts == "successes",
            section.learn,
            section.on_exhausted == "fallback",
            section.on_state_loss == "serve",
        )

    def uses(self, tokens: int, at: Instant) -> Sequence[Use]:
        """What an attempt of `tokens` tokens uses of each window now."""
        for known, span, found in self._latest:
            if known == tokens and span.start <= at < span.end:
                return found
        found = [*self._uses(tokens, at)]
        self._latest[:] = [(tokens, self._same(at), found)]
        return found

    def _uses(self, tokens: int, at: Instant) -> Iterator[Use]:
        amounts = {Unit.REQUESTS: 1, Unit.TOKENS: tokens, Unit.CREDITS: 0}
        for one in self.windows:
            if one.unit is not Unit.CREDITS:
                yield Use(
                    self.account, one.name, one.counted(at), one.limit, amounts[one.unit], one.documented
                )

    def _same(self, at: Instant) -> Span:
        """The time around a moment in which no window ends."""
        spans = [one.span(at) for one in self.windows]
        starts, ends = [one.start for one in spans], [one.end for one in spans]
        return Span(max(starts, default=0), min(ends, default=0))


def _windows(section: QuotaSection, preset: Preset | None) -> Iterator[Window]:
    """The section's windows, and the preset's of the units that it has none of."""
    own = [_own(one, preset) for one in section.windows]
    units = {one.unit for one in own}
    yield from own
    yield from (one for one in (preset.windows if preset else ()) if one.unit not in units)


def _own(section: WindowSection, preset: Preset | None) -> Window:
    """A window of the section's; where it names no zone and reset, they are the preset's."""
    per = Per(section.per)
    known = preset.calendars.get(per) if preset else None
    zone = section.zone or (known.zone if known else "UTC")
    reset = time.fromisoformat(section.reset) if section.reset else known.reset if known else time()
    unit = Unit.REQUESTS if section.requests is not None else Unit.TOKENS
    return Window(unit, section.requests or section.tokens, Calendar(per, zone, reset), section.rolling)


class Quotas:
    """The quotas by group."""

    def __init__(self, sections: Mapping[str, QuotaSection]) -> None:
        self.all = tuple(Quota.of(name, one) for name, one in sections.items())
        self._of: dict[str, list[Quota]] = {}
        for quota, section in zip(self.all, sections.values(), strict=True):
            for group in dict.fromkeys(section.groups):
                self._of.setdefault(group, []).append(quota)
        self._wildcards = tuple(filter(is_wildcard, self._of))

    def of(self, group: str | None) -> Sequence[Quota]:
        """The quotas that a group counts against; for a name below a wildcard group, the wildcard's."""
        if group is None:
            return ()
        found = self._of.get(group)
        if found is None and self._wildcards:
            found = self._of.get(group_for(group, self._wildcards) or "")
        return found or ()


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Why an attempt is not sent, and when it may be."""

    until: Instant
    quota: Quota
    state: State = State.CLOSED
    unit: Unit = Unit.REQUESTS
    per: Per | None = None
    limit: int | None = None


def exhausted(
    quotas: Iterable[Quota], accounts: Accounts, tokens: int, group: str, at: Instant
) -> Exhausted | None:
    """
    Why there is no room for an attempt in accounts that refused it: the window that is the last to open.

    None where there is room in all of them.
    """
    found = [one for quota in quotas for one in _shortages(quota, accounts[quota.account], tokens, group, at)]
    return max(found, key=lambda one: one.until, default=None)


def _shortages(quota: Quota, account: Account, tokens: int, group: str, at: Instant) -> Iterator[Exhausted]:
    windows = {one.name: one for one in quota.windows}
    for use in quota.uses(tokens, at):
        if account.has_room(use):
            continue
        window, limit = windows[use.name], account.limit_of(use) or 0
        used = {start: account.total([key]) for start, key in zip(use.starts, use.keys, strict=True)}
        until = window.frees(at, used, limit, min(use.amount, limit))
        yield Exhausted(until, quota, State.CLOSED, window.unit, window.calendar.per, limit)
    for name, closure in account.closures(group, at).items():
        unit, per = _named(name)
        said = account.limits.get(name)
        most = said.limit if said else windows[name].limit if name in windows else None
        yield Exhausted(closure.until, quota, State(closure.state), unit, per, most)


def _named(name: str) -> tuple[Unit, Per | None]:
    """Unit and length of a window's name; of what has none, requests."""
    unit, _, per = name.partition(":")[0].partition("/")
    try:
        return Unit(unit), Per(per)
    except ValueError:
        return Unit.REQUESTS, None
