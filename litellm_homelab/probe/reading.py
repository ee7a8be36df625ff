"""What an answer of a chat says, in facts: whole or streamed, OpenAI-shaped or not, an error or not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from litellm_homelab.config.wording import hide_keys, one_line
from litellm_homelab.probe.asking import ProbeReply

LONGEST_ERROR: Final = 120
DATA: Final = "data:"
DONE: Final = "[DONE]"
PASSING: Final = frozenset({401, 403, 408, 425, 429, 502, 503, 504})
"""Statuses that say nothing of a parameter: the key, the load, a server behind it."""


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What came of one request."""

    is_ok: bool = False
    is_refused: bool = False
    """It answered that it will not: an error status that is not about key or load, or an error in a 200."""
    status: int = 0
    error: str = ""
    """What is wrong with it, in words."""
    texts: tuple[str, ...] = ()
    """Reasoning and content of each choice."""
    content: str = ""
    """Content of the first choice, without its reasoning."""
    finish: str = ""
    tool: str = ""
    """Name of the first function called."""
    logprobs: tuple[int, ...] = ()
    """For each token with a log probability: how many alternatives it lists."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    has_usage: bool = False
    has_id: bool = False
    fingerprint: str = ""
    chunks: int = 0
    """Pieces with content, of a stream; 0: it is not one."""
    is_done: bool = False
    """The stream ended with `[DONE]`."""

    @property
    def text(self) -> str:
        """What the first choice says."""
        return self.texts[0] if self.texts else ""


def answer_of(reply: ProbeReply) -> ProbeAnswer:
    """What a reply to a chat says; anything that is not a chat's answer is an error."""
    if reply.problem:
        return ProbeAnswer(status=reply.status, error=reply.problem)
    document = parsed(reply.body)
    if reply.status >= 400:
        is_refused = reply.status not in PASSING
        return ProbeAnswer(
            is_refused=is_refused, status=reply.status, error=_of_status(reply.status, reply.body, document)
        )
    if isinstance(document, dict):
        return _whole(reply.status, document)
    if any(line.startswith(DATA) for line in reply.body.splitlines()):
        return _streamed(reply)
    return ProbeAnswer(status=reply.status, error=f"{reply.status} with {shape_of(reply.body, document)}")


def parsed(text: str) -> object:
    """A JSON document; None where it is not one."""
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found


def shape_of(body: str, document: object) -> str:
    """What kind of text an answer is, in words."""
    if isinstance(document, dict):
        error = document.get("error")
        if isinstance(error, dict) and isinstance(error.get("message"), str):
            return 'an OpenAI error ({"error": {"message": ...}})'
        if isinstance(error, str):
            return '{"error": "..."}'
        return '{"detail": ...}' if "detail" in document else "another JSON object"
    if document is not None:
        return "JSON that is not an object"
    start = body.lstrip()[:200].lower()
    if start.startswith(("<!doctype", "<html", "<?xml")) or "<html" in start:
        return "an HTML page"
    return "plain text" if start else "an empty body"


def _of_status(status: int, body: str, document: object) -> str:
    said = _message(document) or ("" if "<" in body[:20] else body)
    return f"{status}: {short(said)}" if said.strip() else f"{status} with {shape_of(body, document)}"


def _message(document: object) -> str:
    if not isinstance(document, dict):
        return ""
    error = document.get("error")
    found = error.get("message") if isinstance(error, dict) else error
    found = found or document.get("detail") or document.get("message")
    return found if isinstance(found, str) else json.dumps(found) if found else ""


def short(text: str) -> str:
    """A server's words on one line, cut, without what looks like a key."""
    said = one_line(hide_keys(" ".join(text.split())))
    return said if len(said) <= LONGEST_ERROR else f"{said[: LONGEST_ERROR - 3]}..."


def _whole(status: int, document: dict[str, Any]) -> ProbeAnswer:
    choices = _dicts(document.get("choices"))
    if document.get("error") or not choices:
        said = _message(document)
        why = f"{status} with an error in it: {short(said)}" if said else f"{status} without choices"
        return ProbeAnswer(is_refused=bool(said), status=status, error=why)
    messages = [_dict(one.get("message")) for one in choices]
    return ProbeAnswer(
        is_ok=True,
        status=status,
        texts=tuple(_reasoning(one) + _text(one.get("content")) for one in messages),
        content=_text(messages[0].get("content")),
        finish=_text(choices[0].get("finish_reason")),
        tool=_called(messages[0]),
        logprobs=_logprobs(choices[0]),
        **_of_document(document),
    )


def _of_document(document: Mapping[str, Any]) -> dict[str, Any]:
    usage = _dict(document.get("usage"))
    return {
        "prompt_tokens": _count(usage.get("prompt_tokens")),
        "completion_tokens": _count(usage.get("completion_tokens")),
        "has_usage": bool(usage),
        "has_id": bool(document.get("id")),
        "fingerprint": _text(document.get("system_fingerprint")),
    }


def _streamed(reply: ProbeReply) -> ProbeAnswer:
    pieces: dict[int, str] = {}
    chunks, finish, tool, content = 0, "", "", ""
    usage: dict[str, Any] = {}
    first: dict[str, Any] = {}
    events = list(_events(reply.body))
    for document in events:
        if document.get("error"):
            said = short(_message(document))
            return ProbeAnswer(is_refused=True, status=reply.status, error=f"an error in its stream: {said}")
        first = first or document
        usage = _dict(document.get("usage")) or usage
        for choice in _dicts(document.get("choices")):
            delta = _dict(choice.get("delta"))
            text = _reasoning(delta) + _text(delta.get("content"))
            index = choice.get("index")
            at = index if isinstance(index, int) else 0
            pieces[at] = pieces.get(at, "") + text
            content += _text(delta.get("content")) if at == 0 else ""
            chunks += bool(text)
            finish = _text(choice.get("finish_reason")) or finish
            tool = tool or _called(delta)
    if not pieces:
        return ProbeAnswer(status=reply.status, error=f"{reply.status} with a stream without choices")
    is_done = any(line.removeprefix(DATA).strip() == DONE for line in reply.body.splitlines())
    return ProbeAnswer(
        is_ok=True,
        status=reply.status,
        texts=tuple(pieces[one] for one in sorted(pieces)),
        content=content,
        finish=finish,
        tool=tool,
        chunks=max(chunks, 1),
        is_done=is_done,
        **(_of_document(first) | _of_document({"usage": usage, "id": first.get("id")})),
    )


def _events(body: str) -> Iterator[dict[str, Any]]:
    for line in body.splitlines():
        found = parsed(line.removeprefix(DATA).strip()) if line.startswith(DATA) else None
        if isinstance(found, dict):
            yield found


def _reasoning(message: Mapping[str, Any]) -> str:
    return _text(message.get("reasoning_content")) or _text(message.get("reasoning"))


def _called(message: Mapping[str, Any]) -> str:
    for one in _dicts(message.get("tool_calls")):
        name = _text(_dict(one.get("function")).get("name"))
        if name:
            return name
    return ""


def _logprobs(choice: Mapping[str, Any]) -> tuple[int, ...]:
    rows = _dicts(_dict(choice.get("logprobs")).get("content"))
    numbers = [one for one in rows if isinstance(one.get("logprob"), int | float)]
    return tuple(len(_dicts(one.get("top_logprobs"))) for one in numbers)


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list | tuple) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None
