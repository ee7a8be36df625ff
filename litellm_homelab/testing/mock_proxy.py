"""Stock LiteLLM's proxy in this process, on a real router.yaml, with its upstreams replaced."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from unittest import mock

import httpx
import litellm

from litellm_homelab.adapter import startup
from litellm_homelab.adapter.backends import probing, waker
from litellm_homelab.adapter.litellm_api import transport
from litellm_homelab.demo.listener import HOST, Listener
from litellm_homelab.testing.answer import Answer
from litellm_homelab.testing.isolation import restored
from litellm_homelab.testing.stand_ins import StandIns
from litellm_homelab.testing.upstream import Upstream, Upstreams

MASTER_KEY = "sk-mock-proxy"
AS_THE_COMMAND_LINE: dict[str, Any] = {
    "request_timeout": None,
    "drop_params": False,
    "add_function_to_prompt": False,
}
"""
What `litellm --config` starts with (1.106.2). The function's own defaults switch `drop_params` on after
router.yaml has switched it off: fields that a provider does not take would vanish instead of being a 400.
"""
_running: list[Path] = []


async def _no_answer(asked: probing.Asked) -> tuple[int, bytes]:
    """A probe before there are stand-ins: it learns nothing."""
    raise httpx.ReadTimeout(asked.url)


class MockProxy:
    """
    A gateway for tests: LiteLLM's own app, router and hook order, driven without a socket.

    Only two things are not the real ones: upstreams are stand-ins on a loopback port (`upstream`), to which
    requests go once every rule has seen their true address, and LiteLLM's start-up jobs do not run. One at
    a time in a process, since LiteLLM's state is global; it is put back at the end. `environ` is set for the
    block; names that router.yaml refers to and that are set nowhere get a placeholder, so that a test needs
    no environment file.
    """

    def __init__(self, config: str | Path, environ: Mapping[str, str] | None = None) -> None:
        self.config = Path(config)
        self._environ = {"LITELLM_MASTER_KEY": MASTER_KEY, **(environ or {})}
        self._upstreams = Upstreams()
        self._stack = contextlib.AsyncExitStack()
        self._client: httpx.AsyncClient | None = None
        self.wakes: list[str] = []
        """The backends that were woken, in order; nothing is sent."""

    async def __aenter__(self) -> Self:
        if _running:
            raise RuntimeError(f"MockProxy: one at a time; {_running[0]} is still running in this process")
        async with contextlib.AsyncExitStack() as stack:
            _running.append(self.config)
            stack.callback(_running.clear)
            await self._start(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _start(self, stack: contextlib.AsyncExitStack) -> None:
        from litellm.proxy import proxy_server

        environ = {**_placeholders(self.config), **self._environ}
        stack.enter_context(mock.patch.dict(os.environ, environ))
        stack.enter_context(restored(litellm, proxy_server))
        stack.enter_context(_app_and_router_restored(proxy_server))
        startup.forget()
        probing.fetch_with(_no_answer)  # until the stand-ins are there
        stack.callback(probing.fetch_with, None)
        stack.callback(startup.forget)
        with contextlib.redirect_stdout(io.StringIO()):  # LiteLLM's banner
            await proxy_server.initialize(config=str(self.config), **AS_THE_COMMAND_LINE)
        base = await stack.enter_async_context(_listening(self._upstreams))
        stand_ins = StandIns(base, proxy_server.llm_router, self._upstreams)
        litellm.callbacks.append(stand_ins)
        transport.divert(stand_ins.divert)
        probing.fetch_with(stand_ins.probed)
        waker.send_with(self._woken)
        stack.callback(waker.send_with, None)
        stack.callback(transport.divert, None)
        key = proxy_server.master_key
        self._client = await stack.enter_async_context(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app=proxy_server.app, raise_app_exceptions=False),
                base_url="http://gateway",
                headers={"Authorization": f"Bearer {key}"},
            )
        )

    async def _woken(self, backend: str, _: object) -> None:
        self.wakes.append(backend)

    def upstream(self, group: str) -> Upstream:
        """The stand-in for a group's deployments: switch its faults, see what it received."""
        return self._upstreams.of(group)

    async def request(self, method: str, path: str, **kwargs: Any) -> Answer:  # noqa: ANN401 - httpx's
        """Any request, with the master key unless `headers` say otherwise; arguments as in httpx."""
        if self._client is None:
            raise RuntimeError("MockProxy: use it as `async with MockProxy(...) as proxy`")
        before = self._upstreams.recorder.requests()
        last = before[-1].number if before else 0
        response = await self._client.request(method, path, **kwargs)
        calls = [call for call in self._upstreams.recorder.requests() if call.number > last]
        return Answer(response, tuple(calls))

    async def post(self, path: str, body: object, **kwargs: Any) -> Answer:  # noqa: ANN401 - httpx's
        """POST a JSON body."""
        return await self.request("POST", path, json=body, **kwargs)

    async def get(self, path: str, **kwargs: Any) -> Answer:  # noqa: ANN401 - httpx's
        """GET a path."""
        return await self.request("GET", path, **kwargs)

    async def chat(self, model: str, text: str = "hello", **fields: object) -> Answer:
        """One chat completion with one user message; `fields` are added to the body."""
        messages = [{"role": "user", "content": text}]
        return await self.post("/v1/chat/completions", {"model": model, "messages": messages, **fields})


@contextlib.asynccontextmanager
async def _listening(app: Upstreams) -> AsyncIterator[str]:
    listener = Listener(app, 0)
    await listener.up()
    try:
        yield f"http://{HOST}:{listener.port}"
    finally:
        await listener.close()


@contextlib.contextmanager
def _app_and_router_restored(proxy_server: Any) -> Any:  # noqa: ANN401 - LiteLLM's module
    app, router, stack = proxy_server.app, proxy_server.llm_router, proxy_server.app.middleware_stack
    inner = app.router.middleware_stack
    try:
        yield
    finally:
        app.middleware_stack, proxy_server.llm_router = stack, router
        app.router.middleware_stack = inner


def _placeholders(config: Path) -> dict[str, str]:
    """A value for every `os.environ/NAME` of router.yaml that is not set."""
    text = re.sub(r"#.*", "", config.read_text(encoding="utf-8"))
    reference = r"[\"']?os\.environ/([A-Za-z0-9_]+)"
    addresses = {*re.findall(rf"\b(?:api_base|base_url)[\"']?\s*:\s*{reference}", text)}
    stores = dict.fromkeys(re.findall(rf"\bstate[\"']?\s*:\s*{reference}", text), "memory://")
    names = dict.fromkeys(re.findall(reference, text))
    values = {name: _placeholder(name, name in addresses) for name in names} | stores
    return {name: value for name, value in values.items() if name not in os.environ}


def _placeholder(name: str, is_address: bool) -> str:
    if is_address or name.endswith("_API_BASE"):
        # Each its own: two upstreams at one address are one server to the check for loops. No host of
        # `.invalid` exists (RFC 2606).
        return f"http://{name.removesuffix('_API_BASE').lower().replace('_', '-')}.invalid/v1"
    return (
        f"openai/{name.removesuffix('_MODEL').lower()}" if name.endswith("_MODEL") else f"mock-{name.lower()}"
    )
