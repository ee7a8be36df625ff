"""Golden cases of `sync`: a folder with a router.yaml and its sources, and what the command prints."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from litellm_homelab.adopt import writing
from litellm_homelab.config.settings import Known
from litellm_homelab.sync.synchronise import Synchronised, SyncRequest, synchronise

SYNC_CASES: Final = Path(__file__).parent / "cases"
EXPECTED: Final = "expected.txt"


def folders() -> Iterator[Path]:
    """Every case."""
    yield from sorted(path for path in SYNC_CASES.iterdir() if path.is_dir())


def copied(case: Path, folder: Path) -> Path:
    """The router.yaml of a case in an empty folder."""
    shutil.copytree(case, folder, dirs_exist_ok=True)
    return folder / "router.yaml"


def synced(path: Path) -> Synchronised:
    """What `sync` makes of it."""
    return synchronise(SyncRequest(path), {}, Known(version="1.108.7"))


def text_of(found: Synchronised) -> str:
    """The diff, the notes, and what is left to do."""
    diff = writing.diff(found.before, found.after, "router.yaml", "router.yaml (new)")
    lines = [*(f"note: {one}" for one in found.notes), *(f"to do: {one}" for one in found.left)]
    return diff + "".join(f"{one}\n" for one in lines)
