"""
What every driver does: ask each question, print what came back as one line of JSON: its name, the answer.

The environment has GATEWAY_URL and GATEWAY_KEY. Run in the clients' own venv: no import of this project but
this folder's. `tests/clients/node/driver.mjs` is the same for Node, with the same names of cases.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from functools import partial
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
Answer = Mapping[str, Any]
Case = Callable[[], Answer]
Ask = Callable[[str, bool], Answer]
"""Asks a handle, streamed or not."""
WAYS = {False: "whole", True: "streamed"}


def cells(
    api: str,
    text: Ask | None = None,
    tools: Ask | None = None,
    structured: Ask | None = None,
    *,
    handles: Iterable[str] = HANDLES,
    ways: Iterable[bool] = WAYS,
    wrong_name: bool = True,
) -> dict[str, Case]:
    """Return the cases of one API, named as tests/clients/matrix.py names its cells."""
    asked = {"text": text, "tools": tools, "structured": structured}
    found: dict[str, Case] = {}
    for stream in ways:
        for what, ask in asked.items():
            if ask is not None:
                found |= {f"{api}/{what}/{one}/{WAYS[stream]}": partial(ask, one, stream) for one in handles}
        if text is not None and wrong_name:
            found[f"{api}/wrong-name/nowhere/{WAYS[stream]}"] = partial(text, "nowhere", stream)
    return found


def said(pieces: Iterable[str | None]) -> dict[str, Any]:
    """Return the text of an answer and in how many pieces it came."""
    heard = [piece for piece in pieces if piece]
    return {"text": "".join(heard), "pieces": len(heard)}


def called(name: str, arguments: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool call."""
    return {"tool": name, "arguments": json.loads(arguments) if isinstance(arguments, str) else arguments}


def run(cases: Mapping[str, Case]) -> None:
    """Ask every question, or those with an argument of the command line in their name; print the answers."""
    for name, case in cases.items():
        if not sys.argv[1:] or any(part in name for part in sys.argv[1:]):
            print(json.dumps([name, _ask(case)]), flush=True)


def _ask(case: Case) -> Answer:
    try:
        return case()
    except Exception as error:  # noqa: BLE001 - what a client raises is what is looked at
        traceback.print_exc()
        return {
            "error": type(error).__name__,
            "status": getattr(error, "status_code", None),
            "text": str(error),
        }
