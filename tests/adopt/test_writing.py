"""How a changed file takes the old one's place."""

from __future__ import annotations

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


@pytest.mark.parametrize("step", ["pathlib.Path.chmod", "pathlib.Path.replace", "pathlib.Path.write_bytes"])
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
