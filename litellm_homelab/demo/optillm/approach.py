"""Which approach a request gets, and what the approach is given: OptiLLM 0.4.0's rules, quirks included."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from litellm_homelab.demo.request_body import text_of

BUILT_IN: Final = (
    "none", "mcts", "bon", "moa", "rto", "z3", "self_consistency", "pvg", "rstar", "cot_reflection",
    "plansearch", "leap", "re2", "cepo", "mars",
)  # fmt: skip
PLUGINS: Final = (
    "coc", "compact", "deep_research", "deepthink", "executecode", "genselect", "json", "longcepo",
    "majority_voting", "mcp", "memory", "privacy", "proxy", "readurls", "router", "spl", "web_search",
)  # fmt: skip
KNOWN: Final = frozenset(BUILT_IN + PLUGINS)
_TAG = re.compile(r"<optillm_approach>(.*?)</optillm_approach>")
_EXPLICIT: Final = frozenset(
    (
        "stream",
        "stream_options",
        "messages",
        "model",
        "n",
        "response_format",
        "max_completion_tokens",
        "max_tokens",
    )
)

Message = dict[str, Any]
Operation = Literal["SINGLE", "AND", "OR"]


@dataclass(frozen=True, slots=True)
class ApproachRequest:
    """What a request asks OptiLLM to do.

    ``model`` is what goes upstream; ``query`` is the flattened conversation; ``messages`` is the conversation
    without tags, for ``none``; ``fields`` are the body's other fields, which ``none`` passes to the SDK.
    """

    operation: Operation
    approaches: tuple[str, ...]
    model: str
    system: str
    query: str
    messages: list[Message]
    fields: dict[str, Any]
    n: Any


def plan(body: Mapping[str, Any], default: str) -> ApproachRequest:
    """Read a request: system tag, user tag, ``optillm_approach``, ``default``, model prefix, in that order.

    The chosen name is put in front of the model, and the names in front of the model are then parsed, as
    measured on OptiLLM 0.4.0; so an unknown name ends up in the upstream model.
    """
    messages = body.get("messages", [])
    system, query, tagged = flatten(messages)
    chosen = tagged or body.get("optillm_approach", default)
    model = str(body.get("model", ""))
    operation, approaches, upstream = parse(model if chosen == "auto" else f"{chosen}-{model}")
    n = body.get("n", 1)
    return ApproachRequest(
        operation, approaches, upstream, system, query, without_tags(messages), _fields(body, n), n
    )


def parse(model: str) -> tuple[Operation, tuple[str, ...], str]:
    """Split the approaches off a model name; ``&`` goes before ``|``, and the last operator holds."""
    parts = model.split("-")
    names: list[str] = []
    operation: Operation = "SINGLE"
    for index, part in enumerate(parts):
        if part in KNOWN:
            names.append(part)
        elif "&" in part or "|" in part:
            operation = "AND" if "&" in part else "OR"
            names += part.split("&" if operation == "AND" else "|")
        else:
            return (
                (operation, tuple(names), "-".join(parts[index:])) if names else ("SINGLE", ("none",), model)
            )
    return operation, tuple(names), ""


def flatten(messages: Sequence[Message]) -> tuple[str, str, str | None]:
    """System prompt, conversation as one text, and the tag's value.

    Only the last system message is kept, and it resets the tag; tool and developer messages are dropped.
    """
    system, tag, lines = "", None, []
    for message in messages:
        text, role = text_of(message.get("content")), message.get("role")
        if role == "system":
            system, tag = _take_tag(text)
        elif role == "user":
            if not tag:
                text, tag = _take_tag(text)
            lines.append(f"User: {text}")
        elif role == "assistant" and text:
            lines.append(f"Assistant: {text}")
    return system, "\n".join(lines), tag


def _take_tag(text: str) -> tuple[str, str | None]:
    found = _TAG.search(text)
    return (_TAG.sub("", text).strip(), found.group(1)) if found else (text, None)


def without_tags(messages: Sequence[Message]) -> list[Message]:
    """The conversation as ``none`` passes it on: no tags, content as text, everything else untouched."""
    passed = []
    for message in messages:
        content = message.get("content", "")
        if isinstance(content, list):
            content = " ".join(_take_tag(text_of([part]))[0] for part in content if _is_text(part))
        elif isinstance(content, str):
            content = _take_tag(content)[0]
        passed.append({**message, "content": content} if "content" in message else dict(message))
    return passed


def _is_text(part: object) -> bool:
    return isinstance(part, dict) and part.get("type") == "text"


def _fields(body: Mapping[str, Any], n: object) -> dict[str, Any]:
    fields = {name: value for name, value in body.items() if name not in _EXPLICIT}
    fields |= {"n": n, "stream": body.get("stream", False)}
    if body.get("response_format") is not None:
        fields["response_format"] = body["response_format"]
    if body.get("max_completion_tokens") is not None:
        limit = body["max_completion_tokens"]
        fields |= {"max_completion_tokens": limit, "max_tokens": limit}
    elif body.get("max_tokens") is not None:
        fields["max_tokens"] = body["max_tokens"]
    return fields
