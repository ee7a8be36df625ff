"""A real LiteLLM on the router of the gate's tests, with recording stand-ins behind it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from litellm_homelab.access.table import Route
from litellm_homelab.testing import Answer
from litellm_homelab.testing.upstream import SEARCH, Upstreams
from tests.access.asking import MASTER, ROUTER, bearer, body_of, filled
from tests.real.gateway import free_port, litellm
from tests.real.upstreams import listening

PATHS = {name.upper(): f"{name}/v1" for name in ("main", "embed", "base", "back", "bria")} | {
    "SEARCH": SEARCH
}
AT_ONCE = 8
"""Requests under way at the same time in `sweep`."""


@dataclass(frozen=True, slots=True)
class Gated:
    """A running gateway: a client of it, what its upstreams were sent, its log."""

    client: httpx.Client
    upstreams: Upstreams
    log: Path

    def ask(self, method: str, path: str, who: str, **kwargs: object) -> Answer:
        """One request with a kind of key, and the calls that it led to."""
        before = self.upstreams.recorder.requests()
        last = before[-1].number if before else 0
        response = self._send(method, path, who, **kwargs)
        calls = [call for call in self.upstreams.recorder.requests() if call.number > last]
        return Answer(response, tuple(calls))

    def sweep(self, routes: Iterable[Route], who: str, model: str) -> list[tuple[Route, Answer]]:
        """
        Ask every route for a model, many at a time.

        Calls that any of them led to are put to each one's account: there should be none.
        """
        asked = list(routes)
        before = self.upstreams.recorder.requests()
        last = before[-1].number if before else 0
        with ThreadPoolExecutor(AT_ONCE) as pool:
            responses = list(pool.map(lambda route: self._ask_route(route, who, model), asked))
        calls = tuple(call for call in self.upstreams.recorder.requests() if call.number > last)
        return [(route, Answer(response, calls)) for route, response in zip(asked, responses, strict=True)]

    def _ask_route(self, route: Route, who: str, model: str) -> httpx.Response:
        return self._send(route.method, filled(route.path, model), who, json=body_of(route, model))

    def _send(self, method: str, path: str, who: str, **kwargs: object) -> httpx.Response:
        headers = {name: value for name, value in bearer(who).items() if value}
        return self.client.request(method, path, headers=headers, **kwargs)  # type: ignore[arg-type]


@contextlib.contextmanager
def gated(config: Path = ROUTER, environ: Mapping[str, str] | None = None) -> Iterator[Gated]:
    """Run it for the length of the block, at its most talkative unless `environ` says otherwise."""
    upstreams, port = Upstreams(), free_port()
    with listening(upstreams) as base:
        bases = {f"{name}_API_BASE": f"{base}/{path}" for name, path in PATHS.items()}
        defaults = {"LITELLM_MASTER_KEY": MASTER, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        variables = {**bases, **defaults, "LITELLM_LOG": "DEBUG", **(environ or {})}
        with (
            litellm(config, port, variables) as log,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
        ):
            yield Gated(client, upstreams, log)
