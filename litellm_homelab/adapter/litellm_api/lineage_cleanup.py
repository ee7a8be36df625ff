"""
Takes marks out of what LiteLLM keeps and logs of a call to OptiLLM.

OptiLLM repeats the name it was asked for in its answers, mark included (every approach but `none`, streamed
or not, 0.4.0 and 0.3.12), and LiteLLM 1.106.2 hands that to its callbacks and, at DEBUG, to its log.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Mapping
from typing import Any, Final

from litellm_homelab.optillm.lineage import MARKER

MARK: Final = re.compile(rf"(?:@|%40){re.escape(MARKER[1:])}[a-z2-7]*")
"""A mark, cut short or not, as it is written in a body and in a URL."""
ACCESS_LOG: Final = "uvicorn.access"
"""`compact` asks for `/v1/models/<model>`, and that is a line of the access log."""
PLACES: Final = (
    ("original_response",),
    ("additional_args", "complete_input_dict", "model"),
    ("litellm_params", "metadata", "hidden_params", "provider_response_model"),
    ("standard_logging_object", "model_map_information", "model_map_key"),
)
"""Where a mark was found in those details; tests/real/lane/test_marks.py looks at all of them."""

_formatter: Final = logging.Formatter()


def text(value: str) -> str:
    """Return a text without the marks in it."""
    return MARK.sub("", value)


def answer(response: Any) -> None:  # noqa: ANN401 - LiteLLM's answer types
    """Take the mark off an answer's model, in its place."""
    model = getattr(response, "model", None)
    if isinstance(model, str) and MARK.search(model):
        response.model = text(model)


def account(details: Mapping[str, Any]) -> None:
    """Take the marks out of LiteLLM's details of a call, which every callback is given, in their places."""
    for *outer, name in PLACES:
        place: Any = details
        for one in outer:
            place = place.get(one)
            if not isinstance(place, dict):
                break
        else:
            value = place.get(name)
            if isinstance(value, str) and MARK.search(value):
                place[name] = text(value)


class LogFilter(logging.Filter):
    """Takes marks out of log records; drops none."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the record's arguments one by one where that is enough: the access log reads them so."""
        with contextlib.suppress(Exception):  # a record that cannot be written is not this filter's to report
            if isinstance(record.args, tuple):
                record.args = tuple(text(one) if isinstance(one, str) else one for one in record.args)
            message = record.getMessage()
            if MARK.search(message):
                record.msg, record.args = text(message), ()
            _clean_traceback(record)
        return True


def _clean_traceback(record: logging.LogRecord) -> None:
    if record.exc_info and not record.exc_text:
        written = _formatter.formatException(record.exc_info)
        if MARK.search(written):
            record.exc_text = text(written)


_FILTER: Final = LogFilter()


def watch_logs() -> None:
    """Have LiteLLM's loggers and the access log cleaned; on loggers, since handlers are replaced later."""
    for name in (*logging.root.manager.loggerDict, ACCESS_LOG):
        if name == ACCESS_LOG or name.startswith("LiteLLM"):
            logging.getLogger(name).addFilter(_FILTER)
