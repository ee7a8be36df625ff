"""docs/configuration.md: what it adds to the shipped files is a configuration that works."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from litellm_homelab.cli import environment
from litellm_homelab.config import loading
from litellm_homelab.testing import MockProxy
from tests.docs.blocks import REPOSITORY, Block, blocks

PAGE = REPOSITORY / "docs" / "configuration.md"
CONFIG = REPOSITORY / "config"
ADDED = blocks("yaml", PAGE)


def _merged(base: Any, addition: Any) -> Any:
    """Mappings become one, lists get longer by what they have not, anything else is replaced."""
    if isinstance(base, dict) and isinstance(addition, dict):
        return {**base, **{key: _merged(base.get(key), value) for key, value in addition.items()}}
    if isinstance(base, list) and isinstance(addition, list):
        return [*base, *(item for item in addition if item not in base)]
    return addition


def _environ() -> dict[str, str]:
    text = environment.with_fresh_secrets((CONFIG / "env.example").read_text(encoding="utf-8"))
    environ = environment.parse(text, "env.example")
    for block in blocks("env", PAGE):
        environ |= environment.parse(block.text, block.id)
    return environ


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped configuration with the page's handles.jsonl beside it."""
    shutil.copytree(CONFIG, tmp_path / "config")
    for block in blocks("jsonl", PAGE):
        (tmp_path / "config" / "handles.jsonl").write_text(block.text, encoding="utf-8")
    return tmp_path / "config"


def _with(folder: Path, *added: Block) -> Path:
    path = folder / "router.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    for block in added:
        document = _merged(document, yaml.safe_load(block.text))
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def _names(block: Block, which: str) -> list[str]:
    showroom: Mapping[str, list[str]] = yaml.safe_load(block.text).get("homelab", {}).get("showroom", {})
    return list(showroom.get(which, []))


def test_each_block_can_be_added(folder: Path) -> None:
    """The settings accept the shipped file with the blocks of the page up to any point."""
    for count in range(1, len(ADDED) + 1):
        shutil.copy(CONFIG / "router.yaml", folder / "router.yaml")
        loaded = loading.load(_with(folder, *ADDED[:count]), environ=_environ())
        assert {name for block in ADDED[:count] for name in _names(block, "handles")} <= set(loaded.handles)


async def test_every_name_of_the_page_leads_to_its_group(folder: Path) -> None:
    """With everything added, handles and hidden names answer, and internal ones are not there."""
    config = _with(folder, *ADDED)
    callable_ = [name for block in ADDED for which in ("handles", "hidden") for name in _names(block, which)]
    async with MockProxy(config, _environ()) as proxy:
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
