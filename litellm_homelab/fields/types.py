"""The JSON types of documented fields: a value of another type is a mistake that no backend explains well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

Types: TypeAlias = Mapping[str, tuple[str, ...]]
"""JSON types that a field may have, by its name; the words are the keys of `WORDS`."""

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "boolean": "true or false",
        "integer": "an integer",
        "number": "a number",
        "string": "a string",
        "array": "an array",
        "object": "an object",
    }
)
"""How a person reads the name of a type."""


def _table(**types: str) -> Types:
    """Fields by their types, which are joined by `_or_`; names are separated by spaces."""
    return {name: tuple(kinds.split("_or_")) for kinds, names in types.items() for name in names.split()}


_CHAT: Final = _table(
    boolean="stream logprobs parallel_tool_calls store",
    number=(
        "temperature top_p presence_penalty frequency_penalty min_p typical_p repetition_penalty "
        "repeat_penalty"
    ),
    integer="n max_tokens max_completion_tokens top_logprobs seed top_k min_tokens",
    string="user service_tier verbosity prompt_cache_key safety_identifier",
    array="messages tools functions modalities",
    object="stream_options response_format logit_bias audio prediction web_search_options",
    string_or_array="stop",
    string_or_object="tool_choice function_call reasoning_effort",
)
_COMPLETIONS: Final = _table(
    boolean="stream echo",
    number="temperature top_p presence_penalty frequency_penalty",
    integer="n max_tokens best_of logprobs seed",
    string="suffix user",
    string_or_array="prompt stop",
    object="stream_options logit_bias",
)
_RESPONSES: Final = _table(
    boolean="stream store background parallel_tool_calls",
    number="temperature top_p",
    integer="max_output_tokens max_tool_calls top_logprobs",
    string="previous_response_id truncation user service_tier prompt_cache_key safety_identifier",
    array="tools include",
    object="text reasoning stream_options",
    string_or_array="input instructions",
    string_or_object="tool_choice conversation",
)
_MESSAGES: Final = _table(
    boolean="stream",
    number="temperature top_p",
    integer="max_tokens top_k",
    array="messages stop_sequences tools",
    object="tool_choice thinking metadata",
    string_or_array="system",
)
_EMBEDDINGS: Final = _table(integer="dimensions", string="encoding_format user", string_or_array="input")
_GENERATE: Final = _table(
    object="generationConfig toolConfig",
    array="safetySettings",
)
_IMAGES: Final = _table(
    boolean="stream",
    integer="n output_compression partial_images",
    string="prompt size quality style background response_format output_format user",
)
_SPEECH: Final = _table(number="speed", string="input instructions response_format stream_format")
_RERANK: Final = _table(integer="top_n max_chunks_per_doc", array="documents", boolean="return_documents")

DOCUMENTED: Final[Mapping[str, Types]] = MappingProxyType(
    {
        "chat": _CHAT,
        "completions": _COMPLETIONS,
        "responses": _RESPONSES,
        "cursor": MappingProxyType({**_CHAT, **_RESPONSES}),
        "messages": _MESSAGES,
        "embeddings": _EMBEDDINGS,
        "generate": _GENERATE,
        "image_generation": _IMAGES,
        "speech": _SPEECH,
        "rerank": _RERANK,
        "moderation": _table(string_or_array="input"),
    }
)
"""
Documented types by API (names of `routes.py`): OpenAI's, Anthropic's and Google's API references, as in the
types of openai-python 2.54.0 and anthropic-python, read on 2026-11-25.

Only fields that all clients send in the documented type; `model` is the showroom's to judge. OpenAI's API
refuses numbers in quotation marks as well. `null` counts as left out.
"""


@dataclass(frozen=True, slots=True)
class WrongType:
    """A field whose value has another JSON type than the documented ones."""

    name: str
    expected: tuple[str, ...]
    got: str

    @property
    def wanted(self) -> str:
        """The documented types, in words."""
        return " or ".join(WORDS[kind] for kind in self.expected)


def wrong_type(api: str, document: Mapping[str, object]) -> WrongType | None:
    """The first field of a JSON body with a value of a wrong type; None where all are right."""
    known = DOCUMENTED.get(api, {})
    for name in filter(known.__contains__, document):
        expected, value = known[name], document[name]
        if value is not None and not any(_is(kind, value) for kind in expected):
            return WrongType(name, expected, _shown(value))
    return None


REQUIRED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({"messages": ("messages", "max_tokens")})
"""
Required fields whose absence LiteLLM explains badly, by API.

On messages it names its own function, "anthropic_messages: Missing required parameter" (measured on 1.106.2).
"""


def missing(api: str, document: Mapping[str, object]) -> str | None:
    """The first required field that a body leaves out; None where none is, or where it names no model."""
    required = REQUIRED.get(api, ()) if document.get("model") else ()
    return next((name for name in required if document.get(name) is None), None)


def _is(kind: str, value: object) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer":  # 100.0 is an integer to JSON Schema, and to JavaScript
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, _PYTHON[kind])


_PYTHON: Final[Mapping[str, type | tuple[type, ...]]] = MappingProxyType(
    {"boolean": bool, "number": (int, float), "string": str, "array": list, "object": dict}
)


def _shown(value: object) -> str:
    """What a value is, to a person; the value itself only where it is a number, or true or false."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"[:60]
    kind = "a string" if isinstance(value, str) else "an array" if isinstance(value, list) else "an object"
    return f"{kind} ({value!r})" if isinstance(value, str) and len(value) <= _SHORT else kind


_SHORT: Final = 20
"""Characters of a text that a message may repeat."""
