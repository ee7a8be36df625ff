"""Which files `make test-real` imports (`conftest.pytest_ignore_collect`)."""

from __future__ import annotations

from tests.conftest import MARKS, STORES, TESTS


def test_a_mark_comes_from_the_test_file_or_from_the_stores() -> None:
    """No other helper marks a test: its file would not be imported where real tests run."""
    helpers = {
        path.relative_to(TESTS).as_posix()
        for path in TESTS.rglob("*.py")
        if not path.name.startswith("test_") and MARKS[0] in path.read_text(encoding="utf-8")
    }
    assert helpers == {"conftest.py", (STORES / "backends.py").relative_to(TESTS).as_posix()}
