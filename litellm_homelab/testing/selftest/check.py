"""One check: what is relied on, what is lost without it, and what came of trying it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from litellm_homelab.testing.selftest.gateway import SelfTestGateway


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check expected, and what it saw; plain values that JSON can hold."""

    expected: Any
    saw: Any


Tried: TypeAlias = Callable[["SelfTestGateway"], Awaitable[Seen]]


@dataclass(frozen=True, slots=True)
class Check:
    """Something that this package relies on in LiteLLM."""

    name: str
    """What must hold, as a sentence without its full stop."""
    promise: str
    """What does not hold for users where it does not."""
    run: Tried


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check went."""

    name: str
    promise: str
    ok: bool
    expected: Any
    saw: Any
