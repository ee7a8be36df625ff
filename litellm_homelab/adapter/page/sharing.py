"""
Facts of all workers of a gateway: whoever serves the page asks the others.

Each worker listens on a socket in the machine's folder for temporary files. That costs nothing: it asks no
store and sets no timer, and its event loop wakes when another worker's page asks. Where there is one worker,
there is no socket.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from contextvars import Context
from typing import Final

from litellm_homelab.adapter.log_limits import log_seldom
from litellm_homelab.adapter.page.meeting import MeetingPlace
from litellm_homelab.page import facts
from litellm_homelab.page.facts import WorkerFacts

ASK_SECONDS: Final = 3.0
"""How long a worker may take to answer: under 100 requests its event loop takes up to a second for a turn."""
ALONE: Final = "homelab page: other workers cannot ask this one, so their pages lack what it knows: {error}"


class Sharing:
    """What the workers of a gateway know, each of its own."""

    def __init__(self, own: Callable[[], WorkerFacts], workers: int, place: MeetingPlace) -> None:
        self._own, self._place = own, place
        self.workers = workers
        self.worker = uuid.uuid4().hex[:12]
        self._task: asyncio.Task[asyncio.Server | None] | None = None

    def start(self) -> None:
        """Begin to answer other workers, once, where an event loop runs."""
        if self.workers < 2:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        task = self._task
        if task is None or task.get_loop() is not loop or (task.done() and not self._can_be_found(task)):
            self._task = loop.create_task(self._listen(), context=Context())

    def stop(self) -> None:
        """Answer no more."""
        task, self._task = self._task, None
        if task is None or task.get_loop().is_closed():
            return
        if not task.done():
            task.cancel()
        elif not task.cancelled() and (server := task.result()) is not None:
            server.close()
        self._place.leave(self.worker)

    async def facts(self) -> list[WorkerFacts]:
        """What each worker knows, this one's first; fewer where a worker does not answer."""
        own = self._own()
        if self.workers < 2:
            return [own]
        self.start()
        others = self._place.others(self.worker)
        found = await asyncio.gather(*(self._ask(name) for name in others))
        return [own, *(one for one in found if one is not None)]

    async def _ask(self, name: str) -> WorkerFacts | None:
        """The facts of a worker; None where it does not answer, or is of another version of this package."""
        try:
            async with asyncio.timeout(ASK_SECONDS):
                reader, writer = await asyncio.open_unix_connection(str(self._place.path(name)))
                try:
                    return facts.read((await reader.read()).decode())
                finally:
                    writer.close()
        except (ConnectionRefusedError, FileNotFoundError):
            self._place.gone(name)
        except (OSError, TimeoutError, ValueError):
            pass  # it is busy, or it ended in the middle of its answer
        return None

    # --- the other side ----------------------------------------------------------------------------

    def _can_be_found(self, task: asyncio.Task[asyncio.Server | None]) -> bool:
        return not task.cancelled() and task.result() is not None and self._place.has(self.worker)

    async def _listen(self) -> asyncio.Server | None:
        try:
            return await asyncio.start_unix_server(self._answer, sock=self._place.enter(self.worker))
        except OSError as error:
            log_seldom(logging.WARNING, ALONE.format(error=error))
            return None

    async def _answer(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(self._own().written().encode())
            async with asyncio.timeout(ASK_SECONDS):
                await writer.drain()
        except (OSError, TimeoutError):
            pass  # who asked has left
        finally:
            writer.close()
