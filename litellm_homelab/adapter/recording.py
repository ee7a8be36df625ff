"""The meter of this process: what our hooks count with, a silent one where router.yaml lists no `metrics`."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from litellm_homelab.adapter import context
from litellm_homelab.metrics.labels import RULES, Labels
from litellm_homelab.metrics.series import Metrics

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

log = logging.getLogger("LiteLLM Proxy.homelab")
P = ParamSpec("P")
T = TypeVar("T")

_SILENT = Metrics()
_added: set[str] = set()
"""Labels of rules that `metrics.labels.RULES` does not list: those of other packages' hooks."""
_meter = _SILENT
_shown: CollectorRegistry | None = None


def meter() -> Metrics:
    """What to count with, asked for at call time."""
    return _meter


def show(labels: Labels) -> None:
    """
    Count from now on, in series of their own within the registry that LiteLLM's `/metrics/` shows.

    Without prometheus_client, which `litellm[proxy]` does not bring, nothing is counted and the log says so.
    """
    global _meter, _shown
    forget()
    try:
        from prometheus_client import REGISTRY, CollectorRegistry
    except ModuleNotFoundError:
        log.warning("homelab: no metrics: prometheus-client is not installed. Every rule holds without it.")
        return
    _shown = CollectorRegistry()
    _meter = Metrics(labels, _shown)
    for rule in sorted(_added):
        _meter.add_rule(rule)
    REGISTRY.register(_shown)


def add_rule(rule: str) -> None:
    """Count the failures of `rule` under its name, from 0 on, now and after each `show`."""
    if rule not in RULES:
        _added.add(rule)
        _meter.add_rule(rule)


def forget() -> None:
    """Count no more, and show nothing."""
    global _meter, _shown
    if _shown is not None:
        from prometheus_client import REGISTRY

        REGISTRY.unregister(_shown)
    _meter, _shown = _SILENT, None


class timing:  # noqa: N801 - used like `contextlib.suppress`
    """Count the time of the block as one of our hooks'."""

    __slots__ = ("_began", "_hook")

    def __init__(self, hook: str) -> None:
        self._hook = hook

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        took(self._hook, self._began)


def took(hook: str, began: float) -> None:
    """
    Note the time of a hook since `began` (`perf_counter`).

    It is added to the request's, to be counted when that has ended: to count takes as long as some hooks do.
    """
    seconds, record = time.perf_counter() - began, context.current()
    if record is not None and record.stats.ended_at is None:
        record.stats.add(hook, seconds)
    else:
        _meter.hook(hook, seconds)


def timed(hook: str) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
    """Count the time that a hook takes, refusing included; what it waits for the store is part of it."""

    def decorate(call: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        @functools.wraps(call)
        async def measured(*args: P.args, **kwargs: P.kwargs) -> T:
            began = time.perf_counter()
            try:  # ten a request: `timing` would take as long as some hooks do
                return await call(*args, **kwargs)
            finally:
                took(hook, began)

        return measured

    return decorate
