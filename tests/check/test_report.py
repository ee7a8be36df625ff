"""The report as text and as JSON."""

from __future__ import annotations

import json

from litellm_homelab.check import report
from litellm_homelab.check.finding import Finding
from litellm_homelab.check.run import CheckReport

ONE = Finding("a-kind", "error", "router.yaml", 3, 5, "a.b", "a.b: wrong; mend it")
TWO = Finding("b-kind", "warning", "router.yaml", 4, 1, "", "odd; look at it")


def test_text_has_a_line_each_and_how_many() -> None:
    """As compilers write it, so that editors and CI find the place."""
    assert report.as_text(CheckReport((ONE, TWO, TWO)), "router.yaml").splitlines() == [
        "router.yaml:3:5: error: a.b: wrong; mend it [a-kind]",
        "router.yaml:4:1: warning: odd; look at it [b-kind]",
        "router.yaml:4:1: warning: odd; look at it [b-kind]",
        "router.yaml: 1 error, 2 warnings",
    ]


def test_a_clean_file_says_so_and_what_was_not_checked() -> None:
    """Variables that are not set here are a note, not a finding."""
    names = tuple(f"NAME_{number}" for number in range(7))
    assert report.as_text(CheckReport((), names), "router.yaml").splitlines() == [
        "router.yaml: no problems found",
        (
            "note: not set here, so not checked: NAME_0, NAME_1, NAME_2, NAME_3, NAME_4 and 2 more; "
            "--env FILE checks them too"
        ),
    ]


def test_a_file_without_our_section_is_pointed_to_init() -> None:
    """Its owner runs LiteLLM alone so far."""
    one = Finding("homelab-missing", "error", "a.yaml", 1, 1, "homelab", "homelab: missing")
    assert report.as_text(CheckReport((one,)), "a.yaml").splitlines()[-1] == (
        "note: `litellm-homelab init a.yaml` drafts the section and the lines that load it"
    )


def test_json_has_everything() -> None:
    """Findings with all their fields, counts, and variables that are not set."""
    found = json.loads(report.as_json(CheckReport((ONE,), ("NAME",)), "router.yaml"))
    assert found == {
        "file": "router.yaml",
        "findings": [
            {
                "id": "a-kind",
                "severity": "error",
                "file": "router.yaml",
                "line": 3,
                "column": 5,
                "where": "a.b",
                "message": "a.b: wrong; mend it",
            }
        ],
        "counts": {"error": 1, "warning": 0, "hint": 0},
        "unset": ["NAME"],
    }
