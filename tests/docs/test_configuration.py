"""docs/configuration.md: what it adds to the shipped files is a configuration that works."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from litellm_homelab.config import loading
from litellm_homelab.testing import MockProxy
from tests.docs.added import CONFIG, add, copied, environ
from tests.docs.blocks import REPOSITORY, Block, blocks

PAGE = REPOSITORY / "docs" / "configuration.md"
ADDED = blocks("yaml", PAGE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped configuration with the page's handles.jsonl beside it."""
    folder = copied(tmp_path)
    for block in blocks("jsonl", PAGE):
        (folder / "handles.jsonl").write_text(block.text, encoding="utf-8")
    return folder


def _names(block: Block, which: str) -> list[str]:
    showroom: Mapping[str, list[str]] = yaml.safe_load(block.text).get("homelab", {}).get("showroom", {})
    return list(showroom.get(which, []))


def test_each_block_can_be_added(folder: Path) -> None:
    """The settings accept the shipped file with the blocks of the page up to any point."""
    for count in range(1, len(ADDED) + 1):
        shutil.copy(CONFIG / "router.yaml", folder / "router.yaml")
        loaded = loading.load(add(folder, ADDED[:count]), environ=environ(PAGE))
        assert {name for block in ADDED[:count] for name in _names(block, "handles")} <= set(loaded.handles)


async def test_every_name_of_the_page_leads_to_its_group(folder: Path) -> None:
    """With everything added, handles and hidden names answer, and internal ones are not there."""
    config = add(folder, ADDED)
    callable_ = [name for block in ADDED for which in ("handles", "hidden") for name in _names(block, which)]
    async with MockProxy(config, environ(PAGE)) as proxy:
        for name in [*callable_, "notes"]:
            answer = await proxy.chat(name)
            assert (answer.status, answer.sent_to) == (200, [name]), answer.text
        for name in (name for block in ADDED for name in _names(block, "internal")):
            assert (await proxy.chat(name)).status == 404
        proxy.upstream("coder").fails(500)
        answer = await proxy.chat("coder")
        assert answer.json["model"] == "coder"
        assert answer.sent_to[-1] == "coder-on-cpu"


def test_what_is_said_to_be_commented_out_is() -> None:
    """Handles and variables of the blocks that the shipped files have commented out are in them so."""
    router, env = ((CONFIG / name).read_text(encoding="utf-8") for name in ("router.yaml", "env.example"))
    for name in ("tinyagents", "afm", "openvino"):
        assert re.search(rf"^\s*# - {name}$", router, re.MULTILINE)
        assert re.search(rf"^# {name.upper()}_MODEL=", env, re.MULTILINE)
