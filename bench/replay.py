"""
A request's hooks again, one straight after the other, without LiteLLM's own work between them.

What a real request gave each hook is kept once; then `Edge`, `Door` and the hooks get the same again, with a
record of their own each time. So what is left is their own work, in a processor that does nothing else.
"""

from __future__ import annotations

import copy
import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel


@dataclass(slots=True)
class Kept:
    """What a request gave our hooks, in the order in which LiteLLM called them."""

    calls: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = field(default_factory=list)
    scope: dict[str, Any] = field(default_factory=dict)
    answer: list[dict[str, Any]] = field(default_factory=list)
    """LiteLLM's messages to the client, its headers as `Edge` finds them."""

    def call(self, hook: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Keep a call as it is before the hook changes what it was given."""
        self.calls.append((hook, tuple(map(fresh, args)), {name: fresh(one) for name, one in kwargs.items()}))


_kept: ContextVar[Kept | None] = ContextVar("bench_kept", default=None)


@contextmanager
def keeping() -> Iterator[Kept]:
    """Keep what the hooks of the block's request are given."""
    kept = Kept()
    token = _kept.set(kept)
    try:
        yield kept
    finally:
        _kept.reset(token)


def current() -> Kept | None:
    """Where to keep a call, if anywhere."""
    return _kept.get()


def fresh(value: Any) -> Any:  # noqa: ANN401 - any hook's argument
    """A copy as deep as our hooks change what they are given: a dict's own fields, an answer's all."""
    if isinstance(value, dict):
        return dict(value)
    is_answer = isinstance(value, BaseModel) and hasattr(value, "choices")
    return copy.deepcopy(value) if is_answer else value


@dataclass(frozen=True, slots=True)
class Replay:
    """Serves the kept request again, around hooks that are called directly."""

    edge: Any
    door: Any
    kept: Kept
    body: bytes

    async def run(self) -> float:
        """Seconds of one more time, copying left out; with what comes after the answer."""
        calls = [
            (hook, [*map(fresh, args)], {name: fresh(one) for name, one in kwargs.items()})
            for hook, args, kwargs in self.kept.calls
        ]

        messages = [dict(message) for message in self.kept.answer]

        async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401, ARG001 - ASGI
            await receive()
            for hook, args, kwargs in calls:
                answer = hook(*args, **kwargs)
                if inspect.isawaitable(answer):
                    await answer
            for message in messages:
                await send(message)

        door, edge = copy.copy(self.door), copy.copy(self.edge)
        door.app, edge.app = app, door
        scope = dict(self.kept.scope)
        began = time.perf_counter()
        await edge(scope, self._receive, _nowhere)
        return time.perf_counter() - began

    async def _receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self.body, "more_body": False}


async def _nowhere(_: Any) -> None:  # noqa: ANN401 - an ASGI message
    pass
