"""What was measured on: without it a number says nothing."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

CPUINFO: Final = Path("/proc/cpuinfo")
MODEL: Final = re.compile(r"^(?:model name|Hardware)\s*:\s*(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Machine:
    """One run's date (UTC), machine and versions."""

    date: str
    system: str
    cpu: str
    cores: int
    python: str
    litellm: str
    litellm_homelab: str
    load_before: float | None
    """The load average of the minute before the run: above some tenths, somebody else was at work."""

    @classmethod
    def this(cls) -> Machine:
        """The machine that this runs on, now."""
        return cls(
            date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            system=f"{platform.system()} {platform.machine()}",
            cpu=_cpu(),
            cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0,
            python=platform.python_version(),
            litellm=version("litellm"),
            litellm_homelab=version("litellm-homelab"),
            load_before=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        )

    def line(self) -> str:
        """All of it, in one sentence's length."""
        busy = "" if self.load_before is None else f"; load average before: {self.load_before}"
        return (
            f"{self.date}; {self.cpu}, {self.cores} cores, {self.system}; Python {self.python}, "
            f"LiteLLM {self.litellm}, litellm-homelab {self.litellm_homelab}{busy}"
        )


def _cpu() -> str:
    try:
        found = MODEL.search(CPUINFO.read_text(encoding="utf-8"))
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()
