"""The demo for code that is not async: the same backends, on an event loop in a thread of their own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future

from litellm_homelab.demo.config import DemoConfig
from litellm_homelab.demo.recorder import RecordedRequest
from litellm_homelab.demo.server import Demo


class DemoThread:
    """What ``running_demo`` gives: ``Demo``'s methods, none of them async."""

    def __init__(self, demo: Demo, loop: asyncio.AbstractEventLoop) -> None:
        self._demo = demo
        self._loop = loop

    def port(self, name: str) -> int:
        """See ``Demo.port``."""
        return self._demo.port(name)

    def url(self, name: str) -> str:
        """See ``Demo.url``."""
        return self._demo.url(name)

    def api_base(self, name: str) -> str:
        """See ``Demo.api_base``."""
        return self._demo.api_base(name)

    def requests(self, name: str | None = None, *, probes: bool = False) -> list[RecordedRequest]:
        """See ``Demo.requests``."""
        return self._demo.requests(name, probes=probes)

    def clear_requests(self) -> None:
        """See ``Demo.clear_requests``."""
        self._demo.clear_requests()

    def fault(self, name: str, kind: str, *, seconds: float | None = None, times: int | None = None) -> None:
        """See ``Demo.fault``."""
        work = self._demo.fault(name, kind, seconds=seconds, times=times)
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def wakes(self, name: str) -> int:
        """See ``Demo.wakes``."""
        return self._demo.wakes(name)

    def clear_fault(self, name: str | None = None) -> None:
        """See ``Demo.clear_fault``."""
        asyncio.run_coroutine_threadsafe(self._demo.clear_fault(name), self._loop).result()


@contextlib.contextmanager
def running_demo(config: DemoConfig | None = None) -> Iterator[DemoThread]:
    """Run the demo backends in a thread for the length of a ``with`` block.

    ``config`` defaults to ``DemoConfig.for_tests()``.  What stops the start is raised here.
    """
    started: Future[tuple[DemoThread, asyncio.Event]] = Future()
    thread = threading.Thread(
        target=lambda: asyncio.run(_serve(config or DemoConfig.for_tests(), started)),
        name="demo-backends",
        daemon=True,
    )
    thread.start()
    demo, stop = started.result()
    try:
        yield demo
    finally:
        demo._loop.call_soon_threadsafe(stop.set)
        thread.join()


async def _serve(config: DemoConfig, started: Future[tuple[DemoThread, asyncio.Event]]) -> None:
    stop = asyncio.Event()
    try:
        async with Demo(config) as demo:
            started.set_result((DemoThread(demo, asyncio.get_running_loop()), stop))
            await stop.wait()
    except Exception as error:
        if started.done():
            raise
        started.set_exception(error)
