"""
The form of a conversation: lists, roles and contents, refused here where they are of the wrong type.

LiteLLM 1.106.2 answers 500 to most of these before it sends anything (`'int' object is not iterable`), and
OptiLLM 500 or a page of HTML to the rest; SDKs send a request with such an answer twice more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from litellm_homelab import refusals
from litellm_homelab.decision import Refuse

ROLES: Final = ("system", "developer", "user", "assistant", "tool", "function")
"""Roles of OpenAI's chat completions and responses, and of Anthropic's messages."""
GOOGLES: Final = ("user", "model", "function", "tool", "system")
"""Roles of Gemini's contents; a content may have none."""
SPEAKING: Final = frozenset({"system", "developer", "user"})
"""Roles whose message must have a content; an assistant may only call tools, a tool may return nothing."""

Problem = tuple[str, str]
"""A place in the body, and what is wrong there."""
_KINDS: Final = {str: "a string", bool: "true or false", int: "a number", float: "a number", list: "a list"}


def kind(value: object) -> str:
    """What a value is, in words: a field that is missing or null has no value."""
    return "no value" if value is None else _KINDS.get(type(value), "an object")


def refusal(api: str, body: Mapping[str, Any]) -> Refuse | None:
    """Refuse a body whose conversation has the wrong form for its API; None for a good one."""
    check = _CHECKS.get(api)
    found = next(check(body), None) if check is not None else None
    if found is None:
        return None
    place, why = found
    return refusals.malformed(place, why)


def _chat(body: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _listed("messages", body.get("messages"), _message)


def _responses(body: Mapping[str, Any]) -> Iterator[Problem]:
    if "input" not in body and "messages" in body:  # Cursor's route takes both (LiteLLM 1.106.2)
        yield from _chat(body)
    elif not isinstance(body.get("input"), str):
        yield from _listed("input", body.get("input"), _item, "a string or a list of input items")


def _contents(body: Mapping[str, Any]) -> Iterator[Problem]:
    contents = body.get("contents")
    if isinstance(contents, Mapping):
        yield from _google("contents", contents)
    elif not isinstance(contents, str):
        yield from _listed("contents", contents, _google, "a list of contents")


def _texts(field: str, *, needed: bool) -> Callable[[Mapping[str, Any]], Iterator[Problem]]:
    def check(body: Mapping[str, Any]) -> Iterator[Problem]:
        value = body.get(field)
        if not isinstance(value, str | list) and (needed or value is not None):
            yield field, f"expected a string or a list, got {kind(value)}"

    return check


def _listed(
    field: str,
    value: object,
    check: Callable[[str, Mapping[str, Any]], Iterator[Problem]],
    expected: str = "a list of messages",
) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield field, f"expected {expected}, got {kind(value)}"
    elif not value:
        yield field, f"expected {expected}, got an empty list"
    else:
        for number, item in enumerate(value):
            place = f"{field}[{number}]"
            if isinstance(item, Mapping):
                yield from check(place, item)
            else:
                yield place, f"expected an object, got {kind(item)}"


def _message(place: str, message: Mapping[str, Any]) -> Iterator[Problem]:
    role, content = message.get("role"), message.get("content")
    if role not in ROLES:
        yield from _role(f"{place}.role", role, ROLES)
    if not isinstance(content, str) and (content is not None or role in SPEAKING):
        yield from _content(f"{place}.content", content)
    calls = message.get("tool_calls")
    if calls is not None and not (isinstance(calls, list) and all(isinstance(one, Mapping) for one in calls)):
        yield f"{place}.tool_calls", f"expected a list of objects, got {kind(calls)}"


def _item(place: str, item: Mapping[str, Any]) -> Iterator[Problem]:
    """An input item of /v1/responses: a message, whose type may be left out, or anything with a type."""
    if item.get("type", "message") == "message":
        yield from _message(place, item)
    elif not isinstance(item["type"], str):
        yield f"{place}.type", f"expected a string, got {kind(item['type'])}"


def _google(place: str, content: Mapping[str, Any]) -> Iterator[Problem]:
    if content.get("role") is not None:
        yield from _role(f"{place}.role", content["role"], GOOGLES)
    parts = content.get("parts")
    if not isinstance(parts, list | Mapping):
        yield f"{place}.parts", f"expected a list of parts, got {kind(parts)}"
    for number, part in enumerate(parts if isinstance(parts, list) else ()):
        if not isinstance(part, Mapping):
            yield f"{place}.parts[{number}]", f"expected an object, got {kind(part)}"


def _role(place: str, role: object, known: tuple[str, ...]) -> Iterator[Problem]:
    if not isinstance(role, str):
        yield place, f"expected one of {', '.join(known)}, got {kind(role)}"
    elif role not in known:
        yield place, f"expected one of {', '.join(known)}, got {role[:40]!r}"


def _content(place: str, content: object) -> Iterator[Problem]:
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        yield place, f"expected a string or a list of parts, got {kind(content)}"
        return
    for number, part in enumerate(content):
        if not isinstance(part, Mapping):
            yield f"{place}[{number}]", f"expected an object, got {kind(part)}"
        else:
            yield from _part(f"{place}[{number}]", part)


def _part(place: str, part: Mapping[str, Any]) -> Iterator[Problem]:
    if not isinstance(part.get("type"), str):
        yield f"{place}.type", f"expected the part's type, such as text, got {kind(part.get('type'))}"
    elif "text" in part and not isinstance(part["text"], str):
        yield f"{place}.text", f"expected a string, got {kind(part['text'])}"


_CHECKS: Final[Mapping[str, Callable[[Mapping[str, Any]], Iterator[Problem]]]] = {
    "chat": _chat,
    "messages": _chat,
    "responses": _responses,
    "cursor": _responses,
    "generate": _contents,
    "completions": _texts("prompt", needed=False),
    "embeddings": _texts("input", needed=True),
}
