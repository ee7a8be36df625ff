"""In which order a request waits for a backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.backends import priority

if TYPE_CHECKING:
    from litellm_homelab.config.settings import Settings


def of(settings: Settings) -> Callable[[RequestContext], int] | None:
    """What says a request's rank; None where no backend has slots."""
    if not any(one.slots for one in settings.homelab.backends.values()):
        return None
    handles = settings.homelab.priorities

    def rank(ctx: RequestContext) -> int:
        """A child waits as its root does."""
        if ctx.child is not None and ctx.child.rank is not None:
            return ctx.child.rank
        return priority.rank(ctx.caller.priority, handles.get(ctx.asked or ""))

    return rank
