"""Where workers of one gateway find each other."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_homelab.adapter.page.meeting import GONE_SECONDS, MeetingPlace, gateway_of


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path."""
    with tempfile.TemporaryDirectory(prefix="meet-") as made:
        yield Path(made) / "sockets"


def test_workers_of_one_gateway_have_one_name() -> None:
    """Another parent, or another machine behind the same folder, is another gateway."""
    one = gateway_of("host", 7)
    assert one == gateway_of("host", 7)
    assert len({one, gateway_of("host", 8), gateway_of("other", 7)}) == 3


def test_it_is_below_the_folder_for_temporary_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named after the user, and closed to others."""
    monkeypatch.setattr(tempfile, "tempdir", str(folder.parent))
    place = MeetingPlace.of_this_process()
    with place.enter("one"):
        made = folder.parent / f"litellm-homelab-{os.getuid()}"
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
        assert [path.name for path in made.iterdir()] == [place.path("one").name]


def test_without_a_folder_that_can_be_written_there_is_no_place(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway starts: only what needs the place fails, and says why."""

    def missing() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", missing)
    monkeypatch.chdir(folder.parent)
    place = MeetingPlace.of_this_process()
    (folder.parent / f"litellm-homelab-{os.getuid()}").touch()
    assert place.others("one") == []
    place.leave("one")
    with pytest.raises(OSError, match="litellm-homelab-"):
        place.enter("one")


def test_a_link_in_its_place_is_refused(folder: Path) -> None:
    """It could lead to another user's folder."""
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    folder.symlink_to(elsewhere)
    with pytest.raises(PermissionError):
        MeetingPlace(folder, "gateway").enter("one")


def test_too_long_a_path_is_an_error(folder: Path) -> None:
    """The system allows about 100 characters."""
    folder.mkdir(mode=0o700)
    with pytest.raises(OSError, match="too long"):
        MeetingPlace(folder, "g" * 200).enter("one")


def test_who_enters_removes_what_killed_gateways_left(folder: Path) -> None:
    """Old sockets that refuse; not young ones, and not those that listen."""
    folder.mkdir(mode=0o700)
    before = time.time() - GONE_SECONDS - 1
    other = MeetingPlace(folder, "other")
    for name in ("old", "young"):
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(other.path(name)))
    with other.enter("alive"):
        for name in ("old", "alive"):
            os.utime(other.path(name), (before, before))
        with MeetingPlace(folder, "gateway").enter("one"):
            assert {path.name for path in folder.iterdir()} == {"other.young", "other.alive", "gateway.one"}
