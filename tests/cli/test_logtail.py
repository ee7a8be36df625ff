"""The end of a child's log, for a person."""

from __future__ import annotations

import json

import pytest

from litellm_homelab.cli.logtail import readable_tail

TRACEBACK = """\
Traceback (most recent call last):
  File "a.py", line 1, in one
    two()
KeyError: 'x'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "b.py", line 2, in two
    raise SettingsError
    ^^^^^^^^^^^^^^^^^^^
SettingsError: router.yaml: first problem
router.yaml: second problem
"""


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        pytest.param("one\ntwo\nthree\nfour", "two\nthree\nfour", id="last lines"),
        pytest.param('{"message": "hello", "level": "INFO"}', "hello", id="JSON line"),
        pytest.param('{"event": 1}\n[1]\n{"message"', '{"event": 1}\n[1]\n{"message"', id="other JSON"),
        pytest.param(
            json.dumps({"message": TRACEBACK}) + "\nended",
            "SettingsError: router.yaml: first problem\nrouter.yaml: second problem\nended",
            id="traceback in one JSON line",
        ),
        pytest.param("", "", id="empty"),
    ],
)
def test_readable_tail(log: str, shown: str) -> None:
    """JSON lines show their message, tracebacks their last exception with all its lines."""
    assert readable_tail(log, 3) == shown
