"""What leaves for the client: the handle it asked for, and nothing that names an upstream."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from litellm_homelab import encoded_ids

MODEL_KEYS = frozenset({"model", "modelVersion"})
ID_KEYS = frozenset(
    {"id", "item_id", "response_id", "previous_response_id", "responseId", "container_id", "video_id"}
)
ENVELOPES = frozenset({"response", "message", "item"})
"""Keys below which an event carries the object proper: responses events, Anthropic's `message_start`."""
LISTS = frozenset({"output", "data"})
"""Keys of lists whose entries have ids of their own."""
PLACEHOLDER = "upstream"


def restamped(body: Mapping[str, Any], handle: str | None) -> dict[str, Any]:
    """
    A copy of an answer's (or one event's) JSON body that names `handle` as its model.

    Ids in which LiteLLM hid a deployment are replaced by opaque ones; one that names only the handle (a
    file's, a batch's) stays, so that the client can ask for it again. Only the places where the OpenAI,
    Anthropic and Gemini formats name the model and ids are looked at; what the model said is not touched.
    """
    return {key: _value(key, value, handle) for key, value in body.items()}


def _value(key: str, value: Any, handle: str | None) -> Any:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, str):
        if key in MODEL_KEYS:
            return handle if handle is not None and value else value
        return encoded_ids.opaque(value) if key in ID_KEYS and _hides(value, handle) else value
    if isinstance(value, Mapping) and key in ENVELOPES:
        return restamped(value, handle)
    if isinstance(value, list) and key in LISTS:
        return [entry(item, handle) for item in value]
    return value


def _hides(encoded: str, handle: str | None) -> bool:
    return any(name != handle for name in encoded_ids.names_in(encoded))


def entry(item: Any, handle: str | None) -> Any:  # noqa: ANN401 - JSON of any shape
    """An entry of a list: its ids only; a listing's `model` is somebody else's business."""
    if not isinstance(item, Mapping) or "id" not in item:
        return item
    return {key: value if key in MODEL_KEYS else _value(key, value, handle) for key, value in item.items()}


@dataclass(frozen=True, slots=True)
class Scrubber:
    """Takes the operator's names and addresses out of a text by an upstream or by LiteLLM."""

    pattern: re.Pattern[str] | None
    public: frozenset[str] = frozenset()

    @classmethod
    def of(cls, names: Iterable[str], addresses: Iterable[str], public: Iterable[str]) -> Scrubber:
        """Build it from the names and addresses that must not be seen, less the names that clients use."""
        shown = frozenset(public)
        return cls(_pattern(frozenset((*names, *addresses)), shown), shown)

    def __call__(self, text: str) -> str:
        """The text with every name and address replaced by `upstream`."""
        return text if self.pattern is None else self.pattern.sub(self._instead, text)

    def _instead(self, match: re.Match[str]) -> str:
        return match.group() if match.group() in self.public else PLACEHOLDER


@functools.lru_cache(maxsize=8)
def _pattern(words: frozenset[str], public: frozenset[str]) -> re.Pattern[str] | None:
    """
    Secrets, and the public names that have one inside them, which are stepped over.

    A secret stands alone: `qwen` is not found in `qwen2.5`, but in `/srv/models/qwen` and `qwen.`.
    """
    secrets = words - public - {""}
    if not secrets:
        return None
    around = {name for name in public if any(span in secrets for span in _spans(name))}
    words_longest_first = sorted(secrets | around, key=lambda word: (-len(word), word))
    either = "|".join(re.escape(word) for word in words_longest_first)
    return re.compile(rf"(?<![A-Za-z0-9_.-])(?:{either})(?![A-Za-z0-9_]|[.-][A-Za-z0-9])")


def _spans(name: str) -> Iterable[str]:
    parts = name.split("/")
    return ("/".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, len(parts) + 1))


def address_words(api_base: str) -> Iterable[str]:
    """How an address shows up in error texts: whole, without the path, host and port, and the host alone."""
    if not api_base:
        return
    yield from {api_base, api_base.rstrip("/")}
    parts = urlsplit(api_base)
    if parts.netloc:
        yield f"{parts.scheme}://{parts.netloc}"
        yield parts.netloc
    if parts.hostname:
        yield parts.hostname


def model_words(model: str) -> Iterable[str]:
    """How a deployment's model shows up: with LiteLLM's provider prefix, without it, and its last part."""
    yield model
    if "/" in model:
        yield model.split("/", 1)[1]
        yield model.rsplit("/", 1)[1]
