"""What is noted of one request while it passes the hooks, to be counted once when it has ended."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Attempt:
    """One HTTP call to an upstream of the group `target`; `outcome` is None while it is under way."""

    target: str
    began_at: float = field(default_factory=time.monotonic)
    outcome: str | None = None
    on_wire: bool = False
    """Whether a request of it really left for the upstream; False where LiteLLM raised before it sent."""


@dataclass(slots=True)
class RequestStats:
    """
    Notes on one request.

    Hooks run more often than things happen: several callbacks meet one refusal, and LiteLLM calls the hooks
    of an attempt twice for responses and three times for messages (measured on 1.106.2). So they note here,
    and the recorder counts at the end.
    """

    began_at: float = field(default_factory=time.monotonic)
    ended_at: float | None = None
    sender: str | None = None
    """The caller whose key the gate found."""
    attempts: list[Attempt] = field(default_factory=list)
    chosen: str | None = None
    """The group of the attempt that is about to be sent."""
    stripped: set[str] = field(default_factory=set)
    """Fields of the client's that did not leave for an upstream."""
    took: dict[str, float] = field(default_factory=dict)
    """Seconds in each kind of our hooks, all callbacks, attempts and chunks together."""
    inert: bool = False
    """Whether tags in the prompt were made inert."""
    paced: bool = False
    """Whether the speed of the answer has been counted."""

    def add(self, hook: str, seconds: float) -> None:
        """Note what one of our hooks took, while the request is under way."""
        self.took[hook] = self.took.get(hook, 0.0) + seconds

    def sent(self) -> None:
        """Note that the chosen group is being asked; nothing where none was chosen since the last time."""
        if self.chosen is not None:
            self.answered("failed")  # how the one before it ended is not known, and it is tried again
            self.attempts.append(Attempt(self.chosen))
            self.chosen = None

    def left(self) -> None:
        """Note that a request of the attempt under way leaves; the transport is where that is certain."""
        self.sent()
        if self.attempts and self.attempts[-1].outcome is None:
            self.attempts[-1].on_wire = True

    def answered(self, outcome: str) -> None:
        """Note how the attempt under way ended; nothing where none is."""
        if self.attempts and self.attempts[-1].outcome is None:
            self.attempts[-1].outcome = outcome

    @property
    def lost(self) -> float | None:
        """Seconds from the first attempt to the one that answered; None where the first one did, or none."""
        if len(self.attempts) < 2 or self.attempts[-1].outcome != "answered":
            return None
        return self.attempts[-1].began_at - self.attempts[0].began_at
