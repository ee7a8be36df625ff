"""Allow-lists of what an object of an answer may hold, as nested shapes; what is not listed is removed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import repeat
from operator import call
from typing import Any, Final, TypeAlias

from litellm_homelab.formats import encoded_ids

WORD: Final = re.compile(r"[A-Za-z][A-Za-z_.]{0,59}")
"""Machine words of the APIs: `chat.completion.chunk`, `tool_calls`, `MAX_TOKENS`."""
LABEL: Final = re.compile(r"[A-Za-z0-9#/][A-Za-z0-9_.:+/-]{0,59}")
"""Words with digits: sizes (`1024x1024`), times, languages (`en-US`), paths of the API, dated block types."""
CATEGORY: Final = re.compile(r"[a-z][a-z_/-]{0,59}")
"""Names of moderation categories, OpenAI's (`self-harm/intent`) and other models' (`pii`)."""
INPUTS: Final = frozenset({"text", "image", "audio"})
"""Kinds of input that a moderation names for each category."""
KINDS: Final = frozenset(
    {
        "chatcmpl",
        "cmpl",
        "resp",
        "msg",
        "rs",
        "fc",
        "ws",
        "fs",
        "ig",
        "ci",
        "mcp",
        "call",
        "file",
        "batch",
        "video",
    }
    | {"cntr", "modr", "embd", "item", "toolu", "rerank", "interaction"}
)
"""What ids of the APIs begin with."""
PLAIN_ID: Final = re.compile(
    rf"(?:(?:{'|'.join(sorted(KINDS))})[-_])?(?:[0-9a-f]+|[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})"
)
"""Ids that can carry no name: a number, hexadecimal digits, a UUID (RFC 9562)."""
REMEMBERED: Final = 64
"""Ids that are remembered of one answer: a stream repeats the same few in every event."""


def _as_it_is(text: str) -> str:
    return text


@dataclass(slots=True)
class View:
    """
    For whom an answer is rewritten.

    `handle` is the name that the client asked for, None where it asked for none; `clean` takes secrets and
    names out of a text that is not the model's own (an error's message, an upstream's status word).
    """

    handle: str | None
    clean: Callable[[str], str] = _as_it_is
    ids: dict[str, str] = field(default_factory=dict)


Rule: TypeAlias = Callable[[Any, View], Any]
"""What becomes of the value of a listed field; `DROPPED` removes it after all."""

DROPPED: Final = object()


def content(value: Any, view: View) -> Any:  # noqa: ANN401, ARG001 - JSON of any shape
    """Pass a value as it is: the model's own words, or what the client sent."""
    return value


def unlisted(value: Any, view: View) -> Any:  # noqa: ANN401, ARG001 - JSON of any shape
    """Remove a field that is on no list."""
    return DROPPED


def number(value: Any, view: View) -> Any:  # noqa: ANN401, ARG001 - JSON of any shape
    """Pass a number, a truth value or nothing; text in its place is removed."""
    return value if value is None or isinstance(value, int | float) else DROPPED


def numbers(value: Any, view: View) -> Any:  # noqa: ANN401 - JSON of any shape
    """Pass the numbers of a mapping or list of numbers, of whatever names."""
    if isinstance(value, Mapping):
        return {key: inner for key, inner in value.items() if number(inner, view) is not DROPPED}
    if isinstance(value, list):
        return [inner for inner in value if number(inner, view) is not DROPPED]
    return number(value, view)


def categories(value: Any, view: View) -> Any:  # noqa: ANN401 - JSON of any shape
    """Pass the categories of a moderation: with a number or the kinds of input for each."""
    if not isinstance(value, Mapping):
        return number(value, view)
    kept = {
        key: _category(inner, view)
        for key, inner in value.items()
        if CATEGORY.fullmatch(key) and view.clean(key) == key
    }
    return {key: inner for key, inner in kept.items() if inner is not DROPPED}


def _category(value: Any, view: View) -> Any:  # noqa: ANN401 - JSON of any shape
    if not isinstance(value, list):
        return number(value, view)
    return value if all(isinstance(one, str) and one in INPUTS for one in value) else DROPPED


def word(value: Any, view: View) -> Any:  # noqa: ANN401 - JSON of any shape
    """Pass a machine word of the API, cleaned of names; anything else that is text is removed."""
    return value if isinstance(value, str) and value in WORDS else _matching(WORD, value, view)


def label(value: Any, view: View) -> Any:  # noqa: ANN401 - JSON of any shape
    """Pass a word that may have digits in it, cleaned of names; anything else that is text is removed."""
    return _matching(LABEL, value, view)


def text(value: Any, view: View) -> Any:  # noqa: ANN401 - JSON of any shape
    """Pass a text of the upstream's about the answer, cleaned of names."""
    return view.clean(value) if isinstance(value, str) else number(value, view)


def _matching(pattern: re.Pattern[str], value: Any, view: View) -> Any:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, str):
        return view.clean(value) if not value or pattern.fullmatch(value) else DROPPED
    return number(value, view)


def model(value: Any, view: View) -> Any:  # noqa: ANN401 - JSON of any shape
    """Name the handle in the place of any model; without a handle the field is removed."""
    if value is None or value == "":
        return value
    return DROPPED if view.handle is None else view.handle


def identifier(value: Any, view: View) -> Any:  # noqa: ANN401 - JSON of any shape
    """
    Pass an id; make it opaque where it carries another name than the handle, plain or encoded.

    A file's or a batch's id that names only the handle stays, so that the client can ask for it again.
    """
    if not isinstance(value, str):
        return number(value, view)
    known = view.ids.get(value)
    if known is None:
        known = _identifier(value, view)
        if len(view.ids) < REMEMBERED:
            view.ids[value] = known
    return known


def _identifier(value: str, view: View) -> str:
    names = encoded_ids.names_in(value)
    if names and all(name == view.handle for name in names):
        return value
    return value if not names and PLAIN_ID.fullmatch(value) else opaque(value)


def opaque(value: str) -> str:
    """An id that carries nothing: the same for the same id, and of its kind if that is one of the APIs'."""
    kind, _, _ = value.partition("-" if "-" in value[:12] else "_")
    made = encoded_ids.opaque(value)
    return made if kind in KINDS else made.rpartition("-")[2].rpartition("_")[2]


def error(value: Any, view: View) -> Any:  # noqa: ANN401 - JSON of any shape
    """Pass an error without names: its texts cleaned, its fields those of the APIs' error objects."""
    from litellm_homelab.answers import errors  # errors are shapes too

    return errors.shown(value, view)


class Shape:
    """The fields that an object of an answer may have, each with the rule for its value."""

    __slots__ = ("fields", "name")

    def __init__(self, name: str, fields: Mapping[str, Rule]) -> None:
        self.name = name
        self.fields = fields

    def __repr__(self) -> str:
        return f"Shape({self.name})"

    def __call__(self, value: Any, view: View) -> Any:  # noqa: ANN401 - JSON of any shape
        """
        A copy of an object, or of each object in a list, with the listed fields only.

        What is neither (null, or a number or text where the API has an object) is judged like a machine word.
        The fields are walked in C: every event of a stream passes here, object by object.
        """
        if isinstance(value, list):
            return [new for one in value if (new := self(one, view)) is not DROPPED]
        if not isinstance(value, dict):
            return word(value, view)
        rules = map(self.fields.get, value, repeat(unlisted))
        kept = dict(zip(value, map(call, rules, value.values(), repeat(view)), strict=True))
        if DROPPED in kept.values():
            return {key: new for key, new in kept.items() if new is not DROPPED}
        return kept


def shape(
    name: str,
    *,
    passed: str = "",
    numeric: str = "",
    words: str = "",
    labels: str = "",
    texts: str = "",
    ids: str = "",
    models: str = "",
    inner: Mapping[str, Rule] | None = None,
) -> Shape:
    """A shape from the names of its fields, separated by blanks, for each rule."""
    rules: tuple[tuple[str, Rule], ...] = (
        (passed, content), (numeric, number), (words, word), (labels, label), (texts, text),
        (ids, identifier), (models, model),
    )  # fmt: skip
    fields = {one: rule for names, rule in rules for one in names.split()}
    return Shape(name, {**fields, **(inner or {})})


def names(text: str) -> list[str]:
    """Names that are written one after the other."""
    return text.split()


WORDS: Final = frozenset(
    names(
        "assistant user system tool developer model stop length tool_calls function_call content_filter "
        "function "
        "chat.completion chat.completion.chunk text_completion list embedding response message "
        "output_text text "
        "reasoning completed in_progress incomplete failed message_start message_delta message_stop "
        "content_block_start content_block_delta content_block_stop text_delta input_json_delta "
        "thinking_delta "
        "signature_delta end_turn max_tokens stop_sequence tool_use thinking STOP MAX_TOKENS reasoning_text "
        "summary_text disabled auto response.created response.in_progress response.completed "
        "response.output_item.added response.output_item.done response.content_part.added "
        "response.content_part.done response.output_text.delta response.output_text.done "
        "response.reasoning_summary_text.delta response.reasoning_summary_part.added "
        "response.function_call_arguments.delta response.function_call_arguments.done"
    )
)
"""Words that come in every event; any other is looked through for names."""
