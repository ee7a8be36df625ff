"""Which LiteLLM versions are tested, with what: the record, README, pyproject.toml and the locks agree."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from litellm_homelab import TESTED_LITELLM
from tests import compat
from tests.test_requirements import REPOSITORY, pins

LOCKS = {path.stem.removeprefix("compat-") for path in (REPOSITORY / "requirements").glob("compat-*.txt")}


def allowed() -> SpecifierSet:
    """The range of pyproject.toml."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = [Requirement(one) for one in project["dependencies"]]
    return next(one.specifier for one in found if one.name == "litellm")


def test_the_tested_versions_are_those_that_ran() -> None:
    """In the order of their numbers; each has a lock."""
    assert list(TESTED_LITELLM) == list(compat.tested())
    assert set(TESTED_LITELLM) == LOCKS | pins("run.txt")["litellm"]


def test_the_range_ends_where_the_tests_end() -> None:
    """From the lowest tested version on, and no minor version above the newest tested one."""
    lowest, newest = TESTED_LITELLM[0], TESTED_LITELLM[-1]
    major, minor, _ = (int(part) for part in newest.split("."))

    assert all(version in allowed() for version in TESTED_LITELLM)
    assert f"{major}.{minor + 1}.0" not in allowed()
    assert lowest.endswith(".0")
    assert f"{lowest.split('.')[0]}.{int(lowest.split('.')[1]) - 1}.99" not in allowed()


def test_readme_has_the_table() -> None:
    """As the record makes it."""
    assert compat.table() in (REPOSITORY / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("entry", compat.SELECTION, ids=lambda entry: entry.path)
def test_each_entry_exists_and_has_a_reason(entry: compat.Entry) -> None:
    """No test is selected twice, by its folder and by itself."""
    assert (REPOSITORY / entry.path).exists()
    assert entry.why
    others = [Path(one.path) for one in compat.SELECTION if one is not entry]
    assert not any(Path(entry.path).is_relative_to(other) for other in others)


def test_the_short_selection_is_a_part() -> None:
    """CI runs a part of what `make test-compat` runs, the trap tests among it."""
    assert {*compat.selected("short")} < {*compat.selected("whole")}
    assert {"tests/real/test_litellm_traps.py", "tests/docs/test_traps.py"} <= {*compat.selected("short")}


@pytest.mark.parametrize("broken", ["failure", "error", "skipped"])
def test_a_run_with_a_failure_is_not_recorded(tmp_path: Path, broken: str) -> None:
    """Nor one in which a test was skipped."""
    counts = {"failure": "failures", "error": "errors", "skipped": "skipped"}
    report = tmp_path / "report.xml"
    report.write_text(
        f'<testsuites><testsuite tests="2" {counts[broken]}="1"/></testsuites>', encoding="utf-8"
    )
    with pytest.raises(SystemExit, match="not recorded"):
        compat.record(report, "compat")


def test_a_run_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its version gets the number of tests and the day; README's table follows."""
    record, readme, report = tmp_path / "tested.json", tmp_path / "README.md", tmp_path / "report.xml"
    record.write_text(
        json.dumps({"9.9.9": {"ran": "compat", "passed": 1, "on": "2026-01-01"}}), encoding="utf-8"
    )
    report.write_text('<testsuites><testsuite tests="1234" failures="0"/></testsuites>', encoding="utf-8")
    monkeypatch.setattr(compat, "RECORD", record)
    monkeypatch.setattr(compat, "README", readme)
    readme.write_text(f"before\n{compat.table()}\n", encoding="utf-8")

    compat.record(report, "compat")

    assert sorted(run["passed"] for run in compat.tested().values()) == [1, 1234]
    assert "1,234" in readme.read_text(encoding="utf-8")
    assert readme.read_text(encoding="utf-8") == f"before\n{compat.table()}\n"
