"""Faulty backends behind a real gateway, beside stock LiteLLM: no hang, no silent 200, no second model."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias

import pytest
import yaml

from tests.real import timeout_cases
from tests.real.faulty import Faulty, black_hole
from tests.real.gateway import free_port, litellm
from tests.real.timeout_cases import AFTER, ALL, Case, Seen
from tests.real.upstreams import listening

pytestmark = pytest.mark.real

Table: TypeAlias = Mapping[Case, Seen]
STOCK_PATIENCE: Final = 15
"""Seconds that a client of stock LiteLLM waits: some of its answers never end."""
LATE: Final = ("completions", "openai")
"""LiteLLM sends this stream once its router has returned it (1.106.2 to 1.110.2): no fallback can run."""
WARM: Final = tuple(one for one in ALL if one.fault == "html" and one.route == "chat")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Table]]:
    """What the client saw of each case, with `homelab.timeouts` and with stock LiteLLM's own settings."""
    folder, key = tmp_path_factory.mktemp("timeouts"), f"sk-{secrets.token_urlsafe(16)}"
    with listening(Faulty()) as base, black_hole() as hole:
        refused = f"http://127.0.0.1:{free_port()}"
        found: dict[str, Table] = {}
        for name, patience in (("ours", timeout_cases.PATIENCE), ("stock", STOCK_PATIENCE)):
            config = timeout_cases.config(base, hole, refused, ours=name == "ours")
            found[name] = _asked(folder / f"{name}.yaml", config, key, patience)
        yield found


def _asked(path: Path, config: Mapping[str, object], key: str, patience: float) -> Table:
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    environ = {"LITELLM_MASTER_KEY": key, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "DEFAULT_MAX_RETRIES": "0"}
    port = free_port()
    with litellm(path, port, environ):
        url = f"http://127.0.0.1:{port}"
        asyncio.run(timeout_cases.asked(url, key, WARM, 60))  # LiteLLM imports much at its first requests
        found = asyncio.run(timeout_cases.asked(url, key, ALL, patience))
        # All at once they keep a loaded machine so busy that a first content, which came, is read too late.
        again = tuple(one for one in ALL if one.fault in AFTER and found[one].word == "fallback")
        return {**found, **asyncio.run(timeout_cases.asked(url, key, again, patience))}


def _is_late(case: Case) -> bool:
    return case.stream and (case.route, case.provider) == LATE


def test_every_fault_beside_stock(tables: dict[str, Table]) -> None:
    """Before the first content the fallback answers; after it the stream ends with an error event."""
    for case in ALL:
        ours, stock = tables["ours"][case], tables["stock"][case]
        print(f"{case!s:50} {ours.word:28} {ours.seconds:6.2f}   stock: {stock.word:28} {stock.seconds:6.2f}")
    expected = {case: "error event" if case.fault in AFTER else "fallback" for case in ALL}
    wrong = {
        str(case): tables["ours"][case].word
        for case in ALL
        if not (_is_late(case) and case.fault not in AFTER) and tables["ours"][case].word != expected[case]
    }
    assert wrong == {}


def test_a_stream_that_is_sent_late_ends_with_an_error(tables: dict[str, Table]) -> None:
    """Where no fallback can run the client gets a status of an error, and never a 200 without an answer."""
    for case in filter(_is_late, ALL):
        if case.fault not in AFTER:
            assert (tables["ours"][case].status or 0) >= 400, case


def test_stock_litellm_has_these_faults(tables: dict[str, Table]) -> None:
    """Each of them was seen, so that the test above shows something."""
    seen = {one.word for one in tables["stock"].values()}
    assert {"hang", "EMPTY, looks whole", "CUT, looks whole"} <= seen
