"""What the self-test found, as lines and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from litellm_homelab.testing.selftest.check import CheckResult


@dataclass(frozen=True, slots=True)
class Report:
    """All results, with the versions that they hold for."""

    litellm: str
    homelab: str
    tested: Sequence[str]
    results: Sequence[CheckResult]
    seconds: float

    @property
    def failed(self) -> list[CheckResult]:
        """What does not hold."""
        return [one for one in self.results if not one.ok]

    def as_json(self) -> str:
        """One document for programs."""
        return json.dumps(
            {
                "litellm": self.litellm,
                "litellm_homelab": self.homelab,
                "tested": self.litellm in self.tested,
                "ok": not self.failed,
                "seconds": round(self.seconds, 1),
                "checks": [asdict(one) for one in self.results],
            },
            default=str,
        )

    def summary(self) -> str:
        """The last line."""
        known = "a tested version" if self.litellm in self.tested else "not a tested version"
        passed = len(self.results) - len(self.failed)
        text = f"LiteLLM {self.litellm} ({known}): {passed} of {len(self.results)} checks passed"
        if not self.failed:
            return f"{text} in {self.seconds:.0f} s"
        versions = ", ".join(self.tested)
        return f"{text}; do not serve clients with it. Install a tested version ({versions})"


def line(result: CheckResult) -> str:
    """One check as a line; of one that failed what was expected, what was seen and what it means."""
    if result.ok:
        return f"ok      {result.name}"
    return (
        f"FAILED  {result.name}: expected {_shown(result.expected, result.saw)}, "
        f"saw {_shown(result.saw, result.expected)}; without it {result.promise}"
    )


def _shown(value: Any, other: Any) -> str:  # noqa: ANN401 - plain values
    """A value; of a mapping only what differs from the other one."""
    if isinstance(value, dict) and isinstance(other, dict):
        value = {name: one for name, one in value.items() if other.get(name) != one}
    return json.dumps(value, default=str)
