"""What a failed attempt says about its deployment, and what about the request alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TRANSIENT: Final = frozenset({408, 429})
"""Statuses below 500 that a deployment gives when it is slow or busy."""
OPERATORS: Final = frozenset({401, 402, 403, 407}) | TRANSIENT
"""Statuses below 500 that another request would get as well: keys, accounts and limits of the operator."""


@dataclass(frozen=True, slots=True)
class Failure:
    """How an attempt failed."""

    sent: bool
    """Whether a request left for the upstream."""
    answered: int | None = None
    """The HTTP status that the upstream gave; None for no answer, or one that could not be read."""
    unreachable: bool = False
    """Whether it timed out, or there was no connection."""
    status: int | None = None
    """The status that LiteLLM's exception has; it is made up where the upstream gave none."""


def rests(failure: Failure) -> bool:
    """
    Whether a failure counts towards the cooldown of its deployment.

    Only an upstream's own 5xx, 408 and 429, timeouts, connection errors and unreadable answers do. Anything
    else a client could cause with one bad request, which would put the deployment and its fallbacks into
    cooldown for all clients: LiteLLM 1.106.2 counts 401, 402 and 404, its own errors while it prepares a
    request (500), and a 400 whose text says "rate limit", which it turns into a 429 although the text may be
    the client's, repeated.
    """
    if failure.answered is not None:
        return _is_servers(failure.answered)
    if failure.unreachable:
        return True
    return failure.sent and (failure.status is None or _is_servers(failure.status))


def is_final(failure: Failure) -> bool:
    """
    Whether a failure goes to the client, and to no other deployment or group.

    It does where LiteLLM raised it before anything was sent: an unsupported parameter, a message that it
    cannot translate. After what only the operator can fix (keys, accounts, limits, the network) the next one
    may answer.
    """
    nothing_left = not failure.sent and failure.answered is None and not failure.unreachable
    return nothing_left and failure.status not in OPERATORS


def _is_servers(status: int) -> bool:
    return status >= 500 or status in TRANSIENT
