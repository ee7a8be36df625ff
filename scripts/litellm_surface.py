"""
Writes what one LiteLLM takes from clients to tests/surface/<version>.txt, for review.

Run it with the interpreter of a virtual environment that has the LiteLLM in question, from the repository:

    .venv/bin/python scripts/litellm_surface.py

It loads every feature of LiteLLM, so it takes half a minute. Then compare the new file with the one before,
and follow docs/review-a-litellm.md.
"""

from __future__ import annotations

import asyncio
import sys
from importlib.metadata import version

from repository import REPOSITORY

# isort: split
from litellm_homelab.adapter.litellm_api import installed
from litellm_homelab.reviewed.surface import written


def main() -> None:
    """Load everything, write everything."""
    from litellm.proxy import _lazy_features as lazy
    from litellm.proxy.proxy_server import app

    async def load() -> None:
        for feature in lazy.LAZY_FEATURES:
            await lazy._force_load(app, feature)

    asyncio.run(load())
    path = REPOSITORY / "tests" / "surface" / f"{version('litellm')}.txt"
    heading = f"# LiteLLM {version('litellm')}; scripts/litellm_surface.py wrote this.\n"
    path.write_text(heading + written(installed.surface(app)), encoding="utf-8")
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
