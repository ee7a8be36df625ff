"""Which provider LiteLLM 1.106.2 serves on which route, and the one address that a request then goes to."""

from __future__ import annotations

from collections.abc import Mapping

from tests.real.providers.rig import TENANT

CHAT = "/v1/chat/completions"
_OPENAI: Mapping[str, str] = {
    "chat": CHAT,
    "completions": CHAT,
    "responses": CHAT,
    "messages": CHAT,
    "generate": CHAT,
    "interactions": CHAT,
    "engines": CHAT,
    "deployments": CHAT,
    "embeddings": "/v1/embeddings",
    "images": "/v1/images/generations",
    "speech": "/v1/audio/speech",
    "transcription": "/v1/audio/transcriptions",
    "moderations": "/v1/moderations",
}
_RESPONSES = {"responses": "/v1/responses", "interactions": "/v1/responses"}
_TALKING = (
    "chat",
    "completions",
    "responses",
    "messages",
    "generate",
    "interactions",
    "engines",
    "deployments",
)
_AZURE = "/openai/deployments/real-azure-"

SERVES: Mapping[str, Mapping[str, str]] = {
    "openai": {**_OPENAI, **_RESPONSES, "completions": "/v1/completions", "image edits": "/v1/images/edits"},
    "lm_studio": _OPENAI,
    "mistral": {route: path for route, path in _OPENAI.items() if route != "images"},
    "openrouter": {
        **{route: path for route, path in _OPENAI.items() if route not in {"speech", "transcription"}},
        **_RESPONSES,
        "images": CHAT,
        "image edits": CHAT,
    },
    "hosted_vllm": {
        **_OPENAI,
        **_RESPONSES,
        "completions": "/v1/completions",
        "image edits": "/v1/images/edits",
        "rerank": "/v1/rerank",
    },
    "azure": {
        **dict.fromkeys(_TALKING, f"{_AZURE}chat/chat/completions"),
        "responses": "/openai/responses",
        "interactions": "/openai/responses",
        "embeddings": f"{_AZURE}embed/embeddings",
        "images": f"{_AZURE}image/images/generations",
        "image edits": f"{_AZURE}image/images/edits",
        "speech": f"{_AZURE}speech/audio/speech",
        "transcription": f"{_AZURE}transcription/audio/transcriptions",
        "moderations": "/moderations",
    },
    "ollama": {
        **dict.fromkeys(_TALKING, "/api/generate"),
        "embeddings": "/api/embed",
        "moderations": "/moderations",
    },
    "ollama_chat": dict.fromkeys(_TALKING, "/api/chat"),
}
"""
For each provider the routes that LiteLLM serves, with the path below the deployment's host.

Measured on 1.106.2 through stock LiteLLM: what is not here ends before anything is sent, with a 500 for most
(`image edit is not supported for ollama`), with an empty 200 for images of mistral and ollama.
"""

QUERIES: Mapping[str, tuple[str, ...]] = {
    "azure": ("api-version=2024-10-21", "api-version=2025-02-01-preview", "")
}
"""Query strings that a deployment's own address has; others have none."""


def address(provider: str, route: str) -> str:
    """The path at which a request on a route arrives; a KeyError where LiteLLM cannot serve it."""
    return TENANT + SERVES[provider][route]
