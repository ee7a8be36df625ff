"""What an upstream of each route answers, poisoned with secrets wherever a server could put one."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Mapping
from typing import Any, Final

from tests.answers.hostile import HEADERS, LEAKING, TEXTS

SAID: Final = "The sky is blue."
CONTENT: Final = frozenset({"content", "text", "arguments", "embedding", "document", "b64_json", "parts"})
"""Fields whose values are the model's own."""
NOT_KNOWN: Final = frozenset({"address of the router"})
"""Texts that only another router's names give away."""
USAGE: Final = {
    "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7,
    "prompt_tokens_details": {"cached_tokens": 1},
}  # fmt: skip
CHAT: Final = {
    "id": "chatcmpl-zqbox-17", "object": "chat.completion", "created": 1, "model": "zqorg/zqmodel-7b",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": SAID}},
    ],
    "usage": USAGE,
}  # fmt: skip
TEXT: Final = {
    "id": "cmpl-zq", "object": "text_completion", "created": 1, "model": "zqmodel-7b",
    "choices": [{"index": 0, "text": SAID, "finish_reason": "stop", "logprobs": None}], "usage": USAGE,
}  # fmt: skip
BODIES: Final[Mapping[str, dict[str, Any]]] = {
    "embeddings": {
        "object": "list", "model": "zqembed-7b",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    },
    "images": {"created": 1, "data": [{"b64_json": "aGk=", "revised_prompt": "sky"}]},
    "transcriptions": {"text": SAID, "language": "en", "duration": 1.5, "task": "transcribe",
        "model": "zqhear-7b",
        "segments": [{"id": 0, "start": 0.0, "end": 1.5, "text": SAID}]},
    "moderations": {
        "id": "modr-zq", "model": "zqjudge-7b",
        "results": [{"flagged": False, "categories": {"hate": False}, "category_scores": {"hate": 0.1}}],
    },
    "rerank": {
        "id": "zq-7", "model": "zqsort-7b", "results": [{"index": 0, "relevance_score": 0.5}],
        "meta": {"billed_units": {"search_units": 1}, "api_version": {"version": "zq"}},
        "usage": {"total_tokens": 3},
    },
    "search": {"query": "sky", "results": [{"title": "Sky", "url": "https://sky.example", "content": SAID}]},
}  # fmt: skip


class Poisoner:
    """Makes answers of upstreams from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def whole(self, kind: str) -> bytes:
        """A body in one piece."""
        body = {"chat": CHAT, "completions": TEXT}.get(kind) or BODIES[kind]
        return json.dumps(self._poisoned(copy.deepcopy(body))).encode()

    def stream(self, kind: str, *, errors: bool = True) -> list[bytes]:
        """Chunks of a stream: what is said, the end, the usage; with `errors` now and then one amid them."""
        base = {
            key: value for key, value in (TEXT if kind == "completions" else CHAT).items() if key != "usage"
        }
        base["object"] = "text_completion" if kind == "completions" else "chat.completion.chunk"
        events: list[Any] = []
        for text, finish in ((SAID[:7], None), (SAID[7:], None), ("", "stop")):
            piece = (
                {"text": text} if kind == "completions" else {"delta": {"role": "assistant", "content": text}}
            )
            events.append({**base, "choices": [{"index": 0, "finish_reason": finish, **piece}]})
        events.append({**base, "choices": [], "usage": dict(USAGE)})
        if errors and self.random.random() < 0.15:
            events.insert(self.random.randrange(len(events)), {"error": self.error()})
        lines = [b"data: " + json.dumps(self._poisoned(copy.deepcopy(event))).encode() for event in events]
        if self.random.random() < 0.3:
            lines.insert(self.random.randrange(len(lines)), b": zq processing")
        return [line + b"\n\n" for line in (*lines, b"data: [DONE]")]

    def error(self) -> dict[str, Any]:
        """An error with a text that gives something away."""
        known = [said for name, said in TEXTS.items() if name not in NOT_KNOWN]
        text = self.random.choice(known) + self.random.choice(["", ". Try again in 7s."])
        return {
            "message": text, "param": None,
            "type": self.random.choice(["invalid_request_error", "zq_error"]),
            "code": self.random.choice(["invalid", 400, None]),
            "metadata": {"provider_name": "zq", "raw": "zq"}, "failed_generation": "zq",
            "request_id": "req_zq7777",
        }  # fmt: skip

    def failed(self) -> bytes:
        """The body of an error."""
        return self.random.choice(
            [
                json.dumps({"error": self.error(), "zq": "zq"}),
                json.dumps({"object": "error", **self.error()}),
                json.dumps({"error": self.error()["message"]}),
                json.dumps(
                    {
                        "detail": [
                            {"loc": ["body", "zq"], "msg": self.error()["message"], "type": "value_error"}
                        ]
                    }
                ),
                f"<html><h1>502</h1>nginx/1.27.1 at zqnode.rack {self.error()['message']}</html>",
                "",
            ]
        ).encode()

    def headers(self) -> dict[str, str]:
        """Headers of a server that tells everything."""
        chosen = dict.fromkeys(self.random.sample(HEADERS, 4), "zq")
        return {
            **chosen,
            "x-ratelimit-remaining-tokens": "zq",
            "x-litellm-applied-guardrails": "zq",
            "retry-after": self.random.choice(["3", "zqbox"]),
        }

    def _poisoned(self, value: Any, field: str = "") -> Any:
        if field in CONTENT:
            return value
        if isinstance(value, list):
            return [self._poisoned(one) for one in value]
        if not isinstance(value, dict):
            return value
        kept = {name: self._poisoned(inner, name) for name, inner in value.items()}
        for name in self.random.sample(LEAKING, self.random.randrange(3)):
            kept[name] = self.random.choice(["zq-secret", {"zq": "zq"}, ["zq"]])
        return kept
