"""One backend's port: listening, really down, and listening again on the same port."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Generator
from typing import Final

import uvicorn
from starlette.types import ASGIApp

HOST: Final = "127.0.0.1"
_BACKLOG: Final = 256
KEEP_ALIVE_SECONDS: Final = 150
"""
Longer than LiteLLM keeps an idle connection (120 s in 1.106.2): with uvicorn's 5 s a call that is sent just
as the server hangs up is lost, and repeated where calls are counted.
"""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals to the one who runs the demo."""
        yield


def _bind(port: int) -> socket.socket:
    # Named protocol: asyncio sets TCP_NODELAY only then, and without it an answer takes 40 ms more.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
    except OSError as error:
        bound.close()
        raise OSError(error.errno, f"cannot listen on {HOST}:{port}: {error.strerror}") from error
    return bound


class Listener:
    """Serves ``app`` on ``port`` of the loopback address.

    While down, the port stays bound without listening, so that connections are refused and no process can
    take it.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._bound: socket.socket | None = _bind(port)
        self.port: int = self._bound.getsockname()[1]
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None
        self._filling: list[socket.socket] = []
        """Connections that fill the backlog of a black hole."""

    @property
    def is_hole(self) -> bool:
        """Whether nothing answers who connects."""
        return bool(self._filling)

    @property
    def is_up(self) -> bool:
        """Whether connections are accepted."""
        return self._server is not None

    async def up(self) -> None:
        """Start to accept connections; nothing happens when it already does."""
        if self._server:
            return
        if self.is_hole:
            await self.down()
        listening = self._bound or _bind(self.port)
        self._bound = None
        listening.listen(_BACKLOG)
        config = uvicorn.Config(
            self._app, lifespan="off", log_config=None, log_level="critical", access_log=False,
            timeout_graceful_shutdown=0, ws="none", timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )  # fmt: skip
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]))
        while not self._server.started and not self._task.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)

    async def down(self) -> None:
        """Refuse connections from now on, and cut those that are open."""
        await self.close()
        self._bound = _bind(self.port)

    async def vanish(self) -> None:
        """
        Answer no connection from now on: neither taken nor refused.

        Linux drops the SYN of a connection for which the queue of a listening socket has no room.
        """
        await self.down()
        if self._bound is None:
            return
        self._bound.listen(0)
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            self._filling.append(one)
            with contextlib.suppress(BlockingIOError):
                one.connect((HOST, self.port))

    async def close(self) -> None:
        """Give the port back."""
        for one in self._filling:
            one.close()
        self._filling = []
        if self._bound:
            self._bound.close()
            self._bound = None
        if self._server and self._task:
            for listening in self._server.servers:
                listening.close()
            for connection in list(self._server.server_state.connections):
                connection.transport.abort()
            self._server.should_exit = True
            self._server.force_exit = True
            tasks = list(self._server.server_state.tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, self._task, return_exceptions=True)
        self._server = self._task = None
