"""What is printed."""

from __future__ import annotations

import json

from litellm_homelab.verify.check import CheckedItem, VerifyCheck
from litellm_homelab.verify.exchange import failed, not_applicable, not_checked, passed
from litellm_homelab.verify.report import VerifyReport, written

CALLS = VerifyCheck(
    "optillm.calls", "OptiLLM answers, with several calls to a model behind it", subject="boost"
)
ROUTER = VerifyCheck(
    "optillm.router", "the approach router, which chooses among the others, is active", subject="boost"
)
CLOSED = VerifyCheck(
    "names.closed", "a name of the configuration that is closed answers as one that does not exist"
)
ITEMS = (
    CheckedItem(
        VerifyCheck("keys.missing", "without a key nothing is served"),
        passed("401 for a request without a key"),
    ),
    CheckedItem(
        CALLS,
        failed(
            "moa made 1 call",
            "OptiLLM did not run it: look into its log for `Using approach(es)`, and at its version.",
        ),
    ),
    CheckedItem(ROUTER, not_applicable("it does not allow router")),
    CheckedItem(CLOSED, not_checked("no name to try is known", "Give --config.")),
)
REPORT = VerifyReport("http://127.0.0.1:4000", ITEMS, 9, 2, 1.26)
GOLDEN = """\
ok      keys.missing: without a key nothing is served
        401 for a request without a key
FAILED  optillm.calls [boost]: OptiLLM answers, with several calls to a model behind it
        moa made 1 call
        -> OptiLLM did not run it: look into its log for `Using approach(es)`, and at its version.
-       optillm.router [boost]: the approach router, which chooses among the others, is active
        not applicable: it does not allow router
?       names.closed: a name of the configuration that is closed answers as one that does not exist
        not checked: no name to try is known
        -> Give --config."""


def test_lines() -> None:
    """A check has what must hold, what was seen, and what to do; docs/verify.md shows the same."""
    assert "\n".join(written(one, colour=False) for one in ITEMS) == GOLDEN


def test_control_characters_are_escaped() -> None:
    """A server's own words are among them."""
    item = CheckedItem(VerifyCheck("a", "b"), failed("\x1b[2J\n", "\x07"))
    assert "\x1b" not in written(item, colour=False)
    assert written(item, colour=False).count("\n") == 2


def test_colours() -> None:
    """The verdict has one, and columns stay where they are."""
    assert written(ITEMS[1], colour=True).startswith("\x1b[31mFAILED\x1b[0m  optillm.calls")
    assert written(ITEMS[0], colour=True).startswith("\x1b[32mok\x1b[0m      keys.missing")
    assert written(ITEMS[2], colour=True).startswith("-       optillm.router")


def test_the_last_line() -> None:
    """How many ended in which way, and what it took."""
    assert REPORT.summary() == (
        "4 checks: 1 passed, 1 failed, 1 not applicable, 1 not checked; 9 requests, 2 of them for a "
        "model to answer, in 1 s"
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
        "what": CALLS.what,
        "verdict": "failed",
        "seen": "moa made 1 call",
        "do": ITEMS[1].judgement.do,
    }
