"""Stopwatches around our own hooks in a LiteLLM of this process, which calls them as it always does."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from bench import replay

Walk = dict[str, float]
"""Seconds of one request by step; a hook that runs twice has both."""

GATE: Final = "gate: whose key, which route"
EDGE: Final = "edge: around LiteLLM's app"
DOOR: Final = "door: around LiteLLM's router"
COUNT: Final = "metrics: counted when the request has ended"
WHOLE: Final = "whole request"
DIRECTLY: Final = "called directly"
METHODS: Final = {
    "async_pre_call_hook": "pre-call",
    "async_pre_call_deployment_hook": "attempt",
    "log_pre_api_call": "wire",
    "async_post_call_success_deployment_hook": "attempt answered",
    "async_post_call_success_hook": "answer",
    "async_post_call_response_headers_hook": "headers",
    "async_logging_hook": "log",
}
"""LiteLLM's hooks of a request that is answered and not streamed, in their order."""
AFTERWARDS: Final = (METHODS["async_logging_hook"], COUNT)
"""Steps that the client does not wait for."""

_walk: ContextVar[Walk | None] = ContextVar("bench_walk", default=None)


def awaited(step: str) -> bool:
    """Whether the client's answer waits for a step."""
    return not step.startswith(AFTERWARDS)


@contextmanager
def walk() -> Iterator[Walk]:
    """Time one request; LiteLLM's tasks for it inherit the stopwatches."""
    steps: Walk = {}
    token = _walk.set(steps)
    began = time.perf_counter()
    try:
        yield steps
    finally:
        steps[WHOLE] = time.perf_counter() - began
        _walk.reset(token)


def _note(step: str, seconds: float) -> None:
    steps = _walk.get()
    if steps is not None:
        steps[step] = steps.get(step, 0.0) + seconds


def _keep(step: str, hook: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    kept = replay.current()
    if kept is not None and awaited(step):
        kept.call(hook, args, kwargs)


def tap(step: str, hook: Callable[..., Any]) -> Callable[..., Any]:
    """The same function with a stopwatch; async if it is."""

    @functools.wraps(hook)
    async def waited_for(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any hook's
        _keep(step, hook, args, kwargs)
        began = time.perf_counter()
        try:
            return await hook(*args, **kwargs)
        finally:
            _note(step, time.perf_counter() - began)

    @functools.wraps(hook)
    def called(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any hook's
        _keep(step, hook, args, kwargs)
        began = time.perf_counter()
        try:
            return hook(*args, **kwargs)
        finally:
            _note(step, time.perf_counter() - began)

    return waited_for if inspect.iscoroutinefunction(hook) else called


def tap_hooks() -> tuple[Any, Any]:
    """
    Put a stopwatch around every hook of ours; on the classes, where LiteLLM looks whether there is one.

    Gives the `Edge` and the `Door` that are at work.
    """
    from litellm.proxy import proxy_server

    from litellm_homelab.adapter import startup
    from litellm_homelab.adapter.policies.request_stats import Count

    kind = type(startup.entry_point("plugin"))
    for method, step in METHODS.items():
        setattr(kind, method, tap(step, vars(kind)[method]))
    setattr(Count, "__call__", tap(COUNT, Count.__call__))  # noqa: B010 - mypy: a method is assigned to
    proxy_server.user_custom_auth = tap(GATE, proxy_server.user_custom_auth)
    app, router = proxy_server.app, proxy_server.app.router
    edge, door = app.middleware_stack, router.middleware_stack
    app.middleware_stack, router.middleware_stack = around(edge, EDGE), around(door, DOOR)
    return edge, door


# --- what stands around an app: its own time is what is left without the app inside it --------------------

App = Callable[..., Awaitable[None]]
Spent = list[float]


def around(middleware: Any, step: str) -> App:  # noqa: ANN401 - an ASGI middleware with its `app`
    """`middleware` with a stopwatch that stands still inside of `middleware.app` and outside of it."""
    spent: ContextVar[Spent] = ContextVar(f"bench_{step}")
    inner = middleware.app

    async def inside(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        # What the app inside sends and receives goes through the middleware: that is its time again.
        back: Spent = [0.0]
        kept = replay.current()
        send = _keeping(send, kept.answer) if kept is not None and step == EDGE else send
        began = time.perf_counter()
        try:
            await inner(scope, _counting(receive, back), _counting(send, back))
        finally:
            spent.get()[0] += time.perf_counter() - began - back[0]

    async def outside(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        away: Spent = [0.0]
        token = spent.set(away)
        kept = replay.current()
        if kept is not None and step == EDGE:
            kept.scope = dict(scope)
        before = _counted_after()
        began = time.perf_counter()
        try:
            await middleware(scope, _counting(receive, away), _counting(send, away))
        finally:
            _note(step, time.perf_counter() - began - away[0] - (_counted_after() - before))
            spent.reset(token)

    middleware.app = inside
    return outside


def _keeping(send: Callable[..., Awaitable[Any]], messages: list[dict[str, Any]]) -> App:
    async def keeping(message: dict[str, Any]) -> None:
        messages.append(dict(message))
        await send(message)

    return keeping


def _counted_after() -> float:
    """`Count` runs within `Edge`, and is a step of its own."""
    return (_walk.get() or {}).get(COUNT, 0.0)


def _counting(call: Callable[..., Awaitable[Any]], spent: Spent) -> Callable[..., Awaitable[Any]]:
    """Adds the time of a `send`, or of a `receive` that gave a body, to `spent`."""

    async def counted(*args: Any) -> Any:  # noqa: ANN401 - an ASGI message
        began = time.perf_counter()
        message = await call(*args)
        # A `receive` that waits for the client to leave runs beside the request and is nobody's time.
        if args or message["type"] == "http.request":
            spent[0] += time.perf_counter() - began
        return message

    return counted
