"""Numbers of `/metrics/`: the text format of Prometheus, as far as two looks are compared."""

from __future__ import annotations

import re
from typing import Final

_SAMPLE: Final = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>[^}]*)\})? (?P<value>[^ ]+)")
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
OURS: Final = "homelab_refusals_total"
"""A series that every gateway with our plugin has from its start."""


def has(text: str, name: str) -> bool:
    """Whether a metric is declared."""
    return f"# TYPE {name.removesuffix('_total')}" in text or f"\n{name}" in text


def total(text: str, name: str, **labels: str) -> float:
    """The sum of a metric's samples that have these labels; 0 where there are none."""
    found = 0.0
    for line in text.splitlines():
        match = _SAMPLE.fullmatch(line) if line.startswith(name) else None
        if match is None or match["name"] != name:
            continue
        own = dict(_LABEL.findall(match["labels"] or ""))
        if all(own.get(label) == value for label, value in labels.items()):
            found += _number(match["value"])
    return found


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
