"""Stand-ins for the upstreams of a router.yaml: one for each model group, all behind one port."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import quote, unquote

import httpx
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from litellm_homelab.demo import searxng
from litellm_homelab.demo.backend import Backend
from litellm_homelab.demo.faults import Fault, FaultSwitch
from litellm_homelab.demo.guard import Guard
from litellm_homelab.demo.recorder import RecordedRequest, Recorder
from litellm_homelab.testing import media

SEARCH = "search-tools"
"""The name below which search tools are answered (LiteLLM appends `/search` unless it is there)."""
NEED_A_PORT = ("black-hole", "asleep", "swapped")
"""Faults that only the backends of `litellm-homelab demo` have."""
OLLAMA = "/v1/api"
"""Where Ollama's own routes are: each request comes below the version, whatever its deployment's API is."""


class AnyModel(Backend):
    """A lenient backend that answers for any model name: text, embeddings, speech, pictures, moderation."""

    def __init__(self, group: str) -> None:
        super().__init__("vllm", (group,), pace=0)

    def app(self) -> Starlette:
        """The ASGI app."""
        app = super().app()
        app.router.routes.extend([*media.routes(), *self._ollama_routes(OLLAMA)])
        return app

    def streams(self, chunks_per_second: float) -> None:
        """Stream no faster than this; 0 is without a pause."""
        self._pace = chunks_per_second

    def _check_model(self, model: object) -> None:
        """Accept it: what arrives is for the test to look at."""


class Scripted:
    """An app that answers with given bytes while it has some, and as the app within otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.answer: tuple[int, Mapping[str, str], Sequence[bytes]] | None = None
        self.hold: asyncio.Event | None = None
        """What the next request waits for before it is answered; later ones do not."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        hold, self.hold = self.hold, None
        if hold is not None:
            await hold.wait()
        if self.answer is None:
            await self._app(scope, receive, send)
            return
        status, headers, chunks = self.answer
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


@dataclass(slots=True)
class Upstream:
    """The stand-in for the deployments of one group."""

    group: str
    switch: FaultSwitch
    recorder: Recorder
    backend: AnyModel | None = None
    """What answers; None for a search tool."""
    scripted: Scripted | None = None
    probes: list[str] = field(default_factory=list)
    """The paths that the backend was asked for to find out whether it is there, oldest first."""
    is_gone: bool = False
    """Whether its server is there, and does not have its model any more."""

    def streams(self, chunks_per_second: float) -> None:
        """Stream slowly, so that a client can leave in between."""
        if self.backend is None:
            raise TypeError(f"{self.group}: a search tool streams nothing")
        self.backend.streams(chunks_per_second)

    def fails(self, fault: int | str, *, times: int | None = None, seconds: float | None = None) -> None:
        """
        Fail as `litellm_homelab.demo.faults.Fault` describes, `times` times or until `works`.

        Raises:
            ValueError: it is no fault, or one that needs a port of its own.

        """
        if str(fault) in NEED_A_PORT:
            raise ValueError(
                f"{fault}: needs a port of its own; use `down`, or `is_gone` for a missing model"
            )
        self.switch.current = Fault(str(fault), seconds, times)

    def says(
        self,
        *chunks: bytes,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
    ) -> None:
        """Answer with exactly these bytes and headers until `works`; a `stream` is of server-sent events."""
        if self.scripted is None:
            raise TypeError(f"{self.group}: nothing to answer in the place of")
        kind = "text/event-stream" if stream else "application/json"
        self.scripted.answer = status, {"content-type": kind, **(headers or {})}, chunks

    def holds(self) -> asyncio.Event:
        """Keep the next request waiting, for as long as it takes, until the event is set."""
        if self.scripted is None:
            raise TypeError(f"{self.group}: nothing to hold a request in")
        self.scripted.hold = asyncio.Event()
        return self.scripted.hold

    def works(self) -> None:
        """Answer again."""
        self.switch.current, self.is_gone = None, False
        if self.scripted is not None:
            self.scripted.answer = None

    def refuse(self, request: httpx.Request, path: str) -> NoReturn:
        """
        Refuse the connection of an attempt, which counts among the `requests`.

        Raises:
            httpx.ConnectError: always.

        """
        headers = Headers(raw=request.headers.raw)
        query = request.url.query.decode("latin-1")
        self.recorder.record(self.group, request.method, path, query, headers, request.content)
        raise httpx.ConnectError("Connection refused", request=request)

    @property
    def is_down(self) -> bool:
        """Whether connections are refused (`fails("down")`)."""
        return self.switch.current is not None and self.switch.current.kind == "down"

    @property
    def requests(self) -> list[RecordedRequest]:
        """What it received, oldest first."""
        return self.recorder.requests(self.group)


class Upstreams:
    """The ASGI app that is all of them: `/<group>/v1/...` goes to the stand-in of that group."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self._apps: dict[str, ASGIApp] = {}
        self._upstreams: dict[str, Upstream] = {}

    def of(self, group: str) -> Upstream:
        """The stand-in of a group, made on first use."""
        if group not in self._upstreams:
            backend = None if group == SEARCH else AnyModel(group)
            app = Scripted(backend.app() if backend else searxng.app())
            upstream = Upstream(group, FaultSwitch(), self.recorder, backend, app)
            self._apps[group] = Guard(app, group, self.recorder, upstream.switch)
            self._upstreams[group] = upstream
        return self._upstreams[group]

    @staticmethod
    def path(group: str) -> str:
        """Where a group's stand-in is, below the port's root."""
        return "/" + quote(group, safe="")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        raw = bytes(scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        _, group, *rest = raw.split("/", 2)
        inner: dict[str, Any] = {**scope, "path": "/" + "/".join(rest), "raw_path": None}
        name = unquote(group)
        self.of(name)
        await self._apps[name](inner, receive, send)
