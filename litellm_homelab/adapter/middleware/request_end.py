"""What is done when a request has ended, whichever way."""

from __future__ import annotations

import time

from starlette.types import Scope

from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.middleware.dropped_fields import Dropped
from litellm_homelab.adapter.middleware.response_recorder import Watch
from litellm_homelab.adapter.policies import quotas
from litellm_homelab.adapter.policies.request_stats import Count
from litellm_homelab.optillm.orphans import Orphans


class Ending:
    """What `Edge` calls after each request, its client having left or not."""

    def __init__(self, orphans: Orphans, count: Count, dropped: Dropped) -> None:
        self._orphans = orphans
        self._count = count
        self._dropped = dropped

    async def __call__(self, record: RequestContext, scope: Scope, watch: Watch) -> None:
        """Give back slots, make room for the next orphan, report deployments that are not there, count."""
        if record.slots is not None:
            for slot in record.slots.values():
                slot.release()
        if record.reservations is not None:
            await quotas.ended(record)
        self._dropped.report()
        if record.orphan:
            self._orphans.leave(time.monotonic())
        await self._count(record, scope, watch)
