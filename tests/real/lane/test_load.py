"""Many roots at once, over several workers that share a store: every child is its own root's."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from litellm_homelab.testing.upstream import Upstreams
from tests.real.clients import sse
from tests.real.lane.rig import MASTER_KEY, Rig, bearer, read, rig
from tests.real.lane.usage_backend import Till, marker
from tests.real.upstreams import listening
from tests.state.backends import free_port, redis_server

pytestmark = pytest.mark.real

ROUTER = Path(__file__).parent / "router.yaml"
APPROACHES = ("none", "re2", "moa", "bon", "plansearch", "self_consistency")
"""What the shipped `boost` allows."""
CHILDREN = {"none": 1, "re2": 1, "moa": 3, "bon": 4, "plansearch": 4, "self_consistency": 5}
"""Calls of each with an obliging model (measured on OptiLLM 0.4.0)."""
SERIES = "litellm_total_tokens_metric_total"
SETTLED_SECONDS = 30.0
"""LiteLLM counts in the background, after the answer."""
TIMEOUT = 240.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the load and its answer; a plain one has no approach."""

    name: str
    approach: str | None
    stream: bool
    answer: httpx.Response

    @property
    def usage(self) -> dict[str, Any]:
        """The usage in the client's answer."""
        body = sse(self.answer.text)[-1] if self.stream else self.answer.json()
        usage: dict[str, Any] = body["usage"]
        return usage


@dataclass(frozen=True, slots=True)
class Load:
    """A gateway that has answered many requests at once, and what its backend saw of them."""

    rig: Rig
    till: Till
    asked: list[Asked]

    @property
    def roots(self) -> list[Asked]:
        """The requests that went through OptiLLM."""
        return [one for one in self.asked if one.approach is not None]


@contextmanager
def loaded(state: str, workers: int, roots: int, callbacks: tuple[str, ...]) -> Iterator[Load]:
    """Run a gateway of several workers; send it `roots` roots at once, and plain requests among them."""
    document = read(ROUTER)
    document["homelab"]["state"] = state
    document["litellm_settings"]["callbacks"] = [*callbacks]
    # LiteLLM may take a connection that the backend is just closing; the child then reached nobody.
    document["router_settings"]["num_retries"] = 2
    till = Till(Upstreams())
    with listening(till) as url:
        environ = {f"{name}_API_BASE": f"{url}/{name.lower()}/v1" for name in ("MAIN", "BASE")}
        with rig(document, workers=workers, environ=environ) as running:
            yield Load(running, till, asyncio.run(_ask_all(running.url, roots)))


async def _ask_all(url: str, roots: int) -> list[Asked]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=url, headers=bearer(MASTER_KEY), timeout=TIMEOUT, limits=limits
    ) as client:
        return await asyncio.gather(*(_ask(client, number, roots) for number in range(roots + roots // 4)))


async def _ask(client: httpx.AsyncClient, number: int, roots: int) -> Asked:
    approach = APPROACHES[number % len(APPROACHES)] if number < roots else None
    stream, name = number % 4 == 1, marker(number)
    body: dict[str, Any] = {"model": "boost", "optillm_approach": approach} if approach else {"model": "main"}
    body["messages"] = [{"role": "user", "content": f"{name} asks: what is the weather like?"}]
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return Asked(name, approach, stream, await client.post("/v1/chat/completions", json=body))


@pytest.fixture(scope="module", params=["sqlite", "redis"])
def load(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Load]:
    """Four workers on SQLite with 200 roots at once; two workers on Redis with 60."""
    if request.param == "sqlite":
        with loaded("sqlite:///roots.db", 4, 200, ("prometheus", "litellm_homelab.plugin")) as made:
            yield made
        return
    with (
        redis_server(tmp_path_factory.mktemp("redis"), free_port()) as state,
        loaded(state, 2, 60, ("litellm_homelab.plugin", "prometheus")) as made,
    ):
        yield made


def test_every_request_is_answered(load: Load) -> None:
    """Nothing is refused, lost or timed out under load."""
    assert [one.answer.text for one in load.asked if one.answer.status_code != 200] == []


def test_every_child_is_tied_to_its_root(load: Load) -> None:
    """The calls and tokens in the client's answer are what the backend saw for its prompt, root by root."""
    counted = {
        one.name: (int(one.answer.headers["x-homelab-calls"]), int(one.answer.headers["x-homelab-tokens"]))
        for one in load.roots
    }
    assert load.till.mixed == []
    assert counted == {
        one.name: (load.till.calls[one.name], load.till.tokens[one.name]) for one in load.roots
    }
    assert len({one.answer.headers["x-homelab-root"] for one in load.roots}) == len(load.roots)


def test_every_approach_runs_as_asked(load: Load) -> None:
    """The headers name the approach, and the backend saw as many calls as it makes."""
    seen = [(one.approach, one.answer.headers["x-homelab-approach"]) for one in load.roots]
    assert [counted for _, counted in seen] == [asked for asked, _ in seen]
    assert {(one.approach, load.till.calls[one.name]) for one in load.roots} == set(CHILDREN.items())


def test_the_answer_has_the_usage_of_all_children(load: Load) -> None:
    """Streamed and not: OptiLLM itself reports no prompt tokens."""
    assert {one.name: one.usage["total_tokens"] for one in load.asked} == dict(load.till.tokens)


def test_litellm_counts_every_token_once(load: Load) -> None:
    """The sum of its series, over all workers, is what the backend said: roots add nothing to children."""
    expected, deadline = float(load.till.tokens.total()), time.monotonic() + SETTLED_SECONDS
    while _counted(load.rig) < expected and time.monotonic() < deadline:
        time.sleep(0.5)
    time.sleep(1.0)  # what would come on top of it comes now

    assert _counted(load.rig) == expected


def _counted(running: Rig) -> float:
    text = running.client.get("/metrics/").text
    return sum(float(value) for value in re.findall(rf"^{SERIES}\{{.*\}} (\S+)$", text, re.MULTILINE))
