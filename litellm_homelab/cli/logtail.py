"""The end of a log, as a person wants to read it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from litellm_homelab.reviewed.surface import NOTICE

_TRACEBACK = "Traceback (most recent call last):"
_FRAME = '  File "'


def readable_tail(log: str, lines: int) -> str:
    """
    The last lines of a log; JSON lines as their ``message``, tracebacks without their frames.

    LiteLLM puts a failed start into one JSON line, settings errors and all (measured on 1.106.2).
    """
    return "\n".join(list(_readable(log))[-lines:])


def notices(log: str) -> list[str]:
    """Return the lines of a log that count what has not been reviewed of this LiteLLM, each one once."""
    lines = (_message(line) for line in log.splitlines() if NOTICE in line)
    return list(dict.fromkeys(line[line.find("LiteLLM ", line.find("homelab:")) :] for line in lines))


def _readable(log: str) -> Iterator[str]:
    for line in log.splitlines():
        text = _message(line)
        yield from (_without_frames(text) if _TRACEBACK in text else text).splitlines()


def _message(line: str) -> str:
    try:
        record = json.loads(line)
    except ValueError:
        return line
    return str(record["message"]) if isinstance(record, dict) and "message" in record else line


def _without_frames(traceback: str) -> str:
    """What follows the last frame: the exception that mattered, all its lines."""
    lines = traceback.splitlines()
    last_frame = max((number for number, line in enumerate(lines) if line.startswith(_FRAME)), default=-1)
    below = lines[last_frame + 1 :]
    while below and below[0].startswith("    "):
        below.pop(0)
    return "\n".join(below)
