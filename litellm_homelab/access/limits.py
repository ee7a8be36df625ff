"""
How much one JSON body may hold: messages and content parts, embedding inputs, values, levels.

Forms are not looked at here: starlette takes at most 1,000 fields and 1,000 files of a form, and at most
1 MB of a field (its `Request.form`, whose defaults LiteLLM 1.106.2 keeps); more is LiteLLM's 400.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from litellm_homelab import refusals
from litellm_homelab.decision import Refuse

PARTS: Final = 2000
"""
Default of `homelab.limits.parts`.

LiteLLM 1.106.2 works on its event loop for each message and part: 20,000 parts of 0.6 MB keep it busy for
12 to 17 s, in which the worker serves no other request.
"""
INPUTS: Final = 2048
"""
Texts or token lists in one embeddings request; the bound of OpenAI's API, whose clients batch up to it.

Source: the OpenAI API reference, "Create embeddings", `input`. `limits.parts` counts where it is larger.
"""
VALUES_PER_PART: Final = 50
"""
JSON values for each allowed part; together they bound what no list counts: metadata, tools, schemas.

A message with its content has about ten values; a hundred tools with their schemas have about 10,000.
"""
DEPTH: Final = 128
"""
Levels of objects and lists inside each other.

LiteLLM copies, masks and logs a request recursively, and Python gives up at 1,000 frames. Real requests have
fewer than 30 levels, JSON schemas included.
"""
SMALL: Final = 65_536
"""Bytes of a body whose brackets and commas are counted first; in a larger one there are too many of them."""
FREE_FORM: Final = frozenset(
    {"tools", "functions", "response_format", "guided_json", "json_schema", "structured_outputs", "format"}
    | {"parameters", "input_schema", "output_schema", "response_schema", "responseSchema", "output_format"}
    | {"responseJsonSchema", "parametersJsonSchema", "args", "arguments", "response", "chat_template_kwargs"}
)
"""
Fields that hold any JSON: schemas, arguments and results of tools.

Items of a list of that name count (each tool is one), lists inside of it do not; the bound on values does.
"""
TOOL_INPUT: Final = "input"
"""Free-form inside a content block, Anthropic's `tool_use`; elsewhere it is the prompt."""
PROMPTS: Final = frozenset({"messages", "content", "contents", "parts", "system"})
"""Fields whose items count whatever they are; elsewhere numbers are token ids and do not."""
NAMED: Final = frozenset({*PROMPTS, "input", "prompt", "documents", "requests", "tools", "functions"})
"""Fields that a refusal names as its `param`."""
NUMBERS: Final[frozenset[type]] = frozenset({int, float})
HOLDERS: Final[frozenset[type]] = frozenset({dict, list})
"""Types of parsed JSON, compared as they are: a list of 16 million token ids is looked through in C."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value is: its field, the top-level field, how deep, and whether inside free-form JSON."""

    field: str = ""
    top: str = ""
    depth: int = 1
    free: bool = False

    def below(self, field: str) -> _Place:
        """The place of a value inside of this one, in `field`."""
        free = self.free or self.field in FREE_FORM or (field == TOOL_INPUT and self.field == "content")
        return _Place(field, self.top or field, self.depth + 1, free)


def is_within(body: bytes, parts: int = PARTS) -> bool:
    """
    Whether a JSON text is so small that `refusal` would find nothing, by its brackets and commas.

    Nothing can be deeper than there are brackets, and there are no more values than brackets and commas: each
    follows one. Those inside of texts count as well, so a small body may be said to be larger, never a large
    one to be small.
    """
    if len(body) > SMALL:
        return False
    opened = body.count(b"{") + body.count(b"[")
    return opened <= DEPTH and opened + body.count(b",") <= parts


def refusal(body: Mapping[str, Any], parts: int = PARTS) -> Refuse | None:
    """
    Refuse a body that holds too much; None for one that does not.

    `body` is the JSON object as LiteLLM reads it (of a key that occurs twice, the last value). The walk keeps
    its own stack, visits each value once and ends at the first bound that is passed.

    Args:
        body: the parsed JSON object.
        parts: most messages and content parts, over all lists together.

    """
    inputs = _inputs(body)
    most_inputs, most_values = max(parts, INPUTS), max(parts, PARTS) * VALUES_PER_PART
    if len(inputs) > most_inputs:
        return _too_many("inputs", "input", most_inputs)
    counted, values = 0, 0
    for value, place in _walk(body):
        if place.depth > DEPTH:
            return _too_deep(place.top)
        inside = _values(value)
        values += inside
        if isinstance(value, list) and value is not inputs and not place.free:
            counted += len(value) if place.field in PROMPTS else inside
        if counted > parts:
            return _too_many("messages and content parts", place.top, parts)
        if values > most_values:
            return _too_many("JSON values", place.top, most_values)
    return None


def _walk(body: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any] | list[Any], _Place]]:
    """Each object and list of a body, the outer ones first, with its place."""
    stack: list[tuple[Mapping[str, Any] | list[Any], _Place]] = [(body, _Place())]
    while stack:
        value, place = stack.pop()
        yield value, place
        if isinstance(value, Mapping):
            stack += [(inner, place.below(name)) for name, inner in value.items() if type(inner) in HOLDERS]
        elif not HOLDERS.isdisjoint(map(type, value)):
            below = place.below(place.field)
            stack += [(inner, below) for inner in value if type(inner) in HOLDERS]


def _inputs(body: Mapping[str, Any]) -> Sequence[Any]:
    """The texts or token lists of an embeddings request; empty where `input` is anything else."""
    found = body.get("input")
    if isinstance(found, list) and all(type(one) is str or _is_numbers(one) for one in found):
        return found
    return ()


def _is_numbers(value: object) -> bool:
    return isinstance(value, list) and NUMBERS.issuperset(map(type, value))


def _values(value: Mapping[str, Any] | list[Any]) -> int:
    """Values directly inside an object or a list; numbers of a list are left out, they are token ids."""
    if isinstance(value, Mapping):
        return len(value)
    return 0 if _is_numbers(value) else sum(type(item) not in NUMBERS for item in value)


def _too_many(what: str, field: str, most: int) -> Refuse:
    return refusals.too_many(what, most, field if field in NAMED else None)


def _too_deep(field: str) -> Refuse:
    return refusals.nested_too_deeply(DEPTH, field if field in NAMED else None)
