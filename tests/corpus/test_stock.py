"""The corpus without our hooks: in a module of its own, since only one mocked proxy runs at a time."""

from __future__ import annotations

import importlib.metadata
import logging
from pathlib import Path

from litellm_homelab.advisories.listed import published
from litellm_homelab.testing import MockProxy
from tests.corpus import generated, replay, stock_table
from tests.corpus.case import by_advisory, by_kind, load
from tests.corpus.runner import advisory_lines

WRITTEN = load()
MADE = generated.cases()
WITHOUT = {"MAL-2026-2144"}
"""Advisories without a request to try: what they are about is in the package, not in an answer."""


async def test_what_gets_through_without_the_hooks(tmp_path: Path) -> None:
    """On the same router without them; the number is why this package is there."""
    async with MockProxy(replay.stock(tmp_path)) as stock:
        logging.disable(logging.CRITICAL)  # a traceback of LiteLLM's takes longer than the request
        written = await replay.through(stock, WRITTEN, replay.STOCK_KEYS)
        made = await replay.through(stock, MADE, replay.STOCK_KEYS)
        logging.disable(logging.NOTSET)
    print(f"\nwithout the hooks {len(written)} of {len(WRITTEN)} written cases get through, "
          f"{len(made)} of {len(MADE)} generated ones")  # fmt: skip
    for kind, (served, tried) in by_kind((*WRITTEN, *MADE), {*written, *made}).items():
        print(f"{kind}: served by stock {served} of {tried}")
    version = importlib.metadata.version("litellm")
    lines = list(advisory_lines(WRITTEN, (), written, f"stock LiteLLM {version}"))
    print("\n".join(lines))
    assert stock_table.column(version) == {
        advisory: stock_table.cell(*numbers) for advisory, numbers in by_advisory(WRITTEN, written).items()
    }, "the page has other numbers: make stock-table"
    assert {line.partition(":")[0] for line in lines} == {one.id for one in published().advisories} - WITHOUT
    assert len(written) >= 60, written
