"""Who is calling: the callers of the `homelab:` section, recognised by their keys."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from litellm_homelab.config.sections import Priority, Role, digest
from litellm_homelab.config.wording import closest, did_you_mean, quoted
from litellm_homelab.showroom.discovery import Discovery

if TYPE_CHECKING:
    from litellm_homelab.config.sections import CallerSection as CallerSection
    from litellm_homelab.config.settings import Settings

PLACEHOLDERS = ("sk-generate", "generate")
"""What env.example has in the place of keys."""

READS_ONLY: Final[Mapping[Role, str]] = MappingProxyType(
    {"metrics": "/metrics/", "widgets": "/homelab/widget.json"}
)
"""Roles that read one path of ours and nothing else."""


@dataclass(frozen=True, slots=True)
class Caller:
    """
    An authenticated caller.

    `handles` is None for one that may use every handle and hidden name (the master key does); `routes` is
    None for one that may use every route which is for callers.
    """

    name: str
    role: Role = "client"
    handles: frozenset[str] | None = None
    routes: tuple[str, ...] | None = None
    priority: Priority | None = field(default=None, hash=False)
    """In which order its requests wait; None where that is the handle's to say."""


MASTER = Caller("master")
"""The master key, and anyone that LiteLLM itself let in (keys of its own database)."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """The callers by the digest of their key; no key is kept."""

    entries: tuple[tuple[str, Caller], ...]
    master: str

    @classmethod
    def from_settings(cls, settings: Settings) -> Keyring:
        """Build it from checked settings."""
        entries = tuple(
            (key, _caller(name, section))
            for name, section in settings.homelab.callers.items()
            for key in (section.key, section.next_key)
            if key is not None
        )
        return cls(entries, digest(settings.master_key))

    def admins(self) -> Iterator[tuple[str, Caller]]:
        """The digests of the keys that may see the page, each with its owner."""
        yield self.master, MASTER
        yield from ((known, caller) for known, caller in self.entries if caller.role == "admin")

    def find(self, key: str) -> Caller | None:
        """
        The caller who owns `key`; None for an unknown one.

        Every entry is compared, in constant time, so that the time taken reveals nothing about the keys.
        """
        presented, found = digest(key), None
        for known, caller in ((self.master, MASTER), *self.entries):
            if hmac.compare_digest(known, presented):
                found = caller
        return found


def _caller(name: str, section: CallerSection) -> Caller:
    return Caller(
        name,
        section.role,
        None if section.handles is None else frozenset(section.handles),
        None if section.routes is None else tuple(section.routes),
        section.priority,
    )


def problems(settings: Settings) -> Iterator[str]:
    """What is wrong with `homelab.callers`, in words; no message shows a key."""
    callers = settings.homelab.callers
    if settings.master_key in PLACEHOLDERS:
        yield f"general_settings.master_key: {_left(settings.master_key)}"
    seen = {digest(settings.master_key): "the master key"} if settings.master_key else {}
    for name, section in callers.items():
        where = f"homelab.callers.{name}"
        yield from _key_problems(f"{where}.key", section.key, seen)
        if section.next_key == section.key:
            yield f"{where}.next_key: the same key as {where}.key; leave it empty until there is a new one"
        elif section.next_key is not None:
            yield from _key_problems(f"{where}.next_key", section.next_key, seen)
        yield from _handle_problems(where, section, settings)


def _left(placeholder: str) -> str:
    return (
        f"it is {placeholder!r}, the placeholder of env.example that `make run` replaces; set a key of your "
        "own, such as `openssl rand -hex 24` prints"
    )


def _key_problems(where: str, key: str, seen: dict[str, str]) -> Iterator[str]:
    for placeholder in PLACEHOLDERS:
        if key == digest(placeholder):
            yield f"{where}: {_left(placeholder)}"
            return
    owner = seen.setdefault(key, where)
    if owner != where:
        yield f"{where}: the same key as {owner}; each caller needs its own"


def _handle_problems(where: str, section: CallerSection, settings: Settings) -> Iterator[str]:
    showroom = settings.homelab.showroom
    places: Mapping[str, str] = {
        **dict.fromkeys(showroom.internal, "internal"),
        **dict.fromkeys((*settings.handles, *showroom.hidden), ""),
    }
    groups = settings.router.groups
    discovery = Discovery(settings)
    meant = {closest(one, groups) for one in places if one not in groups}
    for number, name in enumerate(section.handles or ()):
        if places.get(name) == "internal":
            role = section.role == "optillm"
            why = "which role optillm may use anyway" if role else "so that no caller may use it by name"
            yield f"{where}.handles[{number}]: {quoted(name)} is internal, {why}; remove it"
        elif name not in places:
            known = ", ".join((*settings.handles, *showroom.hidden))
            if name in meant:
                continue  # the handle is misspelt, which is reported already
            if discovery.backend_of(name) is not None:
                continue  # a handle while its backend lists it
            right = did_you_mean(name, places)
            yield (
                f"{where}.handles[{number}]: {quoted(name)} is neither a handle nor hidden "
                f"(known: {known}){right}"
            )
