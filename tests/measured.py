"""Hands coverage's settings to processes that tests start with an environment of their own."""

from __future__ import annotations

import os


def coverage_environ() -> dict[str, str]:
    """Variables that make a child measured where this process is (`make coverage`); empty elsewhere."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
