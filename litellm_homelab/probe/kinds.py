"""Which kind of server it is: from what it says of itself where only one kind says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from litellm_homelab.probe.asking import ProbeReply
from litellm_homelab.probe.reading import parsed
from litellm_homelab.sync.backends import CONTEXT

PATHS: Final = ("/v1/models", "/health", "/version", "/api/version", "/api/ps", "/props", "/api/v0/models")
"""What is asked; none of it loads a model. `/props` is llama.cpp's, `/api/v0/models` LM Studio's."""
NOT_CHAT: Final = ("embed", "rerank", "whisper", "tts", "bge-", "clip")
"""In names of models that do not chat."""


@dataclass(frozen=True, slots=True)
class ProbedServer:
    """What a server says of itself."""

    kind: str
    """As in `homelab.backends.<name>.kind`, or `llama.cpp`, `litellm`."""
    why: str
    models: tuple[str, ...] = ()
    loaded: tuple[str, ...] = ()
    context: Mapping[str, int] | None = None
    """Tokens that each model reads, where the list says so."""

    def first_model(self) -> str:
        """The model to ask: one in memory before one that would be loaded, one that chats before others."""
        listed = [one for one in self.models if one in self.loaded] or list(self.models)
        chats = [one for one in listed if not any(word in one.lower() for word in NOT_CHAT)]
        return (chats or listed or [""])[0]


def server_of(replies: Mapping[str, ProbeReply]) -> ProbedServer:
    """The kind, the models and their lengths, from the answers to `PATHS`."""
    found = {path: parsed(one.body) if one.status == 200 else None for path, one in replies.items()}
    listed = _rows(found.get("/v1/models"), "data")
    models = tuple(dict.fromkeys(str(one["id"]) for one in listed if isinstance(one.get("id"), str)))
    kind, why = _kind(replies, found, listed)
    return ProbedServer(
        kind,
        why,
        models,
        _loaded(found),
        {str(one.get("id")): tokens for one in listed if (tokens := _context(one)) is not None},
    )


def _kind(
    replies: Mapping[str, ProbeReply], found: Mapping[str, object], listed: list[Mapping[str, Any]]
) -> tuple[str, str]:
    owners = {str(one.get("owned_by")) for one in listed}
    server = _header(replies, "server")
    health = found.get("/health")
    says_ok = isinstance(health, dict) and health.get("status") == "ok"
    if any(name.startswith(("x-litellm-", "x-homelab-")) for name in _header_names(replies)):
        return "litellm", "its headers are LiteLLM's"
    if "llama.cpp" in server or "llamacpp" in owners:
        return "llama.cpp", "it says so"
    if "vllm" in owners:
        return "vllm", "its models are owned by vllm"
    if isinstance(found.get("/api/v0/models"), dict):
        return "lm-studio", "it answers on /api/v0/models"
    if isinstance(found.get("/api/version"), dict) and isinstance(found.get("/api/ps"), dict):
        return "ollama", "it answers on /api/version and /api/ps"
    if "llama-swap" in owners:
        return "llama-swap", "its models are owned by llama-swap"
    if server.startswith("Werkzeug") and says_ok:
        return "optillm", "a Werkzeug server with /health, as OptiLLM is"
    if server.startswith("BaseHTTP") and says_ok:
        return "mlx", "a BaseHTTP server with /health, as mlx_lm.server is"
    return "openai", "nothing says more"


def _header(replies: Mapping[str, ProbeReply], name: str) -> str:
    return next((one.headers[name] for one in replies.values() if name in one.headers), "")


def _header_names(replies: Mapping[str, ProbeReply]) -> set[str]:
    return {name.lower() for one in replies.values() for name in one.headers}


def _loaded(found: Mapping[str, object]) -> tuple[str, ...]:
    ollama = [str(one.get("name")) for one in _rows(found.get("/api/ps"), "models")]
    studio = [
        str(one.get("id"))
        for one in _rows(found.get("/api/v0/models"), "data")
        if one.get("state") == "loaded"
    ]
    return (*ollama, *studio)


def _context(row: Mapping[str, Any]) -> int | None:
    meta = row.get("meta")
    facts = {**row, **(meta if isinstance(meta, dict) else {})}
    return next((facts[one] for one in CONTEXT if type(facts.get(one)) is int and facts[one] > 0), None)


def _rows(document: object, key: str) -> list[Mapping[str, Any]]:
    rows = document.get(key) if isinstance(document, dict) else None
    return [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []
