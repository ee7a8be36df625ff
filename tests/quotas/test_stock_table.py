"""The table of our quotas beside stock LiteLLM: how cells, rows and clock are made. The cases run apart."""

from __future__ import annotations

import contextlib
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.quotas import stock_table
from tests.quotas.stock_table import CASES, OURS, PACIFIC, STOCK, Case, configured, set_clock, table


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a clock, which this process does not read."""
    file = tmp_path / "clock"
    file.write_text("5.0", encoding="utf-8")
    monkeypatch.setenv("STEPPED_CLOCK", str(file))
    return file


def test_a_cell_says_what_was_sent_and_what_clients_got(tmp_path: Path) -> None:
    """Answers are counted by status."""
    case = Case(OURS, tmp_path, statuses=[200, 429, 200, 503], sent=2)
    assert case.cell() == "2 sent; 2 got 200, 1 got 429, 1 got 503"


def test_each_case_has_a_row_with_a_cell_of_each_side() -> None:
    """Its sentence, without the full stop, comes first; a column that lacks a cell is refused."""
    columns = {side: [f"{side} {number}" for number in range(len(CASES))] for side in ("left", "right")}
    head, rule, *rows = table(columns).splitlines()
    assert head == "| what is asked | left | right |"
    assert rule == "| --- | --- | --- |"
    assert len(rows) == len(CASES)
    assert rows[0] == "| 15 requests to one worker | left 0 | right 0 |"
    with pytest.raises(ValueError, match="shorter"):
        table({"left": columns["left"], "right": columns["right"][1:]})


def test_both_sides_have_the_same_limit(tmp_path: Path) -> None:
    """Ours for the account, stock LiteLLM's for each deployment; stock LiteLLM has nothing of ours."""
    ours = configured(OURS, tmp_path, window=PACIFIC)
    assert ours["homelab"]["quotas"] == {"free": {"groups": ["cloud", "other"], "windows": [PACIFIC]}}
    stock = configured(STOCK, tmp_path, reset="07:00")
    limits = [one["litellm_params"] for one in stock["model_list"]]
    assert [(one["rpd"], one["daily_reset_time"]) for one in limits] == [(10, "07:00")] * 2
    assert "litellm_homelab" not in str(stock)
    assert stock["router_settings"]["optional_pre_call_checks"] == ["enforce_model_rate_limits"]


def test_the_clock_is_set_to_a_moment_and_back(clock: Path, tmp_path: Path) -> None:
    """It is replaced whole: who reads it meanwhile finds a number."""
    case = Case(OURS, tmp_path)
    with clock.open(encoding="utf-8") as reader:
        with case.at(datetime(2026, 11, 2, tzinfo=UTC)):
            assert reader.read() == "5.0"
            assert clock.read_text(encoding="utf-8") != "5.0"
        set_clock(datetime(2026, 11, 3, tzinfo=UTC))
    assert [*tmp_path.iterdir()] == [clock]


class Broken(Case):
    """A case whose gateway does not start."""

    async def gateway(self, ask: Any, **changes: Any) -> None:
        """Keep where Redis is, and break."""
        self.redis = str(changes["redis"])
        raise RuntimeError("no gateway")


@pytest.mark.real
@pytest.mark.parametrize("case", [stock_table.store_lost, stock_table.store_lost_at_start])
async def test_a_case_that_breaks_leaves_no_redis(case: Any, tmp_path: Path) -> None:
    """The server is killed whatever happens to the gateway."""
    broken = Broken(OURS, tmp_path)
    with pytest.raises(RuntimeError, match="no gateway"):
        await case(broken)
    with contextlib.closing(socket.socket()) as probe:
        assert probe.connect_ex(("127.0.0.1", urlsplit(broken.redis).port)) != 0
