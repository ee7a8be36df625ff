"""A server at the address that attacks name, and the proxy to the internet."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future

from starlette.datastructures import Headers

from litellm_homelab.demo.listener import HOST
from litellm_homelab.demo.recorder import Recorder

ANSWER = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
MOST = 64 * 1024


@contextlib.contextmanager
def trap(name: str, recorder: Recorder) -> Iterator[str]:
    """Listen for the length of the block, recording every request, a CONNECT too; gives the address."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = Future()

    async def serve() -> None:
        async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                head = await reader.readuntil(b"\r\n\r\n")
                _record(name, recorder, head)
                writer.write(ANSWER)
                await writer.drain()
            writer.close()

        server, stop = await asyncio.start_server(meet, HOST, 0, limit=MOST), asyncio.Event()
        started.set_result((asyncio.get_running_loop(), stop, server.sockets[0].getsockname()[1]))
        await stop.wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="trap", daemon=True)
    thread.start()
    loop, stop, port = started.result(timeout=10)
    try:
        yield f"http://{HOST}:{port}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def _record(name: str, recorder: Recorder, head: bytes) -> None:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    target = rest.rpartition(" ")[0]
    path, _, query = target.partition("?")
    pairs = [line.partition(":") for line in lines if ":" in line]
    raw = [(key.strip().lower().encode(), value.strip().encode()) for key, _, value in pairs]
    recorder.record(name, method, path, query, Headers(raw=raw), b"")
