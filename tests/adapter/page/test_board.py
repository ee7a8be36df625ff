"""The page's JSON is made once for all who ask in the same moment."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from litellm_homelab.adapter.page import board
from litellm_homelab.adapter.page.board import Board
from litellm_homelab.page.facts import Facts
from tests.page import sample


class Gathering:
    """Counts how often facts are gathered, each time with other ones."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> Facts:
        """Give the next."""
        self.times += 1
        await asyncio.sleep(0)
        return replace(sample.facts(), workers=self.times, seen=self.times)


async def test_ten_viewers_cost_as_much_as_one() -> None:
    """They get the same text, with the same tag."""
    gather = Gathering()
    made = Board(gather)
    found = await asyncio.gather(*(made.page() for _ in range(10)), made.widget())
    assert gather.times == 1
    assert len({one.etag for one in found}) == 2


async def test_a_moment_later_it_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """And its tag is another where something has changed."""
    monkeypatch.setattr(board, "FRESH_SECONDS", 0.0)
    made = Board(Gathering())
    one, other = await made.page(), await made.page()
    assert json.loads(other.body)["gateway"]["workers"] == 2
    assert one.etag != other.etag
    assert (await made.widget()).etag == (await made.widget()).etag
