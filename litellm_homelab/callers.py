"""Who is calling: the callers of the `homelab:` section, told apart by their keys."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from litellm_homelab.wording import shown

if TYPE_CHECKING:
    from litellm_homelab.sections import Caller as CallerSection
    from litellm_homelab.settings import Settings

Role: TypeAlias = Literal["client", "optillm", "metrics"]
GATE = "litellm_homelab.hooks.gate"


@dataclass(frozen=True, slots=True)
class Caller:
    """
    An authenticated caller.

    `handles` is None for one that may use every handle and hidden name (the master key does).
    """

    name: str
    role: Role = "client"
    handles: frozenset[str] | None = None


MASTER = Caller("master")
"""The master key, and anyone that LiteLLM itself let in (keys of its own database)."""


def digest(key: str) -> bytes:
    """What is kept of a key: its SHA-256, which also makes every comparison equally long."""
    return hashlib.sha256(key.encode()).digest()


@dataclass(frozen=True, slots=True)
class Keyring:
    """The callers by the digest of their key; no key is kept."""

    entries: tuple[tuple[bytes, Caller], ...]
    master: bytes

    @classmethod
    def from_settings(cls, settings: Settings) -> Keyring:
        """Build it from checked settings."""
        entries = tuple(
            (digest(section.key), Caller(name, section.role, _handles(section.handles)))
            for name, section in settings.homelab.callers.items()
        )
        return cls(entries, digest(settings.master_key))

    def find(self, key: str) -> Caller | None:
        """
        The caller who owns `key`; None for an unknown one.

        Every entry is compared, in constant time, so that the time taken tells nothing about the keys.
        """
        presented, found = digest(key), None
        for known, caller in ((self.master, MASTER), *self.entries):
            if hmac.compare_digest(known, presented):
                found = caller
        return found


def _handles(names: list[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


def problems(settings: Settings) -> Iterator[str]:
    """What is wrong with `homelab.callers`, in words; no message shows a key."""
    callers = settings.homelab.callers
    general = settings.router.sections.get("general_settings", {})
    if callers and general.get("custom_auth") != GATE:
        yield (
            f"general_settings.custom_auth: must be {GATE}, so that homelab.callers holds, "
            f"got {shown(general.get('custom_auth'))}"
        )
    seen: dict[bytes, str] = {digest(settings.master_key): "the master key"} if settings.master_key else {}
    for name, section in callers.items():
        where = f"homelab.callers.{name}"
        owner = seen.setdefault(digest(section.key), f"homelab.callers.{name}.key")
        if owner != f"{where}.key":
            yield f"{where}.key: the same key as {owner}; each caller needs its own"
        yield from _handle_problems(where, section, settings)


def _handle_problems(where: str, section: CallerSection, settings: Settings) -> Iterator[str]:
    showroom = settings.homelab.showroom
    places: Mapping[str, str] = {
        **dict.fromkeys(showroom.internal, "internal"),
        **dict.fromkeys((*settings.handles, *showroom.hidden), ""),
    }
    for number, name in enumerate(section.handles or ()):
        if places.get(name) == "internal":
            why = "no caller asks for by name" if section.role != "optillm" else "role optillm has anyway"
            yield f"{where}.handles[{number}]: {name!r} is internal, which {why}; leave it out"
        elif name not in places:
            known = ", ".join((*settings.handles, *showroom.hidden))
            yield f"{where}.handles[{number}]: {name!r} is neither a handle nor hidden (known: {known})"
