"""Stand-ins for upstreams, on a thread, for a real gateway."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future

from starlette.types import ASGIApp

from litellm_homelab.demo.listener import HOST, Listener


@contextlib.contextmanager
def listening(app: ASGIApp) -> Iterator[str]:
    """Serve `app` on a free loopback port for the length of the block; gives its root address."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = Future()

    async def serve() -> None:
        listener, stop = Listener(app, 0), asyncio.Event()
        await listener.up()
        started.set_result((asyncio.get_running_loop(), stop, listener.port))
        await stop.wait()
        await listener.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="upstreams", daemon=True)
    thread.start()
    loop, stop, port = started.result(timeout=10)
    try:
        yield f"http://{HOST}:{port}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
