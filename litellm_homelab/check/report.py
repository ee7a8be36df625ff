"""The report as text, one finding a line as compilers write it, and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from litellm_homelab.check.finding import SEVERITIES, Finding
from litellm_homelab.check.run import CheckReport

NO_SECTION = "homelab-missing"
SHOWN = 5
"""Variables that a note names."""


def as_text(report: CheckReport, file: str) -> str:
    """`FILE:LINE:COLUMN: severity: message [id]`, then how many there are."""
    return "\n".join((*map(line, report.findings), *_end(report, file)))


def line(one: Finding) -> str:
    """One finding."""
    return f"{one.file}:{one.line}:{one.column}: {one.severity}: {one.message} [{one.id}]"


def _end(report: CheckReport, file: str) -> Iterator[str]:
    counts = Counter(one.severity for one in report.findings)
    said = [f"{counts[one]} {one}{'s' if counts[one] > 1 else ''}" for one in SEVERITIES if counts[one]]
    yield f"{file}: {', '.join(said) or 'no problems found'}"
    if any(one.id == NO_SECTION for one in report.findings):
        yield f"note: `litellm-homelab init {file}` drafts the section and the lines that load it"
    if report.unset:
        names = ", ".join(report.unset[:SHOWN])
        more = f" and {len(report.unset) - SHOWN} more" if len(report.unset) > SHOWN else ""
        yield f"note: not set here, so not checked: {names}{more}; --env FILE checks them too"


def as_json(report: CheckReport, file: str) -> str:
    """One document: the findings, how many of each severity, and variables that are not set here."""
    keys = ("id", "severity", "file", "line", "column", "where", "message")
    found = [{key: getattr(one, key) for key in keys} for one in report.findings]
    counts = Counter(one.severity for one in report.findings)
    return json.dumps(
        {
            "file": file,
            "findings": found,
            "counts": {one: counts[one] for one in SEVERITIES},
            "unset": list(report.unset),
        },
        indent=2,
    )
