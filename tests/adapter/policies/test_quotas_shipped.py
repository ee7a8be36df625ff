"""Quotas on the shipped router.yaml: its chain passes a closed rung, and its parallel handles answer 429."""

from __future__ import annotations

import copy
import shutil
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from litellm_homelab.testing import MockProxy
from tests.config import shipped
from tests.quotas import shapes

CHAIN = ["vllm-qwen", "ollama-qwen", "openai-gpt4o"]
HERE = "Asia/Kathmandu"
"""Where the gateway of these tests is."""
PACIFIC = "America/Los_Angeles"
PARALLEL = {
    "groq/llama-3.3-70b-versatile": ("requests", "UTC", "day"),
    "gemini/gemini-2.0-flash": ("requests", PACIFIC, "day"),
    "gemini/gemini-2.5-flash": ("requests", PACIFIC, "day"),
    "mistral/mistral-small-latest": ("tokens", "UTC", "month"),
}


@pytest.fixture(autouse=True)
def _local_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", HERE)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def proxy(folder: Path, changed: dict[str, Any]) -> MockProxy:
    """The shipped files with other quotas."""
    document = copy.deepcopy(shipped.ROUTER)
    document["homelab"]["quotas"] |= changed
    shutil.copy(shipped.FOLDER / "registry.json", folder)
    (folder / "router.yaml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return MockProxy(folder / "router.yaml")


def calls(gateway: MockProxy) -> list[int]:
    """How many requests each rung's backend has received."""
    return [len(gateway.upstream(rung).requests) for rung in CHAIN]


@pytest.mark.parametrize(("closed", "expected"), [(0, [1, 3, 0]), (1, [1, 3]), (2, [1])])
async def test_the_chain_passes_a_closed_rung(tmp_path: Path, closed: int, expected: list[int]) -> None:
    """A quota of one request on one rung, four requests, every rung above it broken: each backend counts."""
    quota = {"groups": [CHAIN[closed]], "windows": [{"requests": 1, "per": "day"}]}
    async with proxy(tmp_path, {"rung": quota}) as gateway:
        for rung in CHAIN[:closed]:
            gateway.upstream(rung).fails(500)
        statuses = [(await gateway.chat("vllm-qwen")).status for _ in range(4)]
        assert calls(gateway)[closed:] == expected
    served = [status == 200 for status in statuses]
    assert served == ([True] * 4 if closed < 2 else [True, False, False, False])


async def test_a_chain_that_is_used_up_is_a_429(tmp_path: Path) -> None:
    """One request of each rung, and then none: the client gets the nearest moment, and nothing is called."""
    quotas = {
        rung: {"groups": [rung], "windows": [{"requests": 1, "per": per}]}
        for rung, per in zip(CHAIN, ("month", "hour", "day"), strict=True)
    }
    async with proxy(tmp_path, quotas) as gateway:
        answers = [await gateway.chat("vllm-qwen") for _ in range(5)]
        assert [one.status for one in answers] == [200, 200, 200, 429, 429]
        assert calls(gateway) == [1, 1, 1]
        assert answers[-1].json["error"]["type"] == "quota_exceeded"
        assert int(answers[-1].response.headers["retry-after"]) <= 3600


@pytest.mark.parametrize("handle", PARALLEL)
async def test_a_parallel_handle_says_when_it_opens(tmp_path: Path, handle: str) -> None:
    """A used up window is a 429 with the reset in the gateway's local time, and nothing falls back."""
    unit, zone, per = PARALLEL[handle]
    name, section = next(
        (name, one) for name, one in shipped.ROUTER["homelab"]["quotas"].items() if handle in one["groups"]
    )
    windows = [{**window, unit: 1} for window in section["windows"]]
    async with proxy(tmp_path, {name: {**section, "windows": windows}}) as gateway:
        assert (await gateway.chat(handle)).status == 200
        answer = await gateway.chat(handle)
        assert len(gateway.upstream(handle).requests) == 1
        assert calls(gateway) == [0, 0, 0]
    error, headers = answer.json["error"], answer.response.headers
    opens = end(datetime.now(ZoneInfo(zone)), per)
    assert (answer.status, error["type"]) == (429, "quota_exceeded")
    assert f"until {opens.astimezone(ZoneInfo(HERE)):%a %Y-%m-%d %H:%M:%S} " in error["message"]
    assert f"quota of 1 {unit} per {per} is used up" in error["message"]
    assert abs(int(headers["retry-after"]) - (opens - datetime.now(opens.tzinfo)).total_seconds()) < 30
    assert (headers[f"x-ratelimit-limit-{unit}"], headers[f"x-ratelimit-remaining-{unit}"]) == ("1", "0")
    assert headers[f"x-ratelimit-reset-{unit}"].endswith("s")
    assert headers.get("x-should-retry") == "false"


def end(now: datetime, per: str) -> datetime:
    """The end of the calendar's window that a moment belongs to."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if per == "day":
        return day + timedelta(days=1)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


async def test_a_provider_may_close_it(tmp_path: Path) -> None:
    """Groq's own 429 of its day closes the shipped handle for as long as it says, without a call."""
    handle = "groq/llama-3.3-70b-versatile"
    async with proxy(tmp_path, {}) as gateway:
        body = shapes.groq("requests per day (RPD)", 1000, 1000, 1, "9m38.016s")
        gateway.upstream(handle).says(body, status=429, headers={})
        assert (await gateway.chat(handle)).status == 429
        gateway.upstream(handle).works()
        answer = await gateway.chat(handle)
        assert len(gateway.upstream(handle).requests) == 1
    assert (answer.status, answer.json["error"]["type"]) == (429, "quota_exceeded")
    assert 500 < int(answer.response.headers["retry-after"]) <= 579
