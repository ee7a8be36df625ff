"""What our hooks must remember of one request between LiteLLM's hooks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from litellm_homelab.callers import MASTER, Caller
from litellm_homelab.decision import Refuse


@dataclass(slots=True)
class Record:
    """
    One client request, filled in by the hooks as it passes them.

    It lives in a context variable, not in LiteLLM's dicts: those are copied, logged and written by
    clients. Tasks that LiteLLM starts for the request inherit it; the next request gets its own.
    """

    path: str = ""
    """The route as requested; empty outside of a server."""
    asked: str | None = None
    """The handle that the client asked for, once pre-call has allowed it."""
    caller: Caller = MASTER
    refusal: Refuse | None = None
    """The refusal of an attempt: LiteLLM goes on with the next fallback and then shows the first error."""


_record: ContextVar[Record | None] = ContextVar("litellm_homelab_record", default=None)


@contextmanager
def request(path: str) -> Iterator[Record]:
    """Open the record of one request; the ASGI wrapper does this around LiteLLM."""
    record = Record(path=path)
    token = _record.set(record)
    try:
        yield record
    finally:
        _record.reset(token)


def current() -> Record | None:
    """The record of the request that this code runs for, None for LiteLLM's own background work."""
    return _record.get()
