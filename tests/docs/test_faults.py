"""docs/faults.md has what the tests of faults declare."""

from __future__ import annotations

import ast

from tests.faults import table


def test_the_table_is_what_the_tests_declare() -> None:
    """`python -m tests.faults.table` writes it."""
    assert table.on_page(table.PAGE.read_text(encoding="utf-8")) == table.written()


def test_each_row_has_its_test() -> None:
    """The test that a row names is there, and each kind has rows."""
    found = table.rows()
    assert [*dict.fromkeys(row.kind for row in found)] == [*table.KINDS]
    for row in found:
        tree = ast.parse((table.REPOSITORY / row.file).read_text(encoding="utf-8"))
        assert row.test in {getattr(one, "name", "") for one in ast.walk(tree)}, row


def test_each_test_of_a_fault_is_a_row() -> None:
    """No test below tests/faults is left out of the page."""
    declared = {(row.file, row.test) for row in table.rows()}
    for path in (table.REPOSITORY / "tests" / "faults").glob("test_*.py"):
        file = path.relative_to(table.REPOSITORY).as_posix()
        names = [getattr(one, "name", "") for one in ast.parse(path.read_text(encoding="utf-8")).body]
        tests = {(file, name) for name in names if name.startswith("test_")}
        assert tests <= declared
