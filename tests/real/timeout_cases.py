"""Requests to a gateway whose backends have faults: what the client saw of each, and after how long."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from tests.real.asking import asked_for

PROVIDERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "lm_studio": {"model": "lm_studio/m", "base": "/v1"},
    "openai": {"model": "openai/m", "base": "/v1", "use_chat_completions_api": True},
    "responses": {"model": "openai/m", "base": "/v1"},
    "anthropic": {"model": "anthropic/m", "base": ""},
    "gemini": {"model": "gemini/m", "base": "/v1beta"},
    "ollama": {"model": "ollama_chat/m", "base": ""},
}
"""Deployments of each API: the model, and the path behind the fault's."""
NATIVE: Final = {
    "chat": ("lm_studio", "openai", "ollama", "anthropic", "gemini"),
    "completions": ("lm_studio", "openai"),
    "responses": ("responses", "lm_studio"),
    "messages": ("anthropic", "lm_studio"),
    "generate": ("gemini", "lm_studio"),
}
"""Providers that each route is tried with: the route's own API, and one that LiteLLM translates to."""
BEFORE: Final = (
    *("refused", "hole", "silent", "comments", "chunks", "empty", "html", "json", "choices", "error"),
    *("500", "429"),
)
"""Faults before the first content: the fallback answers."""
AFTER: Final = ("stall", "stall-comments", "stall-chunks", "endless", "drop", "unfinished", "error-later")
"""Faults after it: an error event, and no second model."""
WHOLE: Final = ("refused", "hole", "silent", "html", "choices", "500", "429")
"""Faults of answers that are not streamed."""
LIMITS: Final = {"connect": 1, "first_token": 1, "idle": 1, "total": 4}
ROOM: Final = {"connect": 20, "first_token": 20, "idle": 20, "total": 25}
"""Limits of the fallback, which works however loaded the machine is."""
ANSWERED: Final = re.compile(r'"(?:content|text|delta)": ?"hi"')
BEGUN: Final = "half"
PATIENCE: Final = 30


@dataclass(frozen=True, slots=True)
class Case:
    """One request."""

    route: str
    provider: str
    fault: str
    stream: bool

    @property
    def handle(self) -> str:
        """The handle whose first backend has the fault."""
        return f"{self.fault}-{self.provider}"

    def __str__(self) -> str:
        kind = "stream" if self.stream else "whole"
        return f"{self.route} {self.provider} {self.fault} {kind}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the client saw."""

    status: int | None
    text: str
    seconds: float

    @property
    def word(self) -> str:
        """It in a word or two."""
        if self.status is None:
            return "hang"
        began, went_on, failed = BEGUN in self.text, bool(ANSWERED.search(self.text)), has_error(self.text)
        if self.status != 200:
            return f"{self.status} {error_type(self.text)}"
        if began and went_on:
            return "SECOND MODEL"
        if failed:
            return "error event" if began else "error only"
        if went_on:
            return "fallback"
        return "CUT, looks whole" if began else "EMPTY, looks whole"


def has_error(text: str) -> bool:
    """Whether a body has an error object, or an error event."""
    return bool(re.search(r'"error": ?[{"]|"type": ?"error"|event: error|response\.failed', text))


def error_type(text: str) -> str:
    """The type of an error body."""
    try:
        error = json.loads(text)["error"]
        return str(error.get("type") or error.get("status"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return "?"


def cases(faults: tuple[str, ...], *, stream: bool) -> Iterator[Case]:
    """Every route and provider with each fault."""
    for fault in faults:
        for route, providers in NATIVE.items():
            for provider in providers:
                yield Case(route, provider, fault, stream)


ALL: Final = (*cases(BEFORE, stream=True), *cases(AFTER, stream=True), *cases(WHOLE, stream=False))


def config(base: str, hole: str, refused: str, *, ours: bool) -> dict[str, Any]:
    """A router.yaml with a handle for each fault and provider, each with a fallback that works."""
    models = [_deployment("rung", f"{base}/works", PROVIDERS["openai"])]
    handles = sorted({(one.handle, one.fault, one.provider) for one in ALL})
    for handle, fault, provider in handles:
        root = {"hole": hole, "refused": refused}.get(fault, f"{base}/{fault}")
        models.append(_deployment(handle, root, PROVIDERS[provider]))
    names = [handle for handle, _, _ in handles]
    fallbacks = [{name: ["rung"]} for name in names]
    document: dict[str, Any] = {
        "model_list": models,
        "router_settings": {"fallbacks": fallbacks, "num_retries": 0, "disable_cooldowns": True},
        "litellm_settings": {
            "disable_hf_tokenizer_download": True,
            "drop_params": False,
            "use_chat_completions_url_for_anthropic_messages": True,
        },
        "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY", "cancel_on_disconnect": True},
    }
    if ours:
        showroom = {"handles": names, "internal": ["rung"]}
        document["homelab"] = {
            "showroom": showroom,
            "timeouts": {"default": LIMITS, "rung": ROOM},
            "state": "memory://",
        }
        document["litellm_settings"]["callbacks"] = ["prometheus", "litellm_homelab.plugin"]
    else:
        document["litellm_settings"]["callbacks"] = []
        document["router_settings"] |= {"timeout": 4, "stream_timeout": 1}
    return document


def _deployment(name: str, root: str, provider: Mapping[str, Any]) -> dict[str, Any]:
    params = {key: value for key, value in provider.items() if key != "base"}
    params |= {"api_base": root + provider["base"], "api_key": "sk-own"}
    return {"model_name": name, "litellm_params": params, "model_info": {"mode": "chat"}}


async def _one(client: httpx.AsyncClient, case: Case, patience: float) -> Seen:
    path, body = asked_for(case.route, case.handle, stream=case.stream)
    began, status, text = time.monotonic(), None, ""
    try:
        async with asyncio.timeout(patience):
            async with client.stream("POST", path, json=body) as answer:
                status = answer.status_code
                async for chunk in answer.aiter_bytes():
                    text += chunk.decode("utf-8", "replace")
    except TimeoutError:
        status = None
    except httpx.HTTPError as error:
        text += f'{{"error": "{type(error).__name__}"}}'
    return Seen(status, text, time.monotonic() - began)


async def asked(url: str, key: str, wanted: tuple[Case, ...], patience: float = PATIENCE) -> dict[Case, Seen]:
    """Make the requests, some side by side."""
    headers, limit = {"Authorization": f"Bearer {key}"}, asyncio.Semaphore(12)
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=None) as client:

        async def one(case: Case) -> Seen:
            async with limit:
                return await _one(client, case, patience)

        seen = await asyncio.gather(*map(one, wanted))
    return dict(zip(wanted, seen, strict=True))
