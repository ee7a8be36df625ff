"""What is wrong with `homelab.quotas`, and which presets may not be true any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from litellm_homelab.config.findings import Caution
from litellm_homelab.config.wording import did_you_mean, quoted
from litellm_homelab.quotas.presets import presets
from litellm_homelab.quotas.windows import CALENDAR, Per

if TYPE_CHECKING:
    from litellm_homelab.config.sections import QuotaSection, WindowSection
    from litellm_homelab.config.settings import Settings


def problems(settings: Settings, today: date | None = None) -> Iterator[str]:
    """What is wrong with the section, in words; what is old is a caution."""
    for name, section in settings.homelab.quotas.items():
        where = f"homelab.quotas.{name}"
        yield from _groups(where, section, settings)
        yield from _preset(where, section, today or datetime.now(UTC).date())
        yield from _windows(where, section)


def _groups(where: str, section: QuotaSection, settings: Settings) -> Iterator[str]:
    known, seen = settings.router.groups, dict[str, int]()
    for number, group in enumerate(section.groups):
        first = seen.setdefault(group, number)
        if first != number:
            yield f"{where}.groups[{number}]: duplicate name {quoted(group)} (first at groups[{first}])"
        elif group not in known and not settings.router.in_database:
            right = did_you_mean(group, known)
            yield f"{where}.groups[{number}]: {quoted(group)} is not a model_name of model_list{right}"


def _preset(where: str, section: QuotaSection, today: date) -> Iterator[str]:
    if section.preset is None:
        if not section.windows:
            yield f"{where}: needs windows, or a preset (known: {', '.join(presets())})"
        return
    found = presets().get(section.preset)
    if found is None:
        known = f"known: {', '.join(presets())}"
        right = did_you_mean(section.preset, presets())
        yield f"{where}.preset: unknown preset {quoted(section.preset)} ({known}){right}"
        return
    for doubt in found.doubts(today):
        yield Caution(f"{where}.preset: {quoted(found.name)}: {doubt}")
    if found.is_per_model and len(section.groups) > 1:
        yield Caution(
            f"{where}.groups: the limits of {quoted(found.name)} are for each model by itself, and these "
            f"groups share them; write a quota for each model"
        )


def _windows(where: str, section: QuotaSection) -> Iterator[str]:
    seen: dict[tuple[bool, str], int] = {}
    for number, window in enumerate(section.windows):
        here = f"{where}.windows[{number}]"
        yield from _window(here, window)
        first = seen.setdefault((window.requests is not None, window.per), number)
        if first != number:
            yield f"{here}: there is a window of this unit per {window.per} already (windows[{first}])"


def _window(where: str, window: WindowSection) -> Iterator[str]:
    if (window.requests is None) == (window.tokens is None):
        yield f"{where}: needs either requests or tokens; set one of the two"
    if window.zone is not None and window.zone not in _zones():
        right = did_you_mean(window.zone, _zones())
        yield (
            f"{where}.zone: {quoted(window.zone)} is not an IANA time zone such as America/Los_Angeles{right}"
        )
    for setting in ("zone", "reset"):
        if getattr(window, setting) is None:
            continue
        if Per(window.per) not in CALENDAR:
            yield f"{where}.{setting}: a window per {window.per} has none; remove it"
        elif window.rolling:
            yield f"{where}.{setting}: a rolling window has none; remove it, or rolling"


@cache
def _zones() -> frozenset[str]:
    return frozenset({*available_timezones(), "UTC"})
