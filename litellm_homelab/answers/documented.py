"""
Answers of /v1/responses in the form that OpenAI documents: every required field, every event in its place.

LiteLLM 1.106.2 makes them from chat completions and leaves out what is empty: `summary` of reasoning items,
`summary_index` and `sequence_number` of events, `output_text.delta` where reasoning and text came together.
The AI SDK refuses such a stream altogether.  Required fields: openai-python 2.54.0, `openai.types.responses`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

Body: TypeAlias = dict[str, Any]

RESPONSE: Final[Mapping[str, Any]] = {
    "object": "response", "status": "completed", "error": None, "incomplete_details": None,
    "instructions": None, "metadata": {}, "output": [], "parallel_tool_calls": True, "tool_choice": "auto",
    "tools": [],
}  # fmt: skip
"""Fields of a response that clients rely on, with their values where the upstream sets none."""
NEEDED: Final = frozenset({"object", "output", "parallel_tool_calls", "tool_choice", "tools", "status"})
"""Those of them that may not be null."""
ENVELOPED: Final = frozenset(
    {"response.created", "response.in_progress", "response.completed", "response.incomplete"}
    | {"response.failed", "response.queued"}
)
"""Events that carry the response."""


def response(body: Mapping[str, Any]) -> Body:
    """A response with every required field, its items completed."""
    made = {**body}
    for name, default in RESPONSE.items():
        if name not in made or (made[name] is None and name in NEEDED):
            made[name] = default.copy() if isinstance(default, dict | list) else default
    made["output"] = [item(one) if isinstance(one, Mapping) else one for one in made["output"]]
    if isinstance(made.get("usage"), Mapping):
        made["usage"] = usage(made["usage"])
    return made


def usage(counted: Mapping[str, Any]) -> Body:
    """The usage of a response with its required details."""
    made = {"input_tokens": 0, "output_tokens": 0, **counted}
    made["total_tokens"] = counted.get("total_tokens") or made["input_tokens"] + made["output_tokens"]
    for name, needed in (
        ("input_tokens_details", ("cached_tokens", "cache_write_tokens")),
        ("output_tokens_details", ("reasoning_tokens",)),
    ):
        details = made.get(name)
        known = {key: value for key, value in (details or {}).items() if value is not None}
        made[name] = {**dict.fromkeys(needed, 0), **known}
    return made


def item(body: Mapping[str, Any], status: str = "completed") -> Body:
    """An output item with the fields that its type requires."""
    made = {**body}
    kind = made.get("type")
    if kind == "reasoning":
        return _reasoning(made)
    if kind == "message":
        made["content"] = [
            part(one) if isinstance(one, Mapping) else one for one in made.get("content") or ()
        ]
        return {**made, "role": made.get("role") or "assistant", "status": made.get("status") or status}
    if kind in {"function_call", "custom_tool_call"}:
        text = "arguments" if kind == "function_call" else "input"
        called = made.get("call_id") or made.get("id") or ""
        return {**made, "call_id": called, "name": made.get("name") or "", text: made.get(text) or ""}
    return made


def _reasoning(made: Body) -> Body:
    """Reasoning in `summary`: LiteLLM writes it as the content of a message (1.106.2, not streamed)."""
    content = made.pop("content", None) or []
    texts = [one for one in content if isinstance(one, Mapping)]
    own = [one for one in texts if one.get("type") == "reasoning_text"]
    others = [str(one.get("text") or "") for one in texts if one.get("type") != "reasoning_text"]
    for name in ("role", "phase"):
        made.pop(name, None)
    summary = made.get("summary")
    if not isinstance(summary, list):
        made["summary"] = [summary_part(text) for text in others if text]
    if own:
        made["content"] = own
    return made


def summary_part(text: str) -> Body:
    """A part of a reasoning item's summary."""
    return {"type": "summary_text", "text": text}


def part(body: Mapping[str, Any]) -> Body:
    """A content part with the fields that its type requires."""
    if body.get("type") != "output_text":
        return {**body}
    return {**body, "annotations": body.get("annotations") or [], "text": body.get("text") or ""}


@dataclass(slots=True)
class _Item:
    """An output item of a stream: what its client has seen of it."""

    kind: str
    index: int
    name: str = ""
    parts: set[int] = field(default_factory=set)
    """Parts of the content, or of the summary, that were announced."""
    texts: dict[int, str] = field(default_factory=dict)
    """What was sent of each part's text, or of a tool's arguments."""


TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "response.output_text": ("message", "content_index"),
    "response.reasoning_summary_text": ("reasoning", "summary_index"),
    "response.function_call_arguments": ("function_call", ""),
}
"""Events that bring a text in deltas and then as a whole: the item they belong to, and the part's number."""
ANNOUNCED: Final = {
    "response.content_part.added": "content_index",
    "response.reasoning_summary_part.added": "summary_index",
}


class Stream:
    """
    The events of one streamed response, completed.

    Each event goes in once; what comes out is what the client is sent in its place: the events that should
    have come before it, and itself.  A text that comes whole without its deltas is sent as one.
    """

    def __init__(self) -> None:
        self._sent = 0
        self._items: dict[str, _Item] = {}

    def events(self, event: Mapping[str, Any]) -> list[Body]:
        """The events to send in the place of one."""
        made = {**event}
        return [self._numbered(one) for one in (*self._before(made), self._completed(made))]

    def _numbered(self, event: Body) -> Body:
        event["sequence_number"] = self._sent
        self._sent += 1
        return event

    def _completed(self, event: Body) -> Body:
        """The event with its required fields; noted."""
        kind = str(event.get("type"))
        if kind in ENVELOPED and isinstance(event.get("response"), Mapping):
            event["response"] = response(event["response"])
        elif kind.startswith("response.output_item.") and isinstance(event.get("item"), Mapping):
            ending = kind.endswith(".done")
            event["item"] = item(event["item"], "completed" if ending else "in_progress")
            self._add(event)
        elif isinstance(event.get("part"), Mapping):
            event["part"] = part(event["part"])
        stem, _, stage = kind.rpartition(".")
        if stem in TEXTS and stage in {"delta", "done"}:
            self._text(event, stem, stage)
        if kind in ANNOUNCED:
            event.setdefault(ANNOUNCED[kind], 0)
            self._known(event, stem).parts.add(event[ANNOUNCED[kind]])
        return event

    def _add(self, event: Body) -> None:
        seen = event["item"]
        event.setdefault("output_index", len(self._items))
        made = _Item(str(seen.get("type")), event["output_index"], str(seen.get("name") or ""))
        self._items.setdefault(str(seen.get("id")), made)

    def _text(self, event: Body, stem: str, stage: str) -> None:
        known, (_, number) = self._known(event, stem), TEXTS[stem]
        index = event.setdefault(number, 0) if number else 0
        if stem == "response.output_text":
            event.setdefault("logprobs", [])
        if stage == "delta":
            known.texts[index] = known.texts.get(index, "") + str(event.get("delta") or "")
        elif stem == "response.function_call_arguments":
            event["name"] = event.get("name") or known.name

    def _known(self, event: Body, stem: str) -> _Item:
        return self._items.get(str(event.get("item_id"))) or _Item(stem, 0)

    def _before(self, event: Body) -> Iterator[Body]:
        """What should have come before an event: its item, its part, the text that it ends."""
        stem, _, stage = str(event.get("type")).rpartition(".")
        if stem not in TEXTS or stage not in {"delta", "done"}:
            return
        kind, number = TEXTS[stem]
        made = _Made(event, kind, number)
        if str(event.get("item_id")) not in self._items and kind != "function_call":
            yield self._completed(made.item(len(self._items)))
        known = self._known(event, stem)
        event.setdefault("output_index", known.index)
        if number and made.index not in known.parts:
            yield self._completed(made.part())
        whole = event.get("arguments" if kind == "function_call" else "text")
        sent = known.texts.get(made.index, "")
        if stage == "done" and isinstance(whole, str) and whole != sent and whole.startswith(sent):
            yield self._completed(made.delta(stem, whole[len(sent) :]))


@dataclass(frozen=True, slots=True)
class _Made:
    """Makes the events that should have come before one."""

    event: Mapping[str, Any]
    kind: str
    number: str

    @property
    def index(self) -> int:
        """The number of the part."""
        found = self.event.get(self.number)
        return found if isinstance(found, int) else 0

    def item(self, output_index: int) -> Body:
        """The announcement of the item."""
        made = {"id": self.event.get("item_id"), "type": self.kind, "status": "in_progress"}
        index = self.event.get("output_index", output_index)
        return {"type": "response.output_item.added", "output_index": index, "item": made}

    def part(self) -> Body:
        """The announcement of the part."""
        if self.kind == "reasoning":
            return self._placed("response.reasoning_summary_part.added", {"part": summary_part("")})
        return self._placed("response.content_part.added", {"part": {"type": "output_text"}})

    def delta(self, stem: str, text: str) -> Body:
        """The text that was not sent."""
        return self._placed(f"{stem}.delta", {"delta": text})

    def _placed(self, kind: str, more: Body) -> Body:
        number = {self.number: self.index} if self.number else {}
        place = {name: self.event.get(name) for name in ("item_id", "output_index")}
        return {"type": kind, **place, **number, **more}


Rule: TypeAlias = Callable[[Any, Any], Any]


def completing(rule: Rule) -> Rule:
    """A rule for whole answers that completes the responses among them."""

    def completed(value: Any, view: Any) -> Any:  # noqa: ANN401 - JSON of any shape
        made = rule(value, view)
        return response(made) if isinstance(made, Mapping) and made.get("object") == "response" else made

    return completed
