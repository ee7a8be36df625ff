"""What a server does beside the parameters: routes, errors, keys. From replies; nothing is sent here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from litellm_homelab.probe.asking import ProbeReply
from litellm_homelab.probe.reading import answer_of, parsed, shape_of


@dataclass(frozen=True, slots=True)
class ProbeRoute:
    """A route: what is sent, and how its answer is known."""

    path: str
    body: Callable[[str], dict[str, Any]]
    """The body for a model."""
    is_served: Callable[[Mapping[str, Any]], bool]


def _first(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    rows = document.get(key)
    first = rows[0] if isinstance(rows, list) and rows else None
    return first if isinstance(first, dict) else {}


ROUTES: Final = (
    ProbeRoute(
        "/v1/completions",
        lambda model: {"model": model, "prompt": "Hello", "max_tokens": 1},
        lambda found: isinstance(_first(found, "choices").get("text"), str),
    ),
    ProbeRoute(
        "/v1/embeddings",
        lambda model: {"model": model, "input": "Hello"},
        lambda found: bool(_first(found, "data").get("embedding")),
    ),
    ProbeRoute(
        "/v1/responses",
        lambda model: {"model": model, "input": "Hello", "max_output_tokens": 16},
        lambda found: isinstance(found.get("output"), list) and found.get("object") == "response",
    ),
    ProbeRoute(
        "/v1/messages",
        lambda model: {
            "model": model,
            "max_tokens": 1,
            "messages": [{"role": "user", "content": "Hello"}],
        },
        lambda found: found.get("type") == "message" and isinstance(found.get("content"), list),
    ),
)
ABSENT: Final = frozenset({404, 405, 501})


def route_verdict(route: ProbeRoute, reply: ProbeReply) -> str:
    """`yes`, `no`, or why that is not known."""
    document = parsed(reply.body)
    if reply.problem:
        return f"not known: {reply.problem}"
    if reply.status in ABSENT:
        return "no"
    if reply.status >= 400:
        return f"not known: {answer_of(reply).error}"
    if isinstance(document, dict) and not document.get("error") and route.is_served(document):
        return "yes"
    return f"no: {reply.status} with {shape_of(reply.body, document)}"


def error_form(reply: ProbeReply) -> str:
    """How a mistake is answered: status and form."""
    if reply.problem:
        return reply.problem
    if reply.status < 400 and answer_of(reply).is_ok:
        return f"{reply.status}: it is served"
    return f"{reply.status} with {shape_of(reply.body, parsed(reply.body))}"


def key_verdict(without: ProbeReply, wrong: ProbeReply, *, has_key: bool) -> str:
    """Whether a key is needed, from a chat without one and one with a wrong one."""
    served = answer_of(without).is_ok, answer_of(wrong).is_ok
    if served == (True, True):
        return "none needed, any is taken"
    if served == (True, False) and wrong.status in (401, 403):
        return f"none needed, a wrong one is refused ({wrong.status})"
    if has_key and without.status in (401, 403) and wrong.status in (401, 403):
        return f"needed: {without.status} without, {wrong.status} with a wrong one"
    if has_key and without.status in (401, 403) and served[1]:
        return f"needed ({without.status} without), but any is taken"
    return f"not known: {error_form(without)} without, {error_form(wrong)} with a wrong one"
