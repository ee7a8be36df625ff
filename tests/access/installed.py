"""
Every route of the installed LiteLLM, features that it loads on first use included.

Run as `python -m tests.access.installed` it prints them, so that loading everything leaves no trace in the
process of the tests.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

KEY_CHECKS = ("user_api_key_auth", "user_api_key_auth_websocket")
"""LiteLLM's dependencies that ask for a key, and so call `custom_auth`."""


@dataclass(frozen=True, slots=True, order=True)
class Installed:
    """One method of one path; `*` is any method (a mounted app), `WS` a websocket."""

    method: str
    path: str
    asks_key: bool
    """Whether LiteLLM itself asks for a key there (a dependency of the route says so)."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


METRICS = Installed("*", "/metrics", asks_key=False)
"""Mounted when the `prometheus` callback is loaded, behind a middleware that asks for a key."""


def installed() -> list[Installed]:
    """Ask another process, which loads every feature."""
    environ = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.access.installed"],
        env=environ,
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return [Installed(**one) for one in json.loads(done.stdout.splitlines()[-1])]


def _loaded() -> Any:
    from litellm.proxy import _lazy_features as lazy
    from litellm.proxy.proxy_server import app

    async def load() -> None:
        for feature in lazy.LAZY_FEATURES:
            await lazy._force_load(app, feature)

    asyncio.run(load())
    return app


def _routes(app: Any) -> Iterator[Installed]:
    from litellm_homelab.adapter.middleware.routing import contexts, methods_of

    for context in contexts(app.router.routes):
        asks_key = any(name in KEY_CHECKS for name in _dependencies(getattr(context, "dependant", None)))
        for method in methods_of(context):
            yield Installed(method, context.path or "", asks_key)
    yield METRICS


def _dependencies(dependant: Any) -> Iterator[str]:
    for one in dependant.dependencies if dependant is not None else ():
        yield getattr(one.call, "__name__", "")
        yield from _dependencies(one)


if __name__ == "__main__":
    found = sorted(set(_routes(_loaded())))
    print()
    print(json.dumps([asdict(one) for one in found]))
