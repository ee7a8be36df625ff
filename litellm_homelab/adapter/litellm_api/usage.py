"""The bill of a root: what its children used, in the answer; nothing in LiteLLM's own account of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from litellm_homelab.adapter.context import Root
from litellm_homelab.formats import sse
from litellm_homelab.optillm.fanout import Usage

PROMPT = ("prompt_tokens", "input_tokens", "promptTokenCount")
COMPLETION = ("completion_tokens", "output_tokens", "candidatesTokenCount")
TOTAL = ("total_tokens", "totalTokenCount")
"""What the OpenAI chat, OpenAI responses and Anthropic, and Gemini formats call the three numbers."""
CACHED = ("cached_tokens", "cache_read_input_tokens", "cachedContentTokenCount")
REASONING = ("reasoning_tokens", "thoughtsTokenCount")
"""The same for the parts of prompt and completion that have a price of their own."""
DETAILS = (
    "prompt_tokens_details",
    "input_tokens_details",
    "completion_tokens_details",
    "output_tokens_details",
)
"""Where OpenAI's formats have those parts; the others have them beside the whole."""
PLACES = ("usage", "usageMetadata")
ENVELOPES = ("response", "message")
"""Keys below which an event of a stream carries the object that has the usage."""
NOTHING = Usage()


def contents(model: BaseModel) -> Mapping[str, Any]:
    """The fields that an object has; asked for one by one, each that it has not costs an exception (5 us)."""
    return {**vars(model), **(model.model_extra or {})}


def amounts(usage: Usage) -> dict[str, int]:
    """The numbers under each of their names."""
    return {
        **dict.fromkeys(PROMPT, usage.prompt_tokens),
        **dict.fromkeys(COMPLETION, usage.completion_tokens),
        **dict.fromkeys(TOTAL, usage.total_tokens),
        **dict.fromkeys(CACHED, usage.cached_tokens),
        **dict.fromkeys(REASONING, usage.reasoning_tokens),
        "cache_creation_input_tokens": 0,  # what was written to a cache is not booked
    }


def mended(answer: Any, usage: Usage) -> Any:  # noqa: ANN401 - LiteLLM's answer types
    """A copy of an answer or chunk whose usage, where it has one, is `usage`; the input is not touched."""
    if isinstance(answer, BaseModel):
        changes = dict(_changes(answer, usage))
        return answer.model_copy(update=changes) if changes else answer
    return _mended_body(answer, usage) if isinstance(answer, dict) else answer


def _changes(answer: BaseModel, usage: Usage) -> Iterator[tuple[str, Any]]:
    fields = contents(answer)
    for name in PLACES:
        counted = fields.get(name)
        if counted is not None:
            yield name, _mended_usage(counted, usage)
    for name in ENVELOPES:
        inner = fields.get(name)
        if isinstance(inner, BaseModel | dict):
            new = mended(inner, usage)
            if new is not inner:
                yield name, new


def _mended_usage(counted: Any, usage: Usage) -> Any:  # noqa: ANN401 - LiteLLM's usage types
    numbers = amounts(usage)
    if isinstance(counted, BaseModel):
        return counted.model_copy(update=_told(contents(counted), numbers))
    return {**counted, **_told(counted, numbers)} if isinstance(counted, Mapping) else counted


def _told(counted: Mapping[str, Any], numbers: Mapping[str, int]) -> dict[str, Any]:
    """The sum's numbers under the names that a usage has, those of its details among them."""
    told: dict[str, Any] = {}
    for name, value in counted.items():
        if name in DETAILS:
            told[name] = _mended_details(value, numbers)
        elif name in numbers and value is not None:
            told[name] = numbers[name]
    return told


def _mended_details(details: Any, numbers: Mapping[str, int]) -> Any:  # noqa: ANN401 - LiteLLM's types
    """Details with the sum's numbers; what the sum does not know is left out, or it would not add up."""
    if isinstance(details, BaseModel):
        return details.model_copy(update={name: numbers.get(name) for name in contents(details)})
    if isinstance(details, Mapping):
        return {name: numbers[name] for name in details if name in numbers}
    return details


def _mended_body(body: dict[str, Any], usage: Usage) -> dict[str, Any]:
    changes: dict[str, Any] = {
        name: _mended_usage(body[name], usage)
        for name in PLACES
        if isinstance(body.get(name), Mapping | BaseModel)
    }
    changes |= {
        name: mended(body[name], usage) for name in ENVELOPES if isinstance(body.get(name), dict | BaseModel)
    }
    return {**body, **changes} if changes else body


def mended_body(body: Any, root: Root) -> Any:  # noqa: ANN401 - JSON of any shape
    """An event of a root's stream with the sum of its children's usage, once that is known."""
    return mended(body, root.summary.usage) if root.summary is not None else body


def used(answer: Any) -> Usage | None:  # noqa: ANN401 - LiteLLM's answer types
    """The usage that an answer or chunk has, in itself or in what it wraps; None where it has none."""
    for name in PLACES:
        counted = _part(answer, name)
        if counted is not None:
            return _usage(counted)
    wrapped = (_part(answer, name) for name in ENVELOPES)
    return next((found for inner in wrapped if inner is not None and (found := used(inner))), None)


def _usage(counted: Any) -> Usage:  # noqa: ANN401 - LiteLLM's usage types
    fields = _fields(counted)
    inner = [found for name in DETAILS if (found := fields.get(name)) is not None]
    places = [fields, *map(_fields, inner)]
    return Usage(
        _number(fields, PROMPT),
        _number(fields, COMPLETION),
        cached_tokens=max([_number(place, CACHED) for place in places]),
        reasoning_tokens=max([_number(place, REASONING) for place in places]),
    )


def _fields(counted: Any) -> Mapping[str, Any]:  # noqa: ANN401 - LiteLLM's usage types
    if isinstance(counted, BaseModel):
        return contents(counted)
    return counted if isinstance(counted, Mapping) else getattr(counted, "__dict__", {})


def _part(answer: Any, name: str) -> Any:  # noqa: ANN401 - LiteLLM's answer types
    return answer.get(name) if isinstance(answer, Mapping) else getattr(answer, name, None)


class Meter:
    """Reads the usage in the chunks of a stream; Anthropic's have the prompt's first, the rest last."""

    def __init__(self) -> None:
        self.usage = NOTHING
        self._raw = sse.Rewriter(self._noted, str)

    def note(self, chunk: Any) -> None:  # noqa: ANN401 - LiteLLM's chunk types
        """Look at one chunk; the last word on each number counts, unless it is zero."""
        if isinstance(chunk, str):
            chunk = chunk.encode("utf-8", "surrogatepass")
        if isinstance(chunk, bytes):
            deque(self._raw.feed(chunk), maxlen=0)
        else:
            self._noted(chunk)

    def _noted(self, answer: Any) -> Any:  # noqa: ANN401 - LiteLLM's chunk types
        seen = used(answer) or NOTHING
        so_far = self.usage
        self.usage = Usage(
            seen.prompt_tokens or so_far.prompt_tokens,
            seen.completion_tokens or so_far.completion_tokens,
            cached_tokens=seen.cached_tokens or so_far.cached_tokens,
            reasoning_tokens=seen.reasoning_tokens or so_far.reasoning_tokens,
        )
        return answer


def _number(fields: Mapping[str, Any], names: Iterable[str]) -> int:
    for name in names:
        value = fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return 0


def struck(payload: Any) -> None:  # noqa: ANN401 - LiteLLM's logging payload
    """Take the tokens and the cost out of LiteLLM's own account of a root: its children are accounted for."""
    if not isinstance(payload, dict):
        return
    for name in (*PROMPT, *COMPLETION, *TOTAL, "response_cost"):
        if isinstance(payload.get(name), int | float):
            payload[name] = 0
    counted = (
        (payload.get("metadata") or {}).get("usage_object")
        if isinstance(payload.get("metadata"), dict)
        else None
    )
    if isinstance(counted, dict):
        counted.update({name: 0 for name in amounts(NOTHING) if name in counted})
