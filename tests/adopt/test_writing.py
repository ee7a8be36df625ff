"""How a changed file takes the old one's place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from litellm_homelab.adopt import writing


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The file that it leads to is replaced, with its permissions; the old one is beside the link."""
    real, link = tmp_path / "real.yaml", tmp_path / "router.yaml"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    backup = writing.write(link, "new")
    assert link.is_symlink()
    assert (real.read_text(), real.stat().st_mode & 0o777) == ("new", 0o640)
    assert (backup, backup.read_text()) == (tmp_path / "router.yaml.bak", "old")


def test_keys_in_a_file_are_never_readable_by_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new file and the backup are their owner's alone, and empty, until they have the old file's mode."""
    path = tmp_path / "router.yaml"
    path.write_text("master_key: sk-1")
    path.chmod(0o640)
    seen: list[tuple[int, int]] = []
    original = os.fchmod

    def noted(descriptor: int, mode: int) -> None:
        found = os.fstat(descriptor)
        seen.append((found.st_mode & 0o777, found.st_size))
        original(descriptor, mode)

    monkeypatch.setattr("os.fchmod", noted)
    before = os.umask(0)
    try:
        backup = writing.write(path, "new")
    finally:
        os.umask(before)
    assert seen == [(0o600, 0), (0o600, 0)]
    assert {one.stat().st_mode & 0o777 for one in (path, backup)} == {0o640}


def test_both_files_stay_in_the_group_of_the_old_one(tmp_path: Path) -> None:
    """LiteLLM may run as another user, who reads the file by its group; root keeps the owner too."""
    path = tmp_path / "router.yaml"
    path.write_text("old")
    group = 12345 if os.geteuid() == 0 else ([*os.getgroups(), os.getegid()])[0]
    os.chown(path, -1, group)
    backup = writing.write(path, "new")
    assert [one.stat().st_gid for one in (path, backup)] == [group, group]


def test_a_link_in_the_place_of_the_backup_is_not_followed(tmp_path: Path) -> None:
    """One that leads nowhere would give the old file to whoever made it; the next number is taken."""
    path = tmp_path / "router.yaml"
    path.write_text("old")
    (tmp_path / "router.yaml.bak").symlink_to(tmp_path / "elsewhere")
    assert writing.write(path, "new").name == "router.yaml.bak.1"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("step", ["os.fchmod", "os.fsync", "pathlib.Path.replace"])
def test_whichever_step_fails_the_file_is_as_it_was(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing half written is left."""

    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    path = tmp_path / "router.yaml"
    path.write_text("old")
    with monkeypatch.context() as patched:
        patched.setattr(step, broken)
        with pytest.raises(OSError, match="Input/output"):
            writing.write(path, "new")
    assert path.read_text() == "old"
    assert [*tmp_path.glob(".*")] == []


def test_a_diff_shows_a_missing_end_of_line() -> None:
    """As diff does it; files that are alike have none."""
    assert writing.diff("a\n", "a\nb", "old", "new").splitlines()[-2:] == [
        "+b",
        "\\ No newline at end of file",
    ]
    assert writing.diff("a\n", "a\n", "old", "new") == ""
