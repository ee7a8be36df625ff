"""Decides on each HTTP request below LiteLLM's clients: the last line, which no other callback comes after."""

from __future__ import annotations

import httpx

from litellm_homelab.hooks import context


class LastLine:
    """The `Watcher` of a running gateway; a request outside of any client request is none of its business."""

    async def leaving(self, transport: object, request: httpx.Request) -> httpx.Response | None:
        """Decide on a request of an async client."""
        return self.leaving_sync(transport, request)

    def leaving_sync(self, transport: object, request: httpx.Request) -> httpx.Response | None:  # noqa: ARG002
        """Decide on a request of a sync client."""
        record = context.current()
        if record is not None and record.asked is not None:
            record.tally.left()
        return None
