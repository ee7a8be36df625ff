"""
Runs a coroutine up to where it first waits.

What is answered without waiting needs no timer, and setting one up is most of what waiting costs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from functools import partial
from types import coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Begun(Generic[T]):
    """An awaitable that has run in this task up to where it first waits, or to its end."""

    __slots__ = ("_steps", "_waits_for", "is_done", "result")

    def __init__(self, awaited: Awaitable[T]) -> None:
        """Run it; what it raises is raised here."""
        self._steps = awaited.__await__()
        self.is_done = False
        self.result: T
        try:
            self._waits_for = next(self._steps)
        except StopIteration as ended:
            self.is_done, self.result = True, ended.value

    async def rest(self) -> T:
        """Go on where it waits, in the task that it began in; await this once, where it is not done."""
        return await rest_of(self._steps, self._waits_for)


@coroutine
def rest_of(steps: Generator[Any, Any, T], waits_for: Any) -> Generator[Any, Any, T]:  # noqa: ANN401 - asyncio's
    """Go on with an awaitable that has run up to where it first waits, in the task that it began in."""
    while True:
        try:
            sent = yield waits_for
        except BaseException as error:  # noqa: BLE001 - it decides on a cancellation itself
            resume = partial(steps.throw, error)
        else:
            resume = partial(steps.send, sent)
        try:
            waits_for = resume()
        except StopIteration as ended:
            found: T = ended.value
            return found
