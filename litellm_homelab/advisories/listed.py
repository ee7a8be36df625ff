"""The published advisories that advisories.toml lists."""

from __future__ import annotations

import functools
import pkgutil
import tomllib
from dataclasses import dataclass
from typing import Any, Final

from litellm_homelab.advisories.versions import Range

DATA: Final = "advisories.toml"
LITELLM: Final = "litellm"
OPTILLM: Final = "optillm"


@dataclass(frozen=True, slots=True)
class Advisory:
    """One published advisory."""

    id: str
    what: str
    """The hole, in one clause."""
    here: str
    """What it means behind this package, in one clause."""
    affected: tuple[Range, ...]
    fixed: tuple[str, ...] = ()
    """Versions that have the fix, by the source; empty where it names none."""
    package: str = LITELLM
    aliases: tuple[str, ...] = ()
    exploited: bool = False
    """Whether it is known to be exploited: CISA's KEV, or malware."""
    approaches: tuple[str, ...] = ()
    """OptiLLM's approaches that reach the hole."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Every name that it has, its own first."""
        return (self.id, *self.aliases)


@dataclass(frozen=True, slots=True)
class Advisories:
    """All of them, as of a date (YYYY-MM-DD)."""

    date: str
    advisories: tuple[Advisory, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The names that `homelab.accept_advisories` may have, aliases included."""
        return tuple(name for one in self.advisories for name in one.ids)


@functools.cache
def published() -> Advisories:
    """The advisories of the data file in this package."""
    return read((pkgutil.get_data(__package__, DATA) or b"").decode())


def read(text: str) -> Advisories:
    """
    The advisories of a TOML text in the form of advisories.toml.

    Raises:
        ValueError: not TOML, or an advisory with an unknown field or without a required one.

    """
    document = tomllib.loads(text)
    return Advisories(str(document["date"]), tuple(map(_advisory, document["advisory"])))


def _advisory(entry: dict[str, Any]) -> Advisory:
    fields = dict(entry)
    lists: dict[str, Any] = {name: tuple(fields.pop(name, ())) for name in ("aliases", "approaches", "fixed")}
    try:
        ranges = tuple(Range(**one) for one in fields.pop("affected"))
        return Advisory(affected=ranges, **lists, **fields)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{entry.get('id', 'an advisory')}: {error}") from error
