"""Who is attacked: a handle, and what the attack would like to reach in its place."""

from __future__ import annotations

from dataclasses import dataclass

TOKEN = "zq-planted-zq"
"""A value that no upstream may see: a path, file, account or switch of the client's choosing."""


@dataclass(frozen=True, slots=True)
class Target:
    """A handle of one provider in one mode, and the names that lie beside it."""

    provider: str
    mode: str
    evil: str
    """An address of the client's own."""

    @property
    def handle(self) -> str:
        """The name that the client may use."""
        return f"{self.provider}-{self.mode}"

    @property
    def back(self) -> str:
        """A backroom group at the same address."""
        return f"{self.provider}-back-{self.mode}"

    @property
    def far(self) -> str:
        """A backroom group at another address, where there is one."""
        return f"{self.provider}-far-{'embed' if self.mode == 'embed' else 'chat'}"

    def model(self, group: str) -> str:
        """The upstream's name of a group's model."""
        return f"real-{group}"

    def key(self, group: str) -> str:
        """A group's key."""
        return f"sk-key-of-{group}"
