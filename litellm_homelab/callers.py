"""Who is calling, as the rules see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["client", "optillm", "metrics"]


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
