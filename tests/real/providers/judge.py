"""What is wrong with what a gateway sent and said, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import httpx

from litellm_homelab.demo.recorder import RecordedRequest
from tests.real.providers.attacks import Attack
from tests.real.providers.rig import CLIENT_KEY, CLOUD_KEY, FAR, MASTER_KEY, SPARE, TRAP
from tests.real.providers.serving import QUERIES, SERVES, address
from tests.real.providers.target import TOKEN, Target

NOBODYS = re.compile(
    r"(openai|lm_studio|mistral|openrouter|hosted_vllm|azure|ollama|ollama_chat)-(back|far|spare)-"
)
FORM_MODEL = re.compile(rb'name="model"\r?\n(?:[^\r\n]+\r?\n)*\r?\n([^\r\n]*)')
SHOWN = 160
PATHS = frozenset({"generate", "engines", "deployments"})
"""Routes whose path is the name."""


def problems(
    attack: Attack, target: Target, route: str, response: httpx.Response, calls: Sequence[RecordedRequest]
) -> list[str]:
    """What went wrong: for each call that should not have been, and for the answer."""
    found = [wrong for call in calls for wrong in _call(attack, target, route, call)]
    most = 2 if target.provider.startswith("ollama") else 1
    if len(calls) > most and not found:
        found.append(f"{len(calls)} calls for one request")
    if attack.refused and route not in PATHS and response.status_code < 400:
        found.append("answer: served, though it names two models")
    return [*found, *_answer(attack, response)]


def reached(wrong: Sequence[str]) -> bool:
    """Whether any of the problems is about a call and not about the answer alone."""
    return any(not one.startswith("answer: ") for one in wrong)


def _call(attack: Attack, target: Target, route: str, call: RecordedRequest) -> Iterator[str]:
    where = f"{call.backend} got {call.method} {call.path}{'?' if call.query else ''}{call.query}"
    if call.backend == TRAP:
        yield f"{where}: an address of the client's own"
    elif call.backend == SPARE:
        yield f"{where}: walked the chain of fallbacks"
    elif call.backend == FAR:
        yield f"{where}: a backroom group elsewhere"
    elif call.backend != target.provider:
        yield f"{where}: not the backend that was asked for"
    else:
        yield from (f"{where}: {wrong}" for wrong in _own(attack, target, route, call))


def _own(attack: Attack, target: Target, route: str, call: RecordedRequest) -> Iterator[str]:
    """What is wrong with a call to the deployment's own host."""
    shown = call.path.endswith(("/api/show", "/api/tags")) and target.provider.startswith("ollama")
    if route in SERVES[target.provider] and not shown and call.path != address(target.provider, route):
        yield "another path"
    if call.query not in QUERIES.get(target.provider, ("",)):
        yield "another query"
    yield from _keys(target, call)
    yield from _models(target, call)
    yield from _words(attack, call)


def _keys(target: Target, call: RecordedRequest) -> Iterator[str]:
    keys = {found for value in call.headers.values() for found in re.findall(r"sk-[\w-]+", value)}
    others = keys - {target.key(target.handle)}
    if others:
        yield f"the key {', '.join(sorted(others))}"


def _models(target: Target, call: RecordedRequest) -> Iterator[str]:
    own = {target.model(target.handle), f"{target.provider}/{target.model(target.handle)}"}
    body = call.json if isinstance(call.json, dict) else {}
    named = [str(body[name]) for name in ("model", "name") if name in body]
    named += [found.decode("utf-8", "replace") for found in FORM_MODEL.findall(call.content)]
    for name in named:
        if name not in own:
            yield f"the model {name}"


def _words(attack: Attack, call: RecordedRequest) -> Iterator[str]:
    head = f"{call.path}?{call.query} {' '.join(f'{name}: {value}' for name, value in call.headers.items())}"
    body = "" if attack.content else call.content.decode("utf-8", "replace")
    for word in (TOKEN, CLIENT_KEY, MASTER_KEY, CLOUD_KEY):
        if word in head:
            yield f"{word} in its address or headers"
        elif word in body:
            yield f"{word} in its body: {_around(body, word)}"
    found = NOBODYS.search(head) or NOBODYS.search(body)
    if found:
        yield f"the name of {found[0]}"


def _around(text: str, word: str) -> str:
    at = text.index(word)
    return text[max(0, at - SHOWN // 2) : at + SHOWN // 2].replace("\n", " ")


def _answer(attack: Attack, response: httpx.Response) -> Iterator[str]:
    """A refusal with a type, or an ordinary answer; neither names what lies behind."""
    text = response.text
    if response.status_code >= 500:
        yield f"answer: {response.status_code} {text[:SHOWN]}"
    elif response.status_code >= 400 and '"type"' not in text and '"detail"' not in text:
        yield f"answer: {response.status_code} without a type: {text[:SHOWN]}"
    for word in ("sk-key-of-", "Traceback", "site-packages", CLOUD_KEY):
        if word in text:
            yield f"answer: names {word}: {_around(text, word)}"
            break
