"""
What every driver does: ask each question, print what came back as one JSON object.

The environment has GATEWAY_URL and GATEWAY_KEY. Run in the clients' own venv: no import of this project but
this folder's. `tests/clients/node/driver.mjs` is the same for Node, with the same names of cases.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any

URL = os.environ.get("GATEWAY_URL", "")
KEY = os.environ.get("GATEWAY_KEY", "")
HANDLES = ("main", "deep", "boost")
QUESTION = "hello"
ABOUT_WEATHER = "Use the weather tool for Oslo"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"answer": {"type": "string"}, "number": {"type": "integer"}},
    "required": ["answer", "number"],
    "additionalProperties": False,
}
CITY: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
Case = Callable[[], Mapping[str, Any]]


def said(pieces: Iterable[str | None]) -> dict[str, Any]:
    """Return the text of an answer and in how many pieces it came."""
    heard = [piece for piece in pieces if piece]
    return {"text": "".join(heard), "pieces": len(heard)}


def called(name: str, arguments: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool call."""
    return {"tool": name, "arguments": json.loads(arguments) if isinstance(arguments, str) else arguments}


def run(cases: Mapping[str, Case]) -> None:
    """Ask every question, or those with an argument of the command line in their name; print the answers."""
    chosen = {
        name: case for name, case in cases.items() if not sys.argv[1:] or any(a in name for a in sys.argv[1:])
    }
    print(json.dumps({name: _ask(case) for name, case in chosen.items()}))


def _ask(case: Case) -> Mapping[str, Any]:
    try:
        return case()
    except Exception as error:  # noqa: BLE001 - what a client raises is what is looked at
        traceback.print_exc()
        return {
            "error": type(error).__name__,
            "status": getattr(error, "status_code", None),
            "text": str(error),
        }
