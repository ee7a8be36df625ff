"""What one event of a model's answer says: content, the end, an error, or nothing of these.

The shapes of the formats differ, so one look at the JSON tells them apart: OpenAI's chat completions and
completions, its responses, Anthropic's messages, Gemini's candidates, Ollama's chat and generate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

SPEAKING: Final = (
    *("content", "reasoning_content", "reasoning", "reasoning_details", "thinking", "thinking_blocks"),
    *("tool_calls", "function_call", "audio", "images", "refusal", "text", "response"),
)
"""Fields of a delta or a message whose value is content; `reasoning*` and `thinking*` are local servers'."""
SILENT: Final = frozenset(
    {"index", "type", "id", "role", "format", "expires_at", "signature", "status"}
    | {"thoughtSignature", "encrypted_content", "mimeType"}
)
"""Keys of an object of content whose value alone is none."""
CUT: Final = frozenset(
    {"length", "max_tokens", "max_output_tokens", "content_filter", "refusal", "incomplete", "load"}
    | {"safety", "recitation", "blocklist", "prohibited_content", "spii", "language", "image_safety"}
    | {"model_context_window_exceeded", "pause_turn", "unload"}
)
"""Reasons to finish, in lower case, for which an answer without content is a real one."""
ITEMS: Final = frozenset({"response.output_item.added", "response.output_item.done"})
ENDS: Final = frozenset({"response.completed", "response.incomplete"})
FAILED: Final = frozenset({"error", "response.failed"})
DEEPEST: Final = 12
"""Levels of an object that are searched for content; documented ones have five."""


class Said(NamedTuple):
    """What an event says."""

    content: bool = False
    finish: str | None = None
    """Why the answer ends, in lower case; None where it goes on."""
    error: Mapping[str, Any] | None = None

    @property
    def is_cut(self) -> bool:
        """Whether the answer ends for a reason that also ends one without content."""
        return self.finish in CUT


NOTHING: Final = Said()


def said(document: object) -> Said:
    """What the JSON of an event, or of a whole answer, says."""
    if not isinstance(document, Mapping):
        return NOTHING
    error = _error(document)
    if error is not None:
        return Said(error=error)
    kind = document.get("type")
    if isinstance(kind, str):
        return _typed(kind, document)
    if "choices" in document:
        return _joined(map(_choice, _objects(document["choices"])))
    if "candidates" in document or "promptFeedback" in document:
        return _gemini(document)
    if document.get("object") == "response":
        return _response(document)
    if "done" in document or "message" in document or "response" in document:
        return _ollama(document)
    return NOTHING


def has_text(document: object) -> bool:
    """
    Whether the JSON is a whole chat completion whose first choice has a text.

    Most answers are: `said` finds content and no error in each of them, in ten times as many steps.
    """
    try:
        text = document["choices"][0]["message"]["content"]  # type: ignore[index]
        return type(text) is str and text != "" and "error" not in document and "type" not in document  # type: ignore[operator]
    except (LookupError, TypeError):
        return False


def _error(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The event, where it is an error: of that type, or with a key `error` that says something."""
    return document if document.get("type") in FAILED or document.get("error") else None


def _typed(kind: str, document: Mapping[str, Any]) -> Said:
    """Events of responses and messages; a whole message of Anthropic's has the type `message`."""
    if kind == "message":
        return Said(says(document.get("content")), _reason(document.get("stop_reason")))
    if kind == "message_stop":
        return Said(finish="stop")
    if kind == "message_delta":
        delta = document.get("delta")
        return Said(finish=_reason(delta.get("stop_reason")) if isinstance(delta, Mapping) else None)
    if kind in ENDS:
        return _response(document.get("response"), kind.removeprefix("response."))
    if kind in ITEMS:
        return Said(_item(document.get("item")))
    if kind == "content_block_start":
        return Said(_block(document.get("content_block")))
    if kind.endswith("delta"):
        return Said(says(document.get("delta")))
    return Said("partial_image_b64" in document)


def _choice(choice: Mapping[str, Any]) -> Said:
    finish = _reason(choice.get("finish_reason"))
    inner = choice.get("delta") or choice.get("message")
    found = _speaks(inner) if isinstance(inner, Mapping) else False
    return Said(found or says(choice.get("text")), finish)


def _gemini(document: Mapping[str, Any]) -> Said:
    feedback = document.get("promptFeedback")
    blocked = feedback.get("blockReason") if isinstance(feedback, Mapping) else None
    if blocked and not document.get("candidates"):
        return Said(finish="content_filter")
    return _joined(map(_candidate, _objects(document.get("candidates"))))


def _candidate(candidate: Mapping[str, Any]) -> Said:
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, Mapping) else None
    found = any(says(part) for part in _objects(parts))
    return Said(found, _reason(candidate.get("finishReason")))


def _ollama(document: Mapping[str, Any]) -> Said:
    message = document.get("message")
    found = _speaks(message) if isinstance(message, Mapping) else False
    done = document.get("done") is True
    reason = _reason(document.get("done_reason")) or "stop"
    return Said(found or _speaks(document), reason if done else None)


def _response(response: object, finish: str = "") -> Said:
    """A response of /v1/responses: in the event that ends it, or a whole one."""
    if not isinstance(response, Mapping):
        return Said(finish=finish or None)
    status = finish or _reason(response.get("status")) or ""
    content = any(map(_item, _objects(response.get("output"))))
    return Said(content, status if status in {"completed", "incomplete"} else None)


def _item(item: object) -> bool:
    """Whether an item of a response has content: a text, a call, a picture."""
    if not isinstance(item, Mapping):
        return False
    kept = ("content", "summary", "encrypted_content", "name", "arguments", "input", "result", "action")
    return any(says(item.get(name)) for name in kept)


def _block(block: object) -> bool:
    """Whether a block of Anthropic's begins with content: the name of a tool is, an empty text is not."""
    return isinstance(block, Mapping) and says({**block, "input": None})


def _speaks(message: Mapping[str, Any]) -> bool:
    return any(says(message[name]) for name in SPEAKING if name in message)


def says(value: object, depth: int = 0) -> bool:
    """Whether there is any text below a value, besides that of keys which say nothing alone."""
    if isinstance(value, str):
        return value != ""
    if depth > DEEPEST:
        return False
    if isinstance(value, Mapping):
        return any(says(inner, depth + 1) for key, inner in value.items() if key not in SILENT)
    return isinstance(value, list) and any(says(inner, depth + 1) for inner in value)


def _joined(parts: Iterable[Said]) -> Said:
    """What several choices say together; they are at their end when one of them is."""
    content, finish = False, None
    for part in parts:
        content, finish = content or part.content, finish or part.finish
    return Said(content, finish)


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _reason(value: object) -> str | None:
    return value.lower() if isinstance(value, str) and value else None
