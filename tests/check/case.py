"""A golden case of the check: a router.yaml that says in its last lines what must be found in it."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from litellm_homelab import TESTED_LITELLM
from litellm_homelab.check import report
from litellm_homelab.check.run import CheckRequest, check_file

CASES: Final = Path(__file__).parent / "cases"
EXPECTED: Final = "# found:\n"
OPTIONS: Final = "# options: "
VERSION: Final = "1.108.7"
KNOWN: Final = re.compile(r"\(known: [^)]*\)")
"""Lists of what is valid, which grow with the package and with LiteLLM."""


@dataclass(frozen=True, slots=True)
class CheckCase:
    """`cases/ID.yaml`, with a folder `cases/ID` of what lies beside it where it needs that."""

    path: Path

    @property
    def text(self) -> str:
        """The whole file."""
        return self.path.read_text(encoding="utf-8")

    @property
    def expected(self) -> str:
        """What must be found."""
        _, _, lines = self.text.partition(EXPECTED)
        return "".join(line.removeprefix("# ") for line in lines.splitlines(keepends=True))

    def request(self, folder: Path) -> CheckRequest:
        """Put the case into an empty folder, and say how it is checked there."""
        shutil.copy(self.path, folder / "router.yaml")
        beside = self.path.with_suffix("")
        if beside.is_dir():
            shutil.copytree(beside, folder, dirs_exist_ok=True)
        for path in folder.glob("*.py.txt"):  # in the repository it would be a module
            path.rename(path.with_suffix(""))
        words = self.text.partition(OPTIONS)[2].partition("\n")[0].split()
        options = dict(zip(words[::2], words[1::2], strict=True))
        env, optillm = options.get("--env"), options.get("--optillm-config")
        return CheckRequest(
            Path("router.yaml"),
            Path(env) if env else None,
            Path(optillm) if optillm else None,
            options.get("--litellm", VERSION),
        )

    def found(self, folder: Path) -> str:
        """What is found, one finding a line; the process must be in `folder`."""
        done = check_file(self.request(folder), environ={})
        lines = "".join(f"{report.line(one)}\n" for one in done.findings)
        return KNOWN.sub("(known: ...)", lines.replace(", ".join(TESTED_LITELLM), "..."))


def cases() -> list[CheckCase]:
    """Every case."""
    return [CheckCase(path) for path in sorted(CASES.glob("*.yaml"))]
