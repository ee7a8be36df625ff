"""The mark that ties OptiLLM's calls back to their root stays on the wire between the two."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from litellm_homelab.optillm.lineage import MARKER
from tests.real.asking import ask
from tests.real.lane.callback_log import SPY_LOG
from tests.real.lane.conftest import ROUTER
from tests.real.lane.rig import Rig, read, rig

pytestmark = pytest.mark.real

ROUTES = ("chat", "completions", "responses", "messages", "generate")
TOKEN_CHARS = 56


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A lane that logs all it can, and has an integration to tell."""
    document = read(ROUTER)
    document["litellm_settings"]["callbacks"].append("tests.real.lane.callback_log.spy")
    environ = {"LITELLM_LOG": "DEBUG", SPY_LOG: str(tmp_path_factory.mktemp("spy") / "log")}
    with rig(document, environ=environ) as running:
        yield running


def mixed_run(lane: Rig) -> Iterator[httpx.Response]:
    """Requests of every kind, on every route, streamed and not."""
    for route in ROUTES:
        for stream in (False, True):
            yield ask(lane, route, "main", stream=stream)
            for approach in ("none", "moa", "executecode"):
                yield ask(lane, route, "boost", stream=stream, optillm_approach=approach)
    yield lane.chat("wide", optillm_approach="compact")  # asks for /v1/models/<model, mark and all>
    yield lane.chat("wide", optillm_approach="longcepo")  # fails in OptiLLM


def failing_run(lane: Rig) -> Iterator[httpx.Response]:
    """Requests while the model behind OptiLLM fails, with errors that name what was asked for."""
    for fault, approach in ((400, "none"), (400, "moa"), (404, "none"), (404, "moa"), (500, "none")):
        for stream in (False, True):
            lane.upstreams.of("base").fails(fault)
            yield lane.chat("boost", optillm_approach=approach, stream=stream)
    lane.upstreams.of("base").works()


def reported(lane: Rig, roots: int) -> str:
    """What the integration got, complete with so many roots: it gets it after the answer."""
    log, deadline = Path(lane.environ[SPY_LOG]), time.monotonic() + 30
    while sum("'id-boost'" in line for line in log.read_text(encoding="utf-8").splitlines()) < roots:
        assert time.monotonic() < deadline, "the integration has not seen every root"
        time.sleep(0.1)
    return log.read_text(encoding="utf-8")


def shown(text: str, tokens: set[str]) -> set[str]:
    """The marks, or the tokens in them, that a text shows, escaped or not."""
    plain = unquote(text)
    found = {token for token in tokens if token in plain}
    return found | ({MARKER} if MARKER in plain else set())


def test_nothing_of_a_mark_is_seen(lane: Rig) -> None:
    """No backend, answer, metric or integration gets one, nor does the most talkative log show one."""
    answers = [*mixed_run(lane), *failing_run(lane)]
    served = [one for one in answers if one.status_code == httpx.codes.OK and "boost" in one.text]
    tokens = {call.model.partition(MARKER)[2] for call in lane.returns}
    assert len(tokens) > len(answers) / 2
    assert {len(token) for token in tokens} == {TOKEN_CHARS}

    metrics = lane.client.get("/metrics/").text
    assert 'model="base"' in metrics
    places = {
        "backends": "\n".join(
            f"{one.path} {one.query} {one.headers.raw} {json.dumps(one.json)}" for one in lane.backend_calls()
        ),
        "answers": "\n".join(f"{answer.headers.multi_items()} {answer.text}" for answer in answers),
        "metrics": metrics,
        "integration": reported(lane, len(served)),
        "log": lane.log.read_text(errors="replace"),
    }
    assert {name: shown(text, tokens) for name, text in places.items()} == {name: set() for name in places}
