"""A server whose truth is known: which parameters it uses, ignores or rejects, and how it makes its words."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from litellm_homelab.probe.asking import Asker, ProbeBudget
from litellm_homelab.probe.parameters import PARAMETERS
from litellm_homelab.probe.run import Probe, ProbeReport
from litellm_homelab.probe.target import target

URL = "http://stand-in.test:8000/v1"
KEY = "k9-of-the-test-0123456789"
MODEL = "tide-1b"
NAMES = frozenset(one.name for one in PARAMETERS)
UNSEEN = frozenset({"parallel_tool_calls", "reasoning_effort", "user", "metadata"})
"""Parameters without an effect that an answer shows."""
SEEN = NAMES - UNSEEN
WRONG = [one.wrong for one in PARAMETERS if one.wrong is not None]
"""Values that it takes as if they were not there."""
BIAS_STEP = 10


@dataclass
class StandIn:
    """A server; `uses` are names of parameters, what is in neither set is let through and ignored."""

    uses: Collection[str] = SEEN
    rejects: Collection[str] = ()
    manner: str = "model"
    """How it makes text: a model's, or one that has nothing to do with the request."""
    error: str = "openai"
    """How it rejects: openai, html, ok (an error in a 200), detail."""
    key: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    cache: dict[str, str] = field(default_factory=dict)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; for `httpx.MockTransport`."""
        if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
            return httpx.Response(401, json={"error": {"message": "no", "type": "authentication_error"}})
        if request.method == "GET":
            listed = {"object": "list", "data": [{"id": MODEL, "max_model_len": 4096}]}
            is_list = request.url.path == "/v1/models"
            return httpx.Response(200, json=listed) if is_list else httpx.Response(404, text="Not Found")
        if request.url.path != "/v1/chat/completions":
            return httpx.Response(404, text="Not Found")
        try:
            body = json.loads(request.content)
        except ValueError:
            return self._refusal("not JSON")
        self.requests.append(body)
        if body.get("model") != MODEL:
            return httpx.Response(404, json={"error": {"message": "no such model"}})
        for name in named(body):
            if name in self.rejects:
                return self._refusal(f"{name} is not supported")
        return self._answer(body)

    def _refusal(self, why: str) -> httpx.Response:
        if self.error == "html":
            return httpx.Response(400, html="<!doctype html><html>no</html>")
        if self.error == "ok":
            return httpx.Response(200, json={"error": {"message": why}})
        if self.error == "detail":
            return httpx.Response(422, json={"detail": [{"msg": why}]})
        return httpx.Response(400, json={"error": {"message": why, "type": "invalid_request_error"}})

    def _answer(self, body: dict[str, Any]) -> httpx.Response:
        body = {name: value for name, value in body.items() if value not in WRONG}
        count = body.get("n", 1) if "n" in self.uses else 1
        choices = [self._choice(body, number) for number in range(count)]
        tokens = sum(one.pop("tokens") for one in choices)
        asked = len(json.dumps(body["messages"]).split())
        asked += 40 if "tools" in body and "tools" in self.uses else 0
        usage = {"prompt_tokens": asked, "completion_tokens": tokens, "total_tokens": asked + tokens}
        if body.get("stream") and "stream" in self.uses:
            return self._stream(body, choices, usage)
        document = {"id": "chatcmpl-1", "object": "chat.completion", "choices": choices, "usage": usage}
        return httpx.Response(200, json=document)

    def _stream(
        self, body: Mapping[str, Any], choices: list[dict[str, Any]], usage: dict[str, int]
    ) -> httpx.Response:
        events: list[dict[str, Any]] = []
        for one in choices:
            text = one["message"].get("content") or ""
            for at in range(0, len(text), 8):
                delta = {"content": text[at : at + 8]}
                events.append({"id": "c", "choices": [{"index": one["index"], "delta": delta}]})
            end = {"index": one["index"], "delta": {}, "finish_reason": one["finish_reason"]}
            events.append({"id": "c", "choices": [end]})
        if "stream_options.include_usage" in self.uses and "stream_options" in body:
            events.append({"id": "c", "choices": [], "usage": usage})
        lines = "".join(f"data: {json.dumps(one)}\n\n" for one in events) + "data: [DONE]\n\n"
        return httpx.Response(200, text=lines, headers={"content-type": "text/event-stream"})

    def _choice(self, body: Mapping[str, Any], number: int) -> dict[str, Any]:
        used = {name: body[name] for name in body if name in self.uses}
        found: dict[str, Any] = {"index": number, "finish_reason": "stop", "tokens": 5}
        shaped = self._shaped(body)
        if shaped is not None:
            return {**found, **shaped}
        pieces, finish = self._pieces(body, used)
        found |= {"finish_reason": finish, "tokens": len(pieces)}
        found["message"] = {"role": "assistant", "content": "".join(pieces)}
        if used.get("logprobs"):
            count = used.get("top_logprobs", 0)
            rows = [{"token": "x", "logprob": -0.5}] * count
            content = [{"token": one, "logprob": -0.5, "top_logprobs": rows} for one in pieces]
            found["logprobs"] = {"content": content}
        return found

    def _shaped(self, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """JSON or a call, where that is asked for and used."""
        kind = body.get("response_format", {}).get("type")
        if kind and f"response_format {kind}" in self.uses:
            said = (
                {"probe_number": 7321, "probe_word": "heron"} if kind == "json_schema" else {"greeting": "hi"}
            )
            return {"message": {"content": json.dumps(said)}}
        if "tools" not in body:
            return None
        is_forced = "tool_choice" in self.uses and "tool_choice" in body
        is_chosen = "tools" in self.uses and "Call the function" in body["messages"][-1]["content"]
        if not is_forced and not is_chosen:
            return None
        called = {"name": body["tools"][0]["function"]["name"], "arguments": '{"colour": "blue"}'}
        call = {"id": "call_1", "type": "function", "function": called}
        return {"message": {"content": None, "tool_calls": [call]}, "finish_reason": "tool_calls"}

    def _pieces(self, body: Mapping[str, Any], used: Mapping[str, Any]) -> tuple[list[str], str]:
        longest = min(used.get("max_tokens", 60), used.get("max_completion_tokens", 60))
        if self.manner == "model":
            pieces = list(_sampled(body["messages"][-1]["content"], used, longest))
        else:
            pieces = [f" {one}" for one in MANNERS[self.manner](self, body).split()][:longest]
        text, said = "".join(pieces), used.get("stop") or []
        ends = [text.find(one) for one in said if one in text]
        if ends:
            return [text[: min(ends)]], "stop"
        return pieces, "length" if len(pieces) == longest else "stop"


def named(body: Mapping[str, Any]) -> Iterator[str]:
    """The names, as the probe has them, of what a body contains."""
    for name in body:
        kind = body[name].get("type") if name == "response_format" and isinstance(body[name], dict) else ""
        yield (
            f"{name} {kind}" if kind else "stream_options.include_usage" if name == "stream_options" else name
        )


def _sampled(prompt: str, used: Mapping[str, Any], longest: int) -> Iterator[str]:
    """Words of a small model: twelve candidates for each, from the prompt and what was said before."""
    chance = random.Random(used["seed"]) if "seed" in used else random.Random()
    history: list[int] = []
    for _ in range(longest):
        logits = _logits(prompt, history)
        for token, bias in used.get("logit_bias", {}).items():
            logits[int(token)] = logits.get(int(token), -BIAS_STEP) + bias
        history.append(_chosen(_penalised(logits, history, used), used, chance))
        yield _word(history[-1])


def _logits(prompt: str, history: list[int]) -> dict[int, float]:
    is_drone = "tick" in prompt
    last = 7 if is_drone else history[-1] if history else 0
    source = random.Random(f"{prompt} {len(history)} {last}")
    found = {source.randrange(400): source.uniform(0, 1.5) for _ in range(12)}
    return {**found, 7: 2.2} if is_drone else found


def _penalised(logits: dict[int, float], history: list[int], used: Mapping[str, Any]) -> dict[int, float]:
    counts = Counter(history)
    frequency, presence = used.get("frequency_penalty", 0), used.get("presence_penalty", 0)
    repetition = used.get("repetition_penalty", 1)
    return {
        one: (value / repetition if one in counts and value > 0 else value)
        - frequency * counts[one]
        - presence * (one in counts)
        for one, value in logits.items()
    }


def _chosen(logits: dict[int, float], used: Mapping[str, Any], chance: random.Random) -> int:
    ranked = sorted(logits, key=lambda one: -logits[one])
    temperature = used.get("temperature", 1)
    if temperature == 0:
        return ranked[0]
    weights = [math.exp((logits[one] - logits[ranked[0]]) / temperature) for one in ranked]
    total, kept, mass = sum(weights), 0, 0.0
    for weight in weights:
        is_out = (
            mass >= used.get("top_p", 1) or weight < used.get("min_p", 0) or kept >= used.get("top_k", 99)
        )
        if kept and is_out:
            break
        kept, mass = kept + 1, mass + weight / total
    return chance.choices(ranked[:kept], weights[:kept])[0]


def _word(token: int) -> str:
    letters = "abcdefghijklmnopqrst"
    return f" {letters[token // 20]}{letters[token % 20]}e"


def _words(seed: object) -> str:
    source = random.Random(str(seed))
    return " ".join(_word(source.randrange(400)).strip() for _ in range(30))


def _cached(server: StandIn, body: Mapping[str, Any]) -> str:
    return server.cache.setdefault(json.dumps(body, sort_keys=True), _words(random.random()))


def _known(body: Mapping[str, Any]) -> str:
    """The body without what is not a parameter of the API."""
    return json.dumps({name: body[name] for name in sorted(body) if name != "homelab_probe_nonsense"})


MANNERS = {
    "canned": lambda _, __: _words("always"),
    "short": lambda _, __: "OK",
    "choice": lambda _, __: _words(random.randrange(4)),
    "random": lambda _, __: _words(random.random()),
    "counter": lambda server, _: f"{_words('always')} {len(server.requests)}",
    "echo": lambda _, body: f"You sent me this: {json.dumps(body)}",
    "echo of known": lambda _, body: f"You sent me this: {_known(body)}",
    "body": lambda _, body: _words(json.dumps(body, sort_keys=True)),
    "known": lambda _, body: _words(_known(body)),
    "names": lambda _, body: _words(sorted({*body} - {"homelab_probe_nonsense"})),
    "cached": _cached,
}
"""Texts that no parameter has a say in, as a server may make them."""


def probed(server: Any, *, calls: int = 400, key: str = "", **options: Any) -> ProbeReport:
    """What a probe finds of a server."""
    budget = ProbeBudget(calls, options.pop("seconds", 60.0), options.pop("call_seconds", 1.0))
    asker = Asker(target(URL, key), budget, httpx.MockTransport(server))
    try:
        return Probe(asker, **options).run()
    finally:
        asker.close()


def verdicts(report: ProbeReport) -> dict[str, str]:
    """The verdict on each parameter."""
    return {one.parameter: one.verdict.value for one in report.findings}
