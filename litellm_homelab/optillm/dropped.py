"""
What an approach silently drops of a request: tools, the answer's format, pictures, sound, files.

Measured on OptiLLM 0.3.12 and 0.4.0: of lists of content parts every approach keeps the texts alone; tools
and `response_format` go on with those that hand a request's fields to the model (`wire.PASSING_ON`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_homelab import refusals
from litellm_homelab.config.sections import Lane
from litellm_homelab.decision import Refuse
from litellm_homelab.optillm import wire
from litellm_homelab.optillm.approaches import Approach

TOOLS: Final = ("tools", "functions")
PROMPTS: Final = ("messages", "input", "contents")
INNER: Final = ("content", "parts", "output")
"""Keys under which a message, an item or a tool's result has content parts."""
PARTS: Final[Mapping[str, str]] = {
    "image_url": "images", "input_image": "images", "image": "images", "video_url": "images",
    "input_audio": "audio", "audio_url": "audio",
    "file": "files", "input_file": "files", "document": "files",
}  # fmt: skip
"""Types of content parts other than text, and what they are called."""
GOOGLES: Final = ("inlineData", "inline_data", "fileData", "file_data")
NAMES: Final = ("tools", "response_format", "images", "audio", "files")
"""What `x-homelab-dropped` may say, in this order."""
NEEDS_FIELDS: Final = frozenset({"tools", "response_format"})
"""What goes on with some approaches; the rest goes on with none."""


def dropped(approach: Approach, body: Mapping[str, Any]) -> tuple[str, ...]:
    """What an approach leaves out of a request, by the names of `NAMES`; `body` is any API's."""
    wanted = set(_wanted(body))
    kept = {name for name in NEEDS_FIELDS if wire.passes_on(name, approach)}
    return tuple(name for name in NAMES if name in wanted - kept)


def refusal(handle: str, lane: Lane, approach: Approach, names: tuple[str, ...]) -> Refuse | None:
    """The refusal of what would be dropped, where the operator chose so (`on_dropped: refuse`)."""
    if not names or lane.on_dropped == "serve":
        return None
    name = names[0]
    taking = [one for one in lane.approaches if name in NEEDS_FIELDS and wire.PASSING_ON & {one}]
    return refusals.dropped_by_approach(handle, approach.text, name, taking)


def _wanted(body: Mapping[str, Any]) -> Iterator[str]:
    if any(body.get(name) for name in TOOLS) and body.get("tool_choice") != "none":
        yield "tools"
    if _has_format(body):
        yield "response_format"
    for name in PROMPTS:
        yield from _in_parts(body.get(name))


def _has_format(body: Mapping[str, Any]) -> bool:
    """Whether an answer of a certain form is asked for: by OpenAI's, Anthropic's or Google's fields."""
    formats = [
        body.get("response_format"),
        _inner(body, "text", "format"),
        _inner(body, "output_config", "format"),
        body.get("output_format"),
    ]
    if any(one and _inner(one, "type") != "text" for one in formats):
        return True
    google = _inner(body, "generationConfig") or _inner(body, "config")
    return any(_inner(google, name) for name in ("responseSchema", "responseJsonSchema")) or (
        _inner(google, "responseMimeType") == "application/json"
    )


def _inner(value: Any, *names: str) -> Any:  # noqa: ANN401 - JSON of any shape
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _in_parts(value: object) -> Iterator[str]:
    """What the messages, items and parts below a field hold; with a stack, not recursively."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, Mapping):
            kind = PARTS.get(str(one.get("type")))
            if kind is not None:
                yield kind
            if any(name in one for name in GOOGLES):
                yield "files"
            waiting += [one[name] for name in INNER if name in one]
