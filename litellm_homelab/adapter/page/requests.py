"""What the page notes of requests: their refusals, and which requests through OptiLLM are under way."""

from __future__ import annotations

import time
from typing import Any

from starlette.types import Scope

from litellm_homelab.access.callers import Keyring
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.middleware.response_recorder import Watch
from litellm_homelab.adapter.optillm.roots import RootKeeper
from litellm_homelab.adapter.page.events import RefusalLog
from litellm_homelab.adapter.policies.request_stats import Count
from litellm_homelab.decision import Refuse
from litellm_homelab.optillm.ledger import Ledger
from litellm_homelab.page.facts import OpenRoot


class FollowedRoots(RootKeeper):
    """A keeper of roots that knows those which are under way at this worker."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as RootKeeper's
        super().__init__(*args, **kwargs)
        self.under_way: dict[str, OpenRoot] = {}
        """By their id."""

    async def attempt(self, record: RequestContext, group: str, approach: str) -> Refuse | None:
        """Open the root at its first attempt (`RootKeeper.attempt`)."""
        before = record.root
        refusal = await super().attempt(record, group, approach)
        root = record.root
        if root is not None and root is not before:
            self.under_way[root.id] = OpenRoot(
                root.id, root.handle, root.approach, record.caller.name, time.time()
            )
        return refusal


class NotedCount(Count):
    """Counts a request as `Count` does, and notes its refusal; its root is under way no longer."""

    def __init__(
        self, keyring: Keyring, ledger: Ledger, events: RefusalLog, roots: dict[str, OpenRoot]
    ) -> None:
        super().__init__(keyring, ledger)
        self._events = events
        self._roots = roots

    async def __call__(self, record: RequestContext, scope: Scope, watch: Watch) -> None:
        """Count a request that has ended."""
        if record.root is not None:
            self._roots.pop(record.root.id, None)
        await super().__call__(record, scope, watch)

    def _refused(self, rule: str, refusal: Refuse, handle: str | None, caller: str) -> None:
        super()._refused(rule, refusal, handle, caller)
        self._events.refused(rule, refusal, handle, caller)
