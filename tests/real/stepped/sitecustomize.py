"""Python runs this at its start where its folder is in PYTHONPATH: a clock that a test steps."""

import os
import time
from pathlib import Path

FILE = Path(os.environ["STEPPED_CLOCK"])
"""Seconds that the clock is ahead, as text."""
_real = time.time


def _stepped() -> float:
    return _real() + float(FILE.read_text(encoding="utf-8"))


time.time = _stepped
