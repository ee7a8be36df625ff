"""Stand-ins for upstreams, on a thread, for a real gateway."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future

from starlette.types import ASGIApp

from litellm_homelab.demo.listener import HOST, Listener


@contextlib.contextmanager
def listening(app: ASGIApp) -> Iterator[str]:
    """Serve `app` on a free loopback port for the length of the block; gives its root address."""
    with listening_to_all({"": app}) as addresses:
        yield addresses[""]


@contextlib.contextmanager
def listening_to_all(apps: Mapping[str, ASGIApp]) -> Iterator[dict[str, str]]:
    """Serve each app on a port of its own, all on one thread; gives the root address of each name."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, dict[str, int]]] = Future()

    async def serve() -> None:
        listeners, stop = {name: Listener(app, 0) for name, app in apps.items()}, asyncio.Event()
        await asyncio.gather(*(listener.up() for listener in listeners.values()))
        ports = {name: listener.port for name, listener in listeners.items()}
        started.set_result((asyncio.get_running_loop(), stop, ports))
        await stop.wait()
        await asyncio.gather(*(listener.close() for listener in listeners.values()))

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="upstreams", daemon=True)
    thread.start()
    loop, stop, ports = started.result(timeout=10)
    try:
        yield {name: f"http://{HOST}:{port}" for name, port in ports.items()}
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
