"""Puts the repository's package on the path, and keeps LiteLLM off the network: imported before LiteLLM."""

from __future__ import annotations

import os
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")


def main(file: Path, written: str) -> None:
    """Write a file that is made from LiteLLM, or with `--print` what it would be."""
    if "--print" in sys.argv:
        sys.stdout.write(written)
        return
    file.write_text(written, encoding="utf-8")
    sys.stdout.write(f"{file}\n")
