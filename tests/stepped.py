"""The file of a clock that a test steps (tests/real/stepped), and where to set the clock first."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

STEPPED: Final = Path(__file__).parent / "real" / "stepped"
"""The folder for PYTHONPATH."""
NOON: Final = 18
"""The hour, in UTC, that is away from midnight in UTC and in California: every preset's zones."""


def set_ahead(file: Path, seconds: float) -> None:
    """Write how far a clock is ahead; who reads it meanwhile finds the old number or the new one."""
    new = file.with_name(f".{file.name}.{os.getpid()}")
    new.write_text(str(seconds), encoding="utf-8")
    new.replace(file)


def ahead_of_midnight(now: datetime) -> float:
    """How far to set the clock ahead, in seconds: to the next moment from which no day ends for hours."""
    noon = now.astimezone(UTC).replace(hour=NOON, minute=0, second=0, microsecond=0)
    return ((noon if noon >= now else noon + timedelta(days=1)) - now).total_seconds()
