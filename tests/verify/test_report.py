"""What is printed."""

from __future__ import annotations

import json

from litellm_homelab.verify.check import CheckedItem, VerifyCheck
from litellm_homelab.verify.exchange import failed, not_applicable, not_checked, passed
from litellm_homelab.verify.report import VerifyReport, written

ITEMS = (
    CheckedItem(VerifyCheck("keys.missing", "without a key nothing is served"), passed("401")),
    CheckedItem(
        VerifyCheck("optillm.calls", "OptiLLM answers", subject="boost"), failed("no answer", "Start it.")
    ),
    CheckedItem(VerifyCheck("search.answers", "it has results"), not_applicable("there is none")),
    CheckedItem(VerifyCheck("names.closed", "closed\x1b[2J"), not_checked("not known", "Give --config.")),
)
REPORT = VerifyReport("http://127.0.0.1:4000", ITEMS, 9, 2, 1.26)
GOLDEN = """\
ok      keys.missing: without a key nothing is served
        401
FAILED  optillm.calls [boost]: OptiLLM answers
        no answer
        -> Start it.
-       search.answers: it has results
        not applicable: there is none
?       names.closed: closed\\x1b[2J
        not checked: not known
        -> Give --config."""


def test_lines() -> None:
    """A check has what must hold, what was seen, and what to do; control characters are escaped."""
    assert "\n".join(written(one, colour=False) for one in ITEMS) == GOLDEN


def test_colours() -> None:
    """The verdict has one, and columns stay where they are."""
    assert written(ITEMS[1], colour=True).startswith("\x1b[31mFAILED\x1b[0m  optillm.calls")
    assert written(ITEMS[0], colour=True).startswith("\x1b[32mok\x1b[0m      keys.missing")
    assert written(ITEMS[2], colour=True).startswith("-       search")


def test_the_last_line() -> None:
    """How many ended in which way, and what it took."""
    assert REPORT.summary() == (
        "4 checks: 1 passed, 1 failed, 1 not applicable, 1 not checked; 9 requests, 2 of them for a model to answer, "
        "in 1 s"
    )
    assert not REPORT.is_good
    assert VerifyReport("", ITEMS[2:], 0, 0, 0).is_good


def test_json() -> None:
    """One document, in ASCII."""
    said = REPORT.as_json()
    found = json.loads(said)
    assert said.isascii()
    assert (found["ok"], found["failed"], found["not_checked"], found["requests"]) == (False, 1, 1, 9)
    assert found["checks"][1] == {
        "id": "optillm.calls",
        "subject": "boost",
        "what": "OptiLLM answers",
        "verdict": "failed",
        "seen": "no answer",
        "do": "Start it.",
    }
