"""Marks taken out of what LiteLLM keeps and logs."""

from __future__ import annotations

import logging
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from litellm_homelab.adapter.litellm_api import lineage_cleanup
from litellm_homelab.optillm import lineage

MARK = lineage.mint("a secret of the tests", lineage.new_root(), 1, 2_000_000_000)
MARKED = f"base{MARK}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(f"openai/{MARKED}", "openai/base", id="alone"),
        pytest.param(f'{{"model": "{MARKED}", "n": 1}}', '{"model": "base", "n": 1}', id="in JSON"),
        pytest.param(f"/v1/models/{MARKED.replace('@', '%40')}?x=1", "/v1/models/base?x=1", id="in a URL"),
        pytest.param(f"{MARKED[:30]}... ({MARKED}", "base... (base", id="cut short, and twice"),
        pytest.param("someone@example.com", "someone@example.com", id="none"),
    ],
)
def test_a_text(before: str, after: str) -> None:
    """Every mark goes, whole or not, and nothing else."""
    assert lineage_cleanup.text(before) == after


def test_an_answer() -> None:
    """An answer's model loses the mark; an answer without a model, or with none on it, is left alone."""
    marked, plain, other = SimpleNamespace(model=MARKED), SimpleNamespace(model="base"), SimpleNamespace()
    for one in (marked, plain, other, None):
        lineage_cleanup.answer(one)

    assert (marked.model, plain.model, vars(other)) == ("base", "base", {})


def test_the_account() -> None:
    """LiteLLM's details lose it wherever OptiLLM's name stands; a person's text is not looked at."""
    details: dict[str, Any] = {
        "messages": [{"content": MARKED}],
        "original_response": f'{{"model": "{MARKED}"}}',
        "additional_args": {"complete_input_dict": {"model": MARKED}},
        "litellm_params": {"metadata": {"hidden_params": {"provider_response_model": MARKED}}},
        "standard_logging_object": {"model_map_information": {"model_map_key": MARKED}},
    }
    lineage_cleanup.account(details)

    assert details.pop("messages") == [{"content": MARKED}]
    assert lineage.MARKER not in str(details)


@pytest.mark.parametrize(
    "details",
    [{}, {"additional_args": None}, {"litellm_params": {"metadata": []}}, {"original_response": 3}],
    ids=str,
)
def test_an_account_of_another_shape(details: dict[str, Any]) -> None:
    """What is missing, or of another kind, is left as it is."""
    before = dict(details)
    lineage_cleanup.account(details)

    assert details == before


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        pytest.param(f"asked for {MARKED}", (), id="in the message"),
        pytest.param("asked for %s by %s", (MARKED, "me"), id="in an argument"),
        pytest.param("body: %s", ({"model": MARKED},), id="inside an argument"),
        pytest.param("asked for %(model)s", ({"model": MARKED},), id="by name"),
    ],
)
def test_a_log_record(message: str, arguments: tuple[object, ...]) -> None:
    """However it got into a log record, it is not written."""
    record = logging.LogRecord("LiteLLM", logging.DEBUG, __file__, 1, message, arguments, None)

    assert lineage_cleanup.LogFilter().filter(record)
    assert lineage.MARKER not in record.getMessage()
    assert "base" in record.getMessage()


def test_a_traceback() -> None:
    """Nor in the traceback of an error that names it."""
    try:
        raise LookupError(MARKED)
    except LookupError:
        record = logging.LogRecord("LiteLLM", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())
    lineage_cleanup.LogFilter().filter(record)
    written = logging.Formatter().format(record)

    assert "LookupError: base" in written
    assert lineage.MARKER not in written


def test_a_record_of_the_access_log_keeps_its_arguments() -> None:
    """Uvicorn's formatter takes five of them apart."""
    arguments = ("127.0.0.1:1", "GET", f"/v1/models/{MARKED}", "1.1", 404)
    record = logging.LogRecord(
        lineage_cleanup.ACCESS_LOG, logging.INFO, __file__, 1, "%s %s %s %s %d", arguments, None
    )
    lineage_cleanup.LogFilter().filter(record)

    assert record.args == ("127.0.0.1:1", "GET", "/v1/models/base", "1.1", 404)


def test_a_record_that_cannot_be_written_is_let_through() -> None:
    """A logging mistake of somebody else's is not turned into an error of the request."""
    record = logging.LogRecord("LiteLLM", logging.DEBUG, __file__, 1, "%d of %d", ("one",), None)

    assert lineage_cleanup.LogFilter().filter(record)


def test_the_logs_are_watched_once() -> None:
    """LiteLLM's loggers and the access log have the filter, however often it is asked for."""
    logging.getLogger("LiteLLM Proxy")
    for _ in range(2):
        lineage_cleanup.watch_logs()

    for name in ("LiteLLM Proxy", lineage_cleanup.ACCESS_LOG):
        filters = [
            one for one in logging.getLogger(name).filters if isinstance(one, lineage_cleanup.LogFilter)
        ]
        assert len(filters) == 1
