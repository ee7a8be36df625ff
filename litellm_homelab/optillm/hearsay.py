"""
Swallowed refusals: what OptiLLM answers when its calls were refused, the only trace of a loop without tokens.

Only `carrier: off` needs it. It counts only for a request during which OptiLLM did come back, and only as a
whole text, not in a text that quotes it: answers to other requests must not be taken for a loop.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import BaseModel

from litellm_homelab.refusals import RETURN_TEXT

_NO_ANSWER: Final = (
    r"Error: Could not generate (?:any completions|any candidates|sufficient candidates for selection)$"
)
_FAILED: Final = r"(?:Error (?:processing request|generating solution)|MARS system encountered an error): "
_CAUSE: Final = (
    rf"(?:.*{RETURN_TEXT}|Completions\.create\(\) got an unexpected keyword argument 'optillm_approach'$)"
)
SWALLOWED: Final = re.compile(rf"(?:<think>\s*)?(?:{_NO_ANSWER}|{_FAILED}{_CAUSE})", re.DOTALL)
"""
The texts of answers with a 200: of moa and bon, majority_voting, genselect, and of spl and mars, all of whose
calls were refused (measured on OptiLLM 0.3.12 and 0.4.0). The other approaches answer 500 with the refusal's
own text, save cepo, which forgets it.
"""
_TEXT_KEYS: Final = frozenset({"content", "text", "delta"})
"""Where the formats of chat, completions, responses, messages and Gemini have a text."""
_DATA: Final = "data:"


def tells_of_return(answer: object) -> bool:
    """Whether an answer or the chunks of a stream say that OptiLLM's calls were refused."""
    return any(SWALLOWED.match(text.strip()) for text in texts(answer))


def error_tells_of_return(text: str) -> bool:
    """Whether the text of OptiLLM's error repeats that its call was refused."""
    return RETURN_TEXT in text


def texts(answer: object) -> Iterator[str]:
    """Every text of an answer or of chunks, in whatever format; raw server-sent events are read."""
    if isinstance(answer, BaseModel):
        yield from texts(answer.model_dump())
    elif isinstance(answer, bytes | str):
        yield from _event_texts(answer)
    elif isinstance(answer, Mapping):
        for name, value in answer.items():
            if name in _TEXT_KEYS and isinstance(value, str):
                yield value
            elif not isinstance(value, str):
                yield from texts(value)
    elif isinstance(answer, list | tuple):
        for item in answer:
            yield from texts(item)


def _event_texts(raw: bytes | str) -> Iterator[str]:
    lines = (raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw).splitlines()
    for line in lines:
        if line.startswith(_DATA):
            try:
                event = json.loads(line.removeprefix(_DATA))
            except ValueError:  # the end of the stream, or half an event
                continue
            if not isinstance(event, str):
                yield from texts(event)
