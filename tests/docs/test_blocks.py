"""Python and JSON blocks of every page; the README's Python is run beside the README's router.yaml."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest

from tests.docs.blocks import PAGES, README, REPOSITORY, Block, blocks


@pytest.mark.parametrize("block", [pytest.param(block, id=block.id) for block in blocks("python", *PAGES)])
async def test_python_runs(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python block runs from the folder that its page means, and so does every test that it defines."""
    if block.page == README:
        (tmp_path / "router.yaml").write_text(blocks("yaml", README)[0].text, encoding="utf-8")
    monkeypatch.chdir(tmp_path if block.page == README else REPOSITORY)
    names: dict[str, object] = {"__name__": "block"}
    exec(compile(block.text, block.id, "exec"), names)  # our own pages
    tests = [test for name, test in names.items() if name.startswith("test_") and callable(test)]
    assert tests, "a Python block that defines no test shows nothing"
    for test in tests:
        done = test()
        if inspect.isawaitable(done):
            await done


@pytest.mark.parametrize("block", [pytest.param(block, id=block.id) for block in blocks("json", *PAGES)])
def test_json_is_json(block: Block) -> None:
    """A JSON block parses."""
    json.loads(block.text)
