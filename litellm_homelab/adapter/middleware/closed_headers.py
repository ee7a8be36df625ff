"""Removes headers that have not been reviewed from a request, before LiteLLM reads it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, TypeAlias

from starlette.types import Scope

from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.formats import header_pairs

log = logging.getLogger("LiteLLM Proxy.homelab")
REMEMBERED: Final = 256
"""Names that are remembered as open, each of at most `LONGEST_REMEMBERED` bytes."""
LONGEST_REMEMBERED: Final = 64

Closed: TypeAlias = Callable[[str], bool]
"""Whether LiteLLM must not get a header, by its name in lower case."""


class ClosedHeaders:
    """
    Removes closed headers from every request, whatever its route: the master key's, opened routes' too.

    Ordinary requests have the same few names, so those that are open are remembered.
    """

    def __init__(self, closed: Closed) -> None:
        self._closed = closed
        self._open: set[bytes] = set()

    def off(self, record: RequestContext, scope: Scope) -> Scope:
        """The request without them; what is taken off is counted as a dropped field."""
        names = {*map(header_pairs.NAME, scope["headers"])}
        if names <= self._open:
            return scope
        gone = {name for name in names if self._closed(name.decode("latin-1").lower())}
        for name in names - gone:
            if len(self._open) < REMEMBERED and len(name) <= LONGEST_REMEMBERED:
                self._open.add(name)
        if not gone:
            return scope
        shown = sorted({name.decode("latin-1").lower() for name in gone})
        record.stats.stripped.update(shown)
        log.debug("homelab: dropped %d headers that are not reviewed: %s", len(shown), ", ".join(shown)[:400])
        return {**scope, "headers": [pair for pair in scope["headers"] if pair[0] not in gone]}
