"""Quotas over stock LiteLLM: what the backend receives, what the client gets, what is learned."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from litellm_homelab.adapter.backends import probing
from litellm_homelab.adapter.policies import quotas
from litellm_homelab.quotas.book import Book, Reservation, StoreSilent
from litellm_homelab.testing import MockProxy
from tests.adapter.lane import TEXT, document, group, proxy_on
from tests.quotas import shapes

DAY: dict[str, Any] = {"requests": 2, "per": "day", "zone": "Pacific/Kiritimati"}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": TEXT},
    "/v1/messages": {"messages": TEXT, "max_tokens": 9},
    "/v1/responses": {"input": "hello"},
    "/v1/completions": {"prompt": "hello"},
}
GROQ_DAY = shapes.groq("requests per day (RPD)", 1000, 1000, 1, "9m38.016s")


def proxy(folder: Path, *, fallbacks: bool = False, state: str = "memory://", **quota: Any) -> MockProxy:
    """Two clouds that share a quota, and a local group, which `cloud` may fall back to."""
    models = [group("cloud"), group("other"), group("local")]
    chains = {"cloud": ["local"]} if fallbacks else {}
    found = document(models, {}, internal=(), fallbacks=chains, state=state)
    found["homelab"]["quotas"] = {"free": {"groups": ["cloud", "other"], "windows": [DAY], **quota}}
    return proxy_on(folder, found)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("path", BODIES)
async def test_a_request_counts_once_on_every_route(tmp_path: Path, path: str, stream: bool) -> None:
    """Two requests use up a quota of two; the third is a 429 that says until when, and is not sent."""
    async with proxy(tmp_path) as gateway:
        body = {"model": "cloud", "stream": stream, **BODIES[path]}
        answers = [await gateway.post(path, body) for _ in range(3)]
        assert [one.status for one in answers] == [200, 200, 429]
        assert len(gateway.upstream("cloud").requests) == 2
        headers = answers[2].response.headers
        assert 0 < int(headers["retry-after"]) <= 86_400
        assert headers["x-ratelimit-limit-requests"] == "2"
        assert headers["x-ratelimit-remaining-requests"] == "0"
        assert headers["x-ratelimit-reset-requests"].endswith("s")


async def test_groups_share_their_quota(tmp_path: Path) -> None:
    """One request each, and both are closed; the type says why, and the text until when."""
    async with proxy(tmp_path) as gateway:
        assert (await gateway.chat("cloud")).status == 200
        assert (await gateway.chat("other")).status == 200
        answer = await gateway.chat("cloud")
        assert (answer.status, answer.json["error"]["type"]) == (429, "quota_exceeded")
        assert "quota of 2 requests per day is used up" in answer.json["error"]["message"]
        assert (await gateway.chat("local")).status == 200


async def test_the_chain_goes_on_without_a_call(tmp_path: Path) -> None:
    """A fallback answers while the quota is used up: no call, no retry, no cooldown."""
    async with proxy(tmp_path, fallbacks=True) as gateway:
        for _ in range(6):
            assert (await gateway.chat("cloud")).status == 200
        assert len(gateway.upstream("cloud").requests) == 2
        assert len(gateway.upstream("local").requests) == 4


async def test_on_exhausted_refuse_ends_the_chain(tmp_path: Path) -> None:
    """With `refuse` no fallback answers."""
    async with proxy(tmp_path, fallbacks=True, on_exhausted="refuse") as gateway:
        assert [(await gateway.chat("cloud")).status for _ in range(3)] == [200, 200, 429]
        assert gateway.upstream("local").requests == []


async def test_many_at_once_are_exact(tmp_path: Path) -> None:
    """Of forty at once the backend sees as many as the quota has."""
    async with proxy(tmp_path, windows=[{**DAY, "requests": 7}]) as gateway:
        answers = await asyncio.gather(*(gateway.chat("cloud") for _ in range(40)))
        assert sorted(one.status for one in answers) == [200] * 7 + [429] * 33
        assert len(gateway.upstream("cloud").requests) == 7


@pytest.mark.parametrize(("counts", "sent"), [("attempts", 2), ("successes", 6)])
async def test_what_counts(tmp_path: Path, counts: str, sent: int) -> None:
    """Each attempt counts, retries too, or the successful ones alone."""
    async with proxy(tmp_path, counts=counts) as gateway:
        gateway.upstream("cloud").fails(500)
        for _ in range(3):
            await gateway.chat("cloud")
        assert len(gateway.upstream("cloud").requests) == sent
        gateway.upstream("cloud").works()
        assert (await gateway.chat("cloud")).status == (200 if counts == "successes" else 429)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_tokens_are_reserved_and_settled(tmp_path: Path, stream: bool) -> None:
    """An answer that used little leaves the rest of its estimate to the next one."""
    async with proxy(tmp_path, windows=[{"tokens": 1000, "per": "day"}]) as gateway:
        fields: dict[str, Any] = {"max_tokens": 600, "stream": stream}
        if stream:
            fields["stream_options"] = {"include_usage": True}
        body = {"model": "cloud", "messages": TEXT, **fields}
        for _ in range(3):
            assert (await gateway.post("/v1/chat/completions", body)).status == 200
        held = gateway.upstream("cloud").holds()
        first = asyncio.create_task(gateway.post("/v1/chat/completions", body))
        async with asyncio.timeout(60):
            while len(gateway.upstream("cloud").requests) < 4:  # noqa: ASYNC110 - no event there
                await asyncio.sleep(0.01)
        assert (await gateway.post("/v1/chat/completions", body)).status == 429
        held.set()
        assert (await first).status == 200


@pytest.mark.parametrize(
    ("status", "body", "headers", "closed"),
    [
        (429, GROQ_DAY, {}, True),
        (402, b"{}", {}, True),
        (429, b"{}", {"retry-after": "900"}, True),
        (429, b'{"error": {"message": "later"}}', {}, False),
        (429, shapes.cloudflare(3036), {}, True),
        (429, shapes.cloudflare(3040), {}, False),
        (503, GROQ_DAY, {"retry-after": "900"}, False),
    ],
    ids=["groq", "402", "retry-after", "unknown", "3036", "3040", "503"],
)
async def test_an_error_closes_what_it_names(
    tmp_path: Path, status: int, body: bytes, headers: dict[str, str], closed: bool
) -> None:
    """After it nothing is sent until then; the client still gets the upstream's own error first."""
    async with proxy(tmp_path, windows=[{**DAY, "requests": 1000}]) as gateway:
        gateway.upstream("cloud").says(body, status=status, headers=headers)
        assert (await gateway.chat("cloud")).status >= 400
        gateway.upstream("cloud").works()
        answer = await gateway.chat("cloud")
        assert answer.status == (429 if closed else 200)
        if closed:
            assert answer.json["error"]["type"] == "quota_exceeded"


async def test_headers_correct_the_count(tmp_path: Path) -> None:
    """The provider says that one is left: one more is sent, and the next is not."""
    windows = [{"requests": 1000, "per": "day"}]
    async with proxy(tmp_path, preset="groq-free", windows=windows) as gateway:
        headers = {"x-ratelimit-limit-requests": "1000", "x-ratelimit-remaining-requests": "1"}
        answer = (await gateway.chat("cloud")).response.content
        gateway.upstream("cloud").says(answer, headers=headers)
        statuses = [(await gateway.chat("cloud")).status for _ in range(3)]
        assert statuses == [200, 200, 429]


async def test_what_is_counted_survives_a_restart(tmp_path: Path) -> None:
    """With SQLite a second gateway goes on where the first one ended, and knows what was learned."""
    state = f"sqlite:///{tmp_path / 'state.db'}"
    async with proxy(tmp_path, state=state) as gateway:
        assert (await gateway.chat("cloud")).status == 200
    async with proxy(tmp_path, state=state) as gateway:
        assert [(await gateway.chat("cloud")).status for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(("choice", "status"), [("refuse", 503), ("serve", 200)])
async def test_a_lost_store(tmp_path: Path, choice: str, status: int) -> None:
    """Where the store does not answer, the setting decides; the next groups are served all the same."""
    folder = tmp_path / "gone"
    folder.mkdir()
    state = f"sqlite:///{folder / 'state.db'}"
    async with proxy(tmp_path, state=state, on_state_loss=choice) as gateway:
        assert (await gateway.chat("cloud")).status == 200
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
        assert (await gateway.chat("cloud")).status == status
        assert (await gateway.chat("local")).status == 200
        folder.mkdir()
        await asyncio.sleep(1.1)
        assert (await gateway.chat("cloud")).status in {200, 429}


async def test_the_first_quota_to_begin_anew_is_named(tmp_path: Path) -> None:
    """Of a chain whose quotas are all used up the client gets the nearest moment."""
    models = [group("cloud"), group("other")]
    found = document(models, {}, internal=(), fallbacks={"cloud": ["other"]})
    found["homelab"]["quotas"] = {
        "month": {"groups": ["cloud"], "windows": [{"requests": 1, "per": "month"}]},
        "hour": {"groups": ["other"], "windows": [{"requests": 1, "per": "hour"}]},
    }
    async with proxy_on(tmp_path, found) as gateway:
        answers = [await gateway.chat("cloud") for _ in range(3)]
        assert [one.status for one in answers] == [200, 200, 429]
        assert int(answers[2].response.headers["retry-after"]) <= 3600 - time.time() % 3600 + 2


def test_a_quota_that_will_be_used_up_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """When it will be, in local time; not one that is used up already, and again after its reset."""
    shown, later = quotas.QuotasShown(), time.time() + 3600
    with caplog.at_level(logging.WARNING, logger="LiteLLM Proxy.homelab"):
        shown.runs_out("spent", "requests/day", time.time())
        shown.runs_out("groq", "requests/day", later)
        shown.runs_out("groq", "requests/day", later + 60)
        shown.runs_out("groq", "requests/day", None)
        shown.runs_out("groq", "requests/day", later + 86_400)
    when = [datetime.fromtimestamp(one).astimezone() for one in (later, later + 86_400)]
    assert [one.getMessage() for one in caplog.records] == [
        f"homelab quota: at this rate groq (requests/day) will be used up on {one:%a %Y-%m-%d %H:%M %Z}, "
        "before it resets."
        for one in when
    ]


@pytest.mark.parametrize("why", ["late", "store"])
@pytest.mark.parametrize(
    ("choice", "fallbacks", "served"),
    [("fallback", True, True), ("fallback", False, False), ("refuse", True, False)],
    ids=["fallback", "no fallback left", "refuse"],
)
async def test_what_is_kept_back_on_the_wire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choice: str, fallbacks: bool, served: bool, why: str
) -> None:
    """A request that may not leave after all: no call, and the chain goes on or ends as the setting says."""

    async def send(held: Reservation) -> bool:
        if why == "store":
            raise StoreSilent(held.quotas)
        return False

    async with proxy(tmp_path, fallbacks=fallbacks, on_exhausted=choice) as gateway:
        monkeypatch.setattr(Book, "send", lambda _, held: send(held))
        answer = await gateway.chat("cloud")
        refused = (429, "quota_exceeded") if why == "late" else (503, "policy_error")
        kind = None if served else answer.json["error"]["type"]
        assert (answer.status, kind) == ((200, None) if served else refused)
        assert gateway.upstream("cloud").requests == []
        assert len(gateway.upstream("local").requests) == served


@pytest.mark.parametrize("preset", ["openrouter-free", "cohere-free"])
async def test_openrouters_own_account_of_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str
) -> None:
    """It says that the day is used up, by other programs: nothing is sent. Other providers are not asked."""
    monkeypatch.setattr(quotas, "LOOK_SECONDS", 0.01)
    found = document([group("cloud", api_key="sk-or-v1-test")], {}, internal=())
    found["homelab"]["quotas"] = {"free": {"groups": ["cloud"], "preset": preset}}
    asked: list[tuple[str, str]] = []

    async def fetch(one: probing.Asked) -> tuple[int, bytes]:
        asked.append((one.url, one.key))
        return 200, shapes.openrouter_key(50, 50)

    async with proxy_on(tmp_path, found) as gateway:
        probing.fetch_with(fetch)
        assert (await gateway.chat("cloud")).status == 200
        await asyncio.sleep(0.5)
        answer = await gateway.chat("cloud")
        sent = len(gateway.upstream("cloud").requests)
    if preset == "openrouter-free":
        assert asked == [("http://127.0.0.1:9/v1/key", "sk-or-v1-test")]
        assert (answer.status, sent) == (429, 1)
        assert "quota of 50 requests per day is used up" in answer.json["error"]["message"]
    else:
        assert (asked, answer.status, sent) == ([], 200, 2)
