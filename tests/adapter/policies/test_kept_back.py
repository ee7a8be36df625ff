"""An HTTP request that a quota keeps back at the last moment: it is no failure of its deployment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from litellm_homelab.quotas.book import Book, Reservation
from litellm_homelab.testing import MockProxy
from tests.adapter.failing import resting
from tests.adapter.lane import TEXT, document, group, proxy_on

ROUTES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": TEXT},
    "/v1/messages": {"messages": TEXT, "max_tokens": 9},
    "/v1/responses": {"input": "hello"},
}


def proxy(folder: Path) -> MockProxy:
    """A cloud with two requests a week and a fallback, where one failure rests a deployment for a minute."""
    found = document(
        [group("cloud"), group("local")], {}, internal=("local",), fallbacks={"cloud": ["local"]}
    )
    windows = [{"requests": 2, "per": "week", "rolling": True}]
    found["homelab"]["quotas"] = {"free": {"groups": ["cloud"], "windows": windows}}
    found["router_settings"] |= {"disable_cooldowns": False, "cooldown_time": 60, "num_retries": 0}
    found["router_settings"]["allowed_fails_policy"] = {
        "InternalServerErrorAllowedFails": 0,
        "RateLimitErrorAllowedFails": 0,
    }
    return proxy_on(folder, found)


async def late(book: Book, held: Reservation) -> bool:
    """A reservation that is not there any more when its request is about to leave."""
    await book.release(held)
    return False


@pytest.mark.parametrize("path", ROUTES)
async def test_what_is_kept_back_rests_nothing_and_counts_nothing(tmp_path: Path, path: str) -> None:
    """The fallback answers; afterwards the cloud has all of its requests left, and is asked first."""
    body = {"model": "cloud", **ROUTES[path]}
    async with proxy(tmp_path) as gateway:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Book, "send", late)
            kept = [await gateway.post(path, body) for _ in range(3)]
        assert [one.status for one in kept] == [200] * 3
        assert {call.backend for one in kept for call in one.calls} == {"local"}
        assert resting() == []
        later = [await gateway.post(path, body) for _ in range(3)]
        assert [one.sent_to for one in later] == [["cloud"], ["cloud"], ["local"]]


async def test_a_failure_after_it_counts(tmp_path: Path) -> None:
    """Being kept back says nothing of the next attempt: the fallback's own failure rests the fallback."""
    async with proxy(tmp_path) as gateway:
        gateway.upstream("local").fails(500)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Book, "send", late)
            assert (await gateway.chat("cloud")).status >= 400
        assert resting() == ["local"]
