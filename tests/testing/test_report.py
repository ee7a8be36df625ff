"""What the self-test prints."""

from __future__ import annotations

import json

from litellm_homelab.testing.selftest.check import CheckResult
from litellm_homelab.testing.selftest.report import Report, line

GOOD = CheckResult("names are judged", "names leak", True, 1, 1)
BAD = CheckResult("hooks run", "rules are not asked", False, {"a": 1, "b": 2}, {"a": 1, "b": 3})


def _report(*results: CheckResult, litellm: str = "1.110.2") -> Report:
    return Report(litellm, "0.1.0", ("1.106.2",), results, 12.34)


def test_a_line_for_each_check() -> None:
    """What holds is one word; what does not says what was expected and seen, and what is lost."""
    assert line(GOOD) == "ok      names are judged"
    assert line(BAD) == (
        'FAILED  hooks run: expected {"b": 2}, saw {"b": 3}; without it rules are not asked'
    )  # fmt: skip


def test_the_last_line() -> None:
    """The version, whether it is a tested one, how many hold, and what to do where some do not."""
    assert _report(GOOD).summary() == (
        "LiteLLM 1.110.2 (not a tested version): 1 of 1 checks passed in 12 s"
    )  # fmt: skip
    assert _report(GOOD, BAD, litellm="1.106.2").summary() == (
        "LiteLLM 1.106.2 (a tested version): 1 of 2 checks passed; do not serve clients with it. Install a "
        "tested version (1.106.2)"
    )


def test_json() -> None:
    """One document with everything."""
    found = json.loads(_report(GOOD, BAD).as_json())
    assert (found["litellm"], found["tested"], found["ok"], len(found["checks"])) == (
        "1.110.2",
        False,
        False,
        2,
    )
    assert found["checks"][1]["saw"] == {"a": 1, "b": 3}
