"""Settings for all tests."""

import os
import signal
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

# LiteLLM otherwise fetches its price list from the internet when it is imported.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

# A terminal in which README's `. config/env.local` has run has a gateway's settings; tests bring their own.
for _line in (Path(__file__).parents[1] / "config" / "env.example").read_text(encoding="utf-8").splitlines():
    os.environ.pop(_line.partition("=")[0].strip("# "), None)

# How long an example takes says more about the machine than about the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# What a shell runs in the background ignores Ctrl-C, and so would every process that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

TESTS = Path(__file__).parent
REAL = TESTS / "real"
FUZZ = TESTS / "fuzz"
STORES = TESTS / "state"
MARKS = ("pytest.mark.real", "tests.state.backends")
"""One of them is in every file with a real test, but for those two folders (`test_marks.py`)."""
SLOWEST = TESTS / "slowest.txt"
"""The slowest files, slowest first: begun last, one of them would keep a single process busy at the end."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no file of which the other half alone has tests: each process of xdist collects for itself."""
    half = config.option.markexpr
    if half == "not real":
        return collection_path == REAL or None
    if half != "real" or not collection_path.name.startswith("test_"):
        return None
    if any(collection_path.is_relative_to(folder) for folder in (REAL, STORES)):
        return None
    return not any(mark in collection_path.read_text(encoding="utf-8") for mark in MARKS) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slowest files first; mark what starts real processes: everything below tests/real."""
    ranks = {name: rank for rank, name in enumerate(SLOWEST.read_text(encoding="utf-8").split())}
    items.sort(key=lambda item: ranks.get(os.path.relpath(item.path, TESTS), len(ranks)))
    for item in items:
        if item.path.is_relative_to(REAL):
            item.add_marker(pytest.mark.real)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """
    Properties and fuzzers run unmeasured: coverage doubles their time, and a gate must not rest on chance.

    Coverage's tracer is put back as it was; it measures nothing of this thread in between.
    """
    function = getattr(item, "obj", None)
    generated = getattr(function, "is_hypothesis_test", False) or item.path.is_relative_to(FUZZ)
    if not generated or "COVERAGE_PROCESS_CONFIG" not in os.environ:
        return (yield)
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)
