"""One bypass as a request, what must come of it, and whether it got through."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
DEFAULTS: dict[str, dict[str, Any]] = {
    "chat": {"messages": [{"role": "user", "content": "hello"}]},
    "completions": {"prompt": "hello"},
    "responses": {"input": "hello"},
    "messages": {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 9},
    "embeddings": {"input": "hello"},
    "generate": {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]},
}
"""What a route needs besides the field that a case is about; `default` of a case names one of them."""
KINDS = {
    "answer": "an answer names what the client should not learn",
    "approach": "an OptiLLM approach, or a call back, that the handle does not allow",
    "cooldown": "a client's mistake puts a deployment to rest, or walks the chain of fallbacks",
    "deny-list": "a field that LiteLLM or the upstream obeys and a list of forbidden fields forgot",
    "limit": "a limit that holds for some methods, routes or sizes only",
    "name": "a model's name, written so that it passes for another",
    "reading": "the gateway's reading of a request differs from LiteLLM's",
    "role": "a key used for what another role may do",
    "route": "a route that no rule guards",
    "second-body": "a body inside the body, merged after the first one was judged",
}
"""The kinds of fault that a bypass makes use of; `kind` of a file or of one case names one of them."""


@dataclass(frozen=True, slots=True)
class Case:
    """
    One request of `caller`, refused with `status` and `type` and without a call to a backend.

    `reaches` are the backends that may be called all the same (an answer of 200 without harm); `absent`
    are texts that the answer must not have; `seen` says where the bypass was first seen, `kind` which kind of
    fault it uses (a key of `KINDS`). `unsent` are fields and texts that no request to a backend may hold, in
    its path, its headers or its body.
    """

    id: str
    tried: str
    seen: str
    caller: str
    method: str
    path: str
    status: tuple[int, ...]
    type: str | None = None
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    reaches: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    unsent: tuple[str, ...] = ()
    kind: str = ""
    advisory: str = ""
    """The published advisory that it is a case of: an id of advisories.toml."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back, and which backends were called; None where nobody can tell."""

    status: int
    text: str
    called: tuple[str, ...] | None = None
    sent: tuple[str, ...] = ()
    """What the backends were sent: path, headers and body of each call, as text."""


def problem(case: Case, outcome: Outcome) -> str:
    """What is wrong with an outcome, in words; empty where the gateway held."""
    if outcome.status not in case.status:
        return f"status {outcome.status}, not {' or '.join(map(str, case.status))}"
    if case.type is not None and case.type not in outcome.text:
        return f"no {case.type} in the answer"
    if outcome.called is not None and not set(outcome.called) <= set(case.reaches):
        return f"reached {', '.join(outcome.called)}"
    left = [name for name in case.unsent if any(name in sent for sent in outcome.sent)]
    if left:
        return f"sent {', '.join(left)} to a backend"
    found = [text for text in case.absent if text in outcome.text]
    return f"the answer names {', '.join(found)}" if found else ""


def got_through(case: Case, outcome: Outcome) -> bool:
    """
    Whether a gateway served a bypass: a call to a backend, an answer or a name that should not have been.

    A refusal with another status than ours is a refusal too, and so is a server error before any call. What
    the request then achieved is not asked: a field that is let through and ignored counts as well.
    """
    called = set(outcome.called or ()) - set(case.reaches)
    names = any(text in outcome.text for text in case.absent)
    served = 0 < outcome.status < 400 and not any(0 < status < 400 for status in case.status)
    sent = any(name in one for name in case.unsent for one in outcome.sent)
    return bool(called) or names or served or sent


def by_kind(cases: Iterable[Case], through: Collection[str]) -> dict[str, tuple[int, int]]:
    """For each kind: how many cases got through, by the ids in `through`, and how many there are."""
    numbers: dict[str, tuple[int, int]] = {}
    for case in sorted(cases, key=lambda case: case.kind):
        served, tried = numbers.get(case.kind, (0, 0))
        numbers[case.kind] = (served + (case.id in through), tried + 1)
    return numbers


def by_advisory(cases: Iterable[Case], through: Collection[str]) -> dict[str, tuple[int, int]]:
    """As `by_kind`, for each advisory, in the order of the cases."""
    numbers: dict[str, tuple[int, int]] = {}
    for case in (one for one in cases if one.advisory):
        served, tried = numbers.get(case.advisory, (0, 0))
        numbers[case.advisory] = (served + (case.id in through), tried + 1)
    return numbers


def load(folder: Path = FOLDER) -> list[Case]:
    """Every case of the `*.yaml` files, in the order of their names."""
    return [case for file in sorted(folder.glob("*.yaml")) for case in _cases(file)]


def _cases(file: Path) -> Iterator[Case]:
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    for number, one in enumerate(document["cases"]):
        method, path = next((verb, one.pop(verb)) for verb in ("POST", "GET", "DELETE", "PUT") if verb in one)
        status = one.pop("status")
        yield Case(
            id=f"{file.stem}-{number}",
            tried=document["tried"],
            seen=document["seen"],
            caller=one.pop("as", "client"),
            method=method,
            path=path,
            status=tuple(status) if isinstance(status, list) else (status,),
            content=_content(one),
            headers=_headers(one),
            reaches=tuple(one.pop("reaches", ())),
            absent=tuple(one.pop("absent", ())),
            unsent=tuple(one.pop("unsent", ())),
            kind=one.pop("kind", document.get("kind", "")),
            advisory=document.get("advisory", ""),
            **one,
        )


def _content(one: dict[str, Any]) -> bytes | None:
    raw, body, default = one.pop("raw", None), one.pop("body", None), one.pop("default", None)
    if raw is not None:
        return str(raw).encode()
    if body is None and default is None:
        return None
    return json.dumps({**DEFAULTS.get(default or "", {}), **(body or {})}).encode()


def _headers(one: dict[str, Any]) -> dict[str, str]:
    return {"content-type": "application/json", **one.pop("headers", {})}
