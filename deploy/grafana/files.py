"""The dashboards' JSON files."""

from __future__ import annotations

import json
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.optillm_lane import optillm_lane
from deploy.grafana.overview import overview

FOLDER = Path(__file__).parent / "dashboards"
DASHBOARDS = {"overview": overview, "optillm_lane": optillm_lane}


def texts() -> dict[Path, str]:
    """Each file's path and its text."""
    return {
        FOLDER / f"{name}.json": json.dumps(make().build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"
        for name, make in DASHBOARDS.items()
    }


def write() -> None:
    """Rewrite the files."""
    for path, text in texts().items():
        path.write_text(text, encoding="utf-8")
