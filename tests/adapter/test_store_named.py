"""A store that fails is named: in the log with its cause, once a minute, and in the metric."""

from __future__ import annotations

import logging
import shutil
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from litellm_homelab.adapter import fail_closed, log_limits
from litellm_homelab.adapter.log_limits import MOST, QUIET_SECONDS, Repeats
from litellm_homelab.demo.faults import Fault
from litellm_homelab.optillm import lineage
from litellm_homelab.testing import MockProxy
from tests.adapter.counts import changes
from tests.adapter.lane import TEXT, document, group, key_of, proxy_on

SECRET = "the-secret-of-this-test"
PASSWORD = "hunter2hunter2"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What our loggers write during the test, as if nothing had been written before."""

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    found: list[str] = []
    handler = Kept()
    monkeypatch.setattr(log_limits, "_repeats", log_limits.Repeats())
    fail_closed.log.addHandler(handler)
    yield found
    fail_closed.log.removeHandler(handler)


def router(state: str) -> dict[str, object]:
    """An OptiLLM handle whose counters are in `state`."""
    lanes = {"boost": {"approaches": ["none", "re2"]}}
    made = document(
        [group("main"), group("base"), group("boost", "openai/base")],
        lanes,
        state=state,
    )
    made["homelab"]["secret"] = SECRET
    return made


@pytest_asyncio.fixture
async def without_redis(tmp_path: Path) -> AsyncIterator[tuple[MockProxy, str]]:
    """A gateway whose Redis is not there, and the store's address without its password."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{taken.getsockname()[1]}/0"
        async with proxy_on(tmp_path, router(f"redis://someone:{PASSWORD}@{place}")) as proxy:
            yield proxy, f"redis://{place}"


@pytest_asyncio.fixture
async def on_sqlite(tmp_path: Path) -> AsyncIterator[tuple[MockProxy, Path]]:
    """A gateway whose counters are in a file, and the folder of the file."""
    folder = tmp_path / "state"
    folder.mkdir()
    async with proxy_on(tmp_path, router(f"sqlite:///{folder}/homelab.db")) as proxy:
        yield proxy, folder


async def test_the_log_names_the_cause_once(without_redis: tuple[MockProxy, str], lines: list[str]) -> None:
    """Many requests, children among them, are one line with the address, the cause and what to do."""
    proxy, place = without_redis
    mark = lineage.mint(SECRET, lineage.new_root(), 1, time.time() + 60)
    for _ in range(3):
        assert (await proxy.chat("boost")).status == 503
        child = {"model": f"base{mark}", "messages": TEXT}
        assert (await proxy.post("/v1/chat/completions", child, headers=key_of("optillm"))).status == 503
    [line] = lines
    assert line.startswith(f"homelab state {place}: the server cannot be reached (Connection refused). ")
    assert line.endswith(" Requests to OptiLLM handles are refused until this is fixed.")


async def test_the_metric_names_the_store(without_redis: tuple[MockProxy, str]) -> None:
    """Whichever rule asked: its failures and the refusals are counted as `state`."""
    proxy, _ = without_redis
    with changes() as counted:
        assert (await proxy.chat("boost")).status == 503
    assert counted["rule_errors_total{state}"] > 0
    assert [name for name in counted if name.startswith("rule_errors")] == ["rule_errors_total{state}"]
    assert counted["refusals_total{state,policy_error,boost,master}"] == 1


async def test_the_client_is_not_told_where(without_redis: tuple[MockProxy, str]) -> None:
    """It learns that the gateway is at fault: no address, no password, no cause."""
    proxy, _ = without_redis
    answer = await proxy.chat("boost")
    assert answer.error["type"] == "policy_error"
    assert answer.error["message"].startswith("The gateway cannot read or write its counters (homelab.state)")
    assert "127.0.0.1" not in answer.text
    assert PASSWORD not in answer.text


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", [None, "400", "500"], ids=["answered", "400", "500"])
async def test_a_store_that_is_lost_under_a_request(
    on_sqlite: tuple[MockProxy, Path],
    lines: list[str],
    monkeypatch: pytest.MonkeyPatch,
    fault: str | None,
    stream: bool,
) -> None:
    """Neither an answer nor an upstream's error goes to the client as it is: a refusal does."""
    proxy, folder = on_sqlite
    assert (await proxy.chat("boost", stream=stream)).status == 200
    upstream = proxy.upstream("boost")

    def lose_the_folder() -> Fault | None:
        shutil.rmtree(folder, ignore_errors=True)
        return Fault(fault) if fault else None

    monkeypatch.setattr(upstream.switch, "take", lose_the_folder)
    answer = await proxy.chat("boost", stream=stream)
    assert (answer.status, answer.error["type"]) == (503, "policy_error"), answer.text
    assert "[demo boost]" not in answer.text
    assert [line for line in lines if "its folder does not exist" in line]


def test_repeats_are_left_out_and_counted() -> None:
    """Once a minute, with how often it was left out; each line for itself."""
    repeats = Repeats()
    assert repeats.more("a", 0) == 0
    assert [repeats.more("a", at) for at in (1, 2, QUIET_SECONDS - 1)] == [None] * 3
    assert repeats.more("b", 3) == 0
    assert repeats.more("a", QUIET_SECONDS) == 3
    assert repeats.more("a", 2 * QUIET_SECONDS) == 0


def test_repeats_are_bounded() -> None:
    """A hundred different lines are remembered."""
    repeats = Repeats()
    for number in range(3 * MOST):
        assert repeats.more(str(number), 0) == 0
    assert len(repeats._seen) == MOST
