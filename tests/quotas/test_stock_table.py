"""The table of docs/free-tier.md: what it says of quotas is so."""

from __future__ import annotations

import pytest

from tests.quotas import stock_table


@pytest.mark.real
def test_the_pages_column_is_what_happens() -> None:
    """Each case has a row, and what the page says of quotas happens on the installed LiteLLM as well."""
    text = stock_table.PAGE.read_text(encoding="utf-8").partition(stock_table.BEGIN)[2]
    lines = text.partition(stock_table.END)[0].splitlines()
    rows = [[*map(str.strip, line.split("|")[1:-1])] for line in lines if line.startswith("|")][2:]
    assert [row[0] for row in rows] == [str(run.__doc__).rstrip(".") for run in stock_table.CASES]
    assert [row[2] for row in rows] == stock_table.asked(stock_table.OURS), "make quota-table"
