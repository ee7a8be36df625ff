"""The clients that people use: one question on every route, streamed and not, and what was heard."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import openai

from tests.real.gateway import Gateway

TIMEOUT = 60
MOST_TOKENS = 60


@dataclass(frozen=True, slots=True)
class Heard:
    """What an answer said: its text, every model name in its body or chunks, in how many pieces it came."""

    text: str
    models: frozenset[str]
    pieces: int

    @classmethod
    def of(cls, parts: Iterable[tuple[str, str]]) -> Heard:
        """Put (text, model) pairs together; an empty text or model is none."""
        found = list(parts)
        return cls(
            text="".join(text for text, _ in found),
            models=frozenset(model for _, model in found if model),
            pieces=sum(1 for text, _ in found if text),
        )


class Clients:
    """The real OpenAI and Anthropic SDKs, without retries of their own, and httpx for Google's format."""

    def __init__(self, gateway: Gateway) -> None:
        self.openai = openai.OpenAI(
            base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0, timeout=TIMEOUT
        )
        import anthropic  # 2 s that every test process would pay, since all of them collect this folder

        self.anthropic = anthropic.Anthropic(
            base_url=gateway.url, api_key=gateway.key, max_retries=0, timeout=TIMEOUT
        )
        self.http = gateway.client

    def close(self) -> None:
        """Close the connections."""
        self.openai.close()
        self.anthropic.close()

    def chat(self, model: str, text: str, stream: bool) -> Heard:
        """Ask POST /v1/chat/completions."""
        create: Any = self.openai.chat.completions.create
        answer = create(
            model=model, messages=[{"role": "user", "content": text}], max_tokens=MOST_TOKENS, stream=stream
        )
        if not stream:
            return Heard.of([(answer.choices[0].message.content, answer.model)])
        return Heard.of(
            (chunk.choices[0].delta.content or "" if chunk.choices else "", chunk.model) for chunk in answer
        )

    def completions(self, model: str, text: str, stream: bool) -> Heard:
        """Ask POST /v1/completions."""
        create: Any = self.openai.completions.create
        answer = create(model=model, prompt=text, max_tokens=MOST_TOKENS, stream=stream)
        if not stream:
            return Heard.of([(answer.choices[0].text, answer.model)])
        return Heard.of(
            (chunk.choices[0].text or "" if chunk.choices else "", chunk.model) for chunk in answer
        )

    def responses(self, model: str, text: str, stream: bool) -> Heard:
        """Ask POST /v1/responses."""
        create: Any = self.openai.responses.create
        answer = create(model=model, input=text, max_output_tokens=MOST_TOKENS, stream=stream)
        return Heard.of(_events(answer) if stream else [(answer.output_text, answer.model)])

    def messages(self, model: str, text: str, stream: bool) -> Heard:
        """Ask POST /v1/messages."""
        create: Any = self.anthropic.messages.create
        answer = create(
            model=model, messages=[{"role": "user", "content": text}], max_tokens=MOST_TOKENS, stream=stream
        )
        if stream:
            return Heard.of(_message_events(answer))
        text = "".join(block.text for block in answer.content if block.type == "text")  # others are thoughts
        return Heard.of([(text, answer.model)])

    def generate(self, model: str, text: str, stream: bool) -> Heard:
        """Ask POST /v1beta/models/{model}:generateContent, or :streamGenerateContent."""
        verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
        body = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
        answer = self.http.post(f"/v1beta/models/{model}:{verb}", json=body).raise_for_status()
        bodies = sse(answer.text) if stream else [answer.json()]
        return Heard.of((_generated(one), one.get("modelVersion", "")) for one in bodies)


Ask = Callable[[Clients, str, str, bool], Heard]
ROUTES: Mapping[str, Ask] = {
    "chat": Clients.chat,
    "completions": Clients.completions,
    "responses": Clients.responses,
    "messages": Clients.messages,
    "generate": Clients.generate,
}
"""Every route that a handle of mode chat serves."""


@contextmanager
def clients_of(gateway: Gateway) -> Iterator[Clients]:
    """The clients of a gateway, closed at the end."""
    clients = Clients(gateway)
    try:
        yield clients
    finally:
        clients.close()


def sse(text: str) -> list[dict[str, Any]]:
    """The JSON objects of a stream of server-sent events."""
    lines = (line.removeprefix("data:").strip() for line in text.splitlines() if line.startswith("data:"))
    return [json.loads(line) for line in lines if line != "[DONE]"]


def _events(stream: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for event in stream:
        text = event.delta if event.type == "response.output_text.delta" else ""
        yield text, getattr(getattr(event, "response", None), "model", "")


def _message_events(stream: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for event in stream:
        delta = getattr(event, "delta", None)
        yield getattr(delta, "text", "") or "", getattr(getattr(event, "message", None), "model", "")


def _generated(body: Mapping[str, Any]) -> str:
    parts = (part for one in body.get("candidates", ()) for part in one["content"]["parts"])
    return "".join(part.get("text", "") for part in parts)
