"""
How long an Ollama keeps a model in memory after an answer: what it takes, and where in a request.

A number of seconds or a duration; negative keeps the model loaded, 0 unloads it (Ollama's docs/api.md, read
in November 2026). Its own routes (`/api/chat`, `/api/generate`, `/api/embed`) read it beside `model`; among
`options`, where LiteLLM's `ollama/` puts it (1.108.7), and on `/v1/chat/completions` it does nothing.
"""

from __future__ import annotations

import re
from typing import Any, Final, TypeAlias

KeepAlive: TypeAlias = int | str

FIELD: Final = "keep_alive"
PROVIDERS: Final = frozenset({"ollama", "ollama_chat"})
"""LiteLLM's providers that ask Ollama's own routes."""
MOST_SECONDS: Final = 10**9
NUMBER: Final = re.compile(r"-?\d{1,10}", re.ASCII)
DURATION: Final = re.compile(r"-?(?:\d{1,9}(?:\.\d{1,9})?(?:ms|s|m|h))+", re.ASCII)
"""Durations as Go reads them, without its shorter units."""
EXPECTED: Final = "expected seconds or a duration such as 30m; 0 unloads the model, -1 keeps it loaded"


def read(value: object) -> KeepAlive:
    """
    What an operator wrote, as Ollama takes it.

    Raises:
        ValueError: Ollama would not take it.

    """
    number = int(value) if isinstance(value, str) and NUMBER.fullmatch(value) else value
    if isinstance(number, int) and not isinstance(number, bool) and abs(number) <= MOST_SECONDS:
        return number
    if isinstance(number, str) and DURATION.fullmatch(number):
        return number
    raise ValueError(EXPECTED)


def put_into(body: dict[str, Any], value: KeepAlive) -> None:
    """Change the body of a request to Ollama: whatever a client asked for goes."""
    options = body.get("options")
    if isinstance(options, dict):
        options.pop(FIELD, None)
    body[FIELD] = value
