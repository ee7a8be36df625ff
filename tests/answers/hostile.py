"""Answers as an upstream would give them that wants its secrets seen: made from the shapes, with a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from litellm_homelab.answers import shapes
from litellm_homelab.answers.routes import AnswerShape, answers_of
from litellm_homelab.answers.shapes import Shape
from tests.formats.test_encoded_ids import response

HANDLE: Final = "main"
ROUTES: Final = (
    *("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/v1/embeddings"),
    *("/v1beta/models/{model_name:path}:generateContent", "/v1beta/interactions", "/v1/moderations"),
    *(
        "/v1/images/generations",
        "/v1/audio/transcriptions",
        "/v1/rerank",
        "/v1/search",
        "/v1/ocr",
        "/v1/files",
    ),
    *("/v1/batches", "/v1/videos", "/v1/containers", "/v1/responses/{response_id}/input_items"),
    "/openai/deployments/{model:path}/embeddings",
)
GROUP, MODEL, ADDRESS, DEPLOYMENT = "zq-rung-1", "openai/zqorg/zqmodel-7b", "http://zqbox:8080/v1", "zq4f0c"
"""What the router knows of the upstream."""
DEPLOYMENTS: Final = [
    {
        "model_name": GROUP,
        "litellm_params": {"model": MODEL, "api_base": ADDRESS},
        "model_info": {"id": DEPLOYMENT},
    }
]
TEXTS: Final[Mapping[str, str]] = {
    # By the step of the redaction that alone finds it; the secrets begin with `zq`.
    "names": "group zq-rung-1 is away",
    "address of the router": "zqbox refused",
    "litellm": "AKIAZQZQZQZQZQZQZQZQ was refused",
    "traceback": "boom\nstack backtrace:\n 0: zqframe",
    "router": "boom\n\nLiteLLM: Fallbacks are configured for: zqgroup.",
    "embedded": 'boom {"zqkey": "zqshard", "message": "bad"}',
    "value": "bad [type=string_type, input_value=['zqvalue'], input_type=list]",
    "module": "zqpack.types.llms.Zqoptions() failed",
    "run": "boom " + "zqrun" * 70,
    "url": "see https://zqhostname",
    "mail": "ask zquser@zqmail.zz",
    "arn": "no access to arn:aws:zqregion",
    "field": "served_model_name=zqserved is gone",
    "key": "wrong key gsk_zq9abcdef",
    "credential": "access token: zqtokenvalue",
    "account": "limit of organization zqorganisation",
    "path": "no such file /models/zqpath/x",
    "file": "cannot load zqweights.gguf",
    "address": "from ab:cd:ef:01:23:45",
    "ipv6": "from 2001:db8::77",
    "host": "from zqnode.rack",
    "exception": "ZqprovException - boom",
    "version": "running v7.77zq",
    "hardware": "on GeForce RTX 4090zq",
    "provider": "Koboldcpp is busy",
    "model": "the model `zqother` does not exist",
    "family": "too large for gpt-4o-zq",
    "hub": "no such repository zqhub/model-7b",
}
OTHER_SECRETS: Final = ("akiazq", "ab:cd:ef", "db8::77", "v7.77", "koboldcpp")
LEAKING: Final = (
    *(
        "system_fingerprint",
        "provider",
        "x_groq",
        "stats",
        "timings",
        "service_tier",
        "model_info",
        "zq_unknown",
    ),
    *(
        "prompt_filter_results",
        "provider_specific_fields",
        "hidden_params",
        "_hidden_params",
        "usage_breakdown",
    ),
    *(
        "native_finish_reason",
        "litellm_params",
        "api_base",
        "kv_transfer_params",
        "metadata_of_server",
        "created_by",
    ),
)
"""Fields that servers add (vLLM, llama.cpp, LM Studio, Groq, OpenRouter, Azure), and an unknown one."""
HEADERS: Final = (
    *(
        "server",
        "request-id",
        "x-request-id",
        "x-ratelimit-limit-requests",
        "openai-organization",
        "cf-ray",
        "via",
    ),
    *(
        "x-groq-region",
        "x-litellm-model-api-base",
        "llm_provider-server",
        "x-litellm-version",
        "x-zq",
        "set-cookie",
    ),
)


@dataclass(slots=True)
class Hostile:
    """One answer of an upstream."""

    path: str
    status: int
    headers: dict[str, str]
    body: bytes
    streamed: bool
    said: list[str] = field(default_factory=list)
    """What of the body is the model's own, and must arrive."""


class Maker:
    """Makes answers from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._rules: dict[Any, Callable[[], Any]] = {
            shapes.content: self._content,
            shapes.number: lambda: self._or_secret(lambda: self.random.randrange(1000)),
            shapes.numbers: lambda: {"a": 1, "zq": self.secret(), "b": self._or_secret(lambda: 2)},
            shapes.word: lambda: self._or_secret(
                lambda: self.random.choice(["stop", "list", "assistant", "ok"])
            ),
            shapes.label: lambda: self._or_secret(
                lambda: self.random.choice(["1024x1024", "high", "/v1/files"])
            ),
            shapes.text: self.text,
            shapes.identifier: self._identifier,
            shapes.model: lambda: self.random.choice([MODEL, "zqorg/zqmodel-7b", "zq"]),
            shapes.error: self.error,
        }
        self._said: list[str] = []

    def secret(self) -> str:
        """A text that names something, for a place where no text belongs."""
        return self.random.choice(
            ["zqsecret", "zq host", "zq.host.lan", "http://zqbox:8080", MODEL, "vLLM 0.11 zq"]
        )

    def _or_secret(self, fine: Callable[[], Any]) -> Any:
        roll = self.random.random()
        if roll < 0.8:
            return fine()
        return self.random.choice(["zq host", "zqnode.lan", "Koboldcpp"]) if roll < 0.97 else {"zq": "zq"}

    def text(self) -> str:
        """A text about an error."""
        return self.random.choice(list(TEXTS.values()))

    def error(self) -> Any:
        """An error in any shape."""
        known = {
            "message": self.text(),
            "type": self.random.choice(["server_error", "zq_error", "zqError"]),
            "code": 500,
            "param": None,
        }
        return self.random.choice(
            [
                {**known, self.random.choice(LEAKING): self.secret(), "metadata": {"provider_name": "zq"}},
                self.text(),
                {"error": known, "zq": "zq"},
                {**known, "message": {"detail": self.text()}},
            ]
        )

    def _content(self) -> Any:
        said = f"said-{self.random.randrange(10**9)}"
        self._said.append(said)
        return self.random.choice(
            [said, {"model": said, "system_fingerprint": said}, [said, {"provider": said}]]
        )

    def _identifier(self) -> Any:
        return self.random.choice(
            ["chatcmpl-zqbox-17", "gen-zq", "resp_4f0c", response(DEPLOYMENT), "msg_01zqzq", "zqnode.lan", 7]
        )

    def object(self, shape: Any, depth: int = 0) -> Any:
        """A value for a rule: an object of a shape with fields that do not belong there."""
        if not isinstance(shape, Shape):
            return self._rules[shape]() if shape in self._rules else {}
        few = 4 if depth else 8
        chosen = [name for name in shape.fields if self.random.random() < few / (len(shape.fields) + 1)]
        body: dict[str, Any] = {}
        for name in chosen:
            value = self.object(shape.fields[name], depth + 1)
            inner = isinstance(shape.fields[name], Shape) and self.random.random() < 0.5
            body[name] = [value] if inner else value
        if self.random.random() < 0.7:
            body[self.random.choice(LEAKING)] = self.random.choice([self.secret(), {"zq": self.secret()}])
        return body

    def answer(self, path: str | None = None) -> Hostile:
        """One answer of a route."""
        path = path or self.random.choice(ROUTES)
        answers = answers_of(path)
        assert answers is not None, path
        self._said = []
        kind = self.random.random()
        headers = dict.fromkeys(self.random.sample(HEADERS, 3), "zq")
        if kind < 0.12:
            status = self.random.choice([400, 404, 429, 500, 503])
            body = json.dumps({"error": self.error(), "zq": "zq"}).encode()
            return Hostile(
                path, status, {**headers, "content-type": "application/json"}, body, streamed=False
            )
        if kind < 0.4:
            stream = b"".join(self._event(answers) for _ in range(self.random.randrange(1, 4)))
            headers["content-type"] = "text/event-stream"
            return Hostile(path, 200, headers, stream, streamed=True, said=self._said)
        body = json.dumps(self.object(answers.whole)).encode()
        return Hostile(
            path, 200, {**headers, "content-type": "application/json"}, body, streamed=False, said=self._said
        )

    def _event(self, answers: AnswerShape) -> bytes:
        roll = self.random.random()
        if roll < 0.1:
            said = list(self._said)
            broken = self._broken(answers)
            self._said = said
            return broken
        if roll < 0.2:
            return (
                b"data: "
                + json.dumps({"type": "error", "error": self.error(), "zq": "zq"}).encode()
                + b"\n\n"
            )
        body = self.object(answers.event)
        lines = [json.dumps(body)] if roll < 0.9 else json.dumps(body, indent=0).splitlines()
        text = "\ufeff" * (roll > 0.95) + "\r\n".join(f"data: {line}" for line in lines)
        return text.encode() + self.random.choice([b"\n\n", b"\r\n\r\n", b"\r\r"])

    def _broken(self, answers: AnswerShape) -> bytes:
        body = json.dumps(self.object(answers.event))
        return self.random.choice(
            [
                f"data: {body[:-1]}\n\n",
                f'data: {{"n": {"7" * 4400}, "zq": "zq"}}\n\n',
                'data: {"n": NaN, "zq": "zq"}\n\n',
                f": {self.text().splitlines()[0]}\n\n",
                f"data: {self.text().splitlines()[0]}\n\n",
                "zqfield: zq\n\n",
                'data: {"a":' * 1200 + "zq\n\n",
            ]
        ).encode()


def answers(seed: int, count: int) -> Iterator[Hostile]:
    """So many answers."""
    maker = Maker(seed)
    return (maker.answer() for _ in range(count))


def seen(output: str) -> list[str]:
    """The secrets in what left."""
    low = output.lower()
    return [word for word in ("zq", *OTHER_SECRETS) if word in low]
