"""What a page says to add to the shipped configuration: its blocks, on a copy of `config/`."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from litellm_homelab.cli import environment
from tests.docs.blocks import REPOSITORY, Block, blocks

CONFIG = REPOSITORY / "config"


def merged(base: Any, addition: Any) -> Any:
    """Mappings become one, lists get longer by what they have not, anything else is replaced."""
    if isinstance(base, dict) and isinstance(addition, dict):
        return {**base, **{key: merged(base.get(key), value) for key, value in addition.items()}}
    if isinstance(base, list) and isinstance(addition, list):
        return [*base, *(item for item in addition if item not in base)]
    return addition


def environ(*pages: Path) -> dict[str, str]:
    """The shipped environment with fresh keys, and the variables of the pages' env blocks."""
    text = environment.with_fresh_secrets((CONFIG / "env.example").read_text(encoding="utf-8"))
    found = dict(environment.parse(text, "env.example"))
    for block in blocks("env", *pages):
        found |= environment.parse(block.text, block.id)
    return found


def copied(folder: Path) -> Path:
    """Copy `config/` below a folder, without keys of its own."""
    ignored = shutil.ignore_patterns("env.local", "*.db*")
    return Path(shutil.copytree(CONFIG, folder / "config", ignore=ignored))


def add(folder: Path, added: Iterable[Block]) -> Path:
    """Add YAML blocks to the router.yaml of a folder; gives its path."""
    path = folder / "router.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    for block in added:
        document = merged(document, yaml.safe_load(block.text))
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path
