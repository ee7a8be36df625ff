"""Wakes backends that are asleep: once for all who wait, over all workers."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from contextvars import Context
from typing import TYPE_CHECKING, Final, TypeAlias

import httpx

from litellm_homelab.adapter.log_limits import log_seldom
from litellm_homelab.backends import waking
from litellm_homelab.state import Entry, StateUnavailable, Store, within

if TYPE_CHECKING:
    from litellm_homelab.config.sections import WakeSection

SECONDS: Final = 10.0
"""How long a URL or a command may take."""
STORE_SECONDS: Final = 1.0
SENT, FAILED = "sent", "failed"
"""Values of the label `outcome`."""

Send: TypeAlias = Callable[[str, "WakeSection"], Awaitable[None]]
"""Wakes a backend, given its name and its section."""


async def send(_: str, section: WakeSection) -> None:
    """
    Do what wakes a machine.

    Raises:
        OSError, httpx.HTTPError, TimeoutError, RuntimeError: it could not be done.

    """
    if section.mac is not None:
        await _packet(section.mac, section.to)
    elif section.url is not None:
        async with httpx.AsyncClient(timeout=SECONDS, trust_env=False) as client:
            (await client.post(section.url)).raise_for_status()
    elif section.command:
        await _run(section.command)


async def _packet(mac: str, to: str | None) -> None:
    host, port = waking.destination(to)
    loop = asyncio.get_running_loop()
    [(family, _, _, _, address), *_] = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        if family == socket.AF_INET:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.sendto(waking.magic_packet(mac), address)


async def _run(command: list[str]) -> None:
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        async with asyncio.timeout(SECONDS):
            status = await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    if status:
        raise RuntimeError(f"exit status {status}")


_send: Send = send


def send_with(other: Send | None) -> None:
    """Wake with another function from now on; None is `send` (`MockProxy` has its own)."""
    global _send
    _send = other or send


class Waker:
    """Wakes the backends that have a `wake` section; `counted` is called with each wake and its outcome."""

    def __init__(
        self, sections: Mapping[str, WakeSection], store: Store, counted: Callable[[str, str], None]
    ) -> None:
        self._sections, self._store, self._counted = sections, store, counted
        self._until: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self, backend: str) -> None:
        """
        Begin to wake a backend, unless this worker or another one has done so within its `cooldown_seconds`.

        It is done outside of the request, whose context would have our rules judge what is sent.
        """
        if time.monotonic() < self._until.get(backend, 0.0):
            return
        self._until[backend] = time.monotonic() + self._sections[backend].cooldown_seconds
        task = asyncio.get_running_loop().create_task(self._wake(backend), context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _wake(self, backend: str) -> None:
        section = self._sections[backend]
        if not await self._is_first(backend, section.cooldown_seconds):
            return
        try:
            await _send(backend, section)
        except (OSError, httpx.HTTPError, TimeoutError, RuntimeError) as error:
            self._counted(backend, FAILED)
            log_seldom(
                logging.WARNING, f"homelab presence: {backend} could not be woken: {type(error).__name__}"
            )
        else:
            self._counted(backend, SENT)

    async def _is_first(self, backend: str, cooldown: float) -> bool:
        """Whether no other worker has woken it lately; without the store this worker goes by its own."""
        try:
            async with within(STORE_SECONDS):
                return await self._store.create(f"wake:{backend}", Entry(), cooldown)
        except (StateUnavailable, TimeoutError):
            return True
