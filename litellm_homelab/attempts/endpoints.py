"""
Which paths below an upstream's address an attempt may ask.

The paths of OpenAI's, Anthropic's, Gemini's, Azure's, Ollama's and Cohere's APIs as LiteLLM 1.106.2 builds
them, as of November 2026; `{model}` is the deployment's own model, `{id}` an id of the upstream's.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection
from typing import Final

ENDPOINTS: Final = (
    "chat/completions",
    "completions",
    "fim/completions",
    "embeddings",
    "responses",
    "responses/compact",
    "responses/{id}",
    "responses/{id}/cancel",
    "responses/{id}/input_items",
    "messages",
    "images/generations",
    "images/edits",
    "images/variations",
    "audio/speech",
    "audio/transcriptions",
    "audio/translations",
    "moderations",
    "rerank",
    "score",
    "ocr",
    "interactions",
    "videos",
    "videos/{id}",
    "videos/{id}/content",
    "videos/{id}/remix",
    "containers",
    "containers/{id}",
    # Ollama and Cohere
    "chat",
    "generate",
    "embed",
    "show",
    # Gemini
    "models/{model}:generateContent",
    "models/{model}:streamGenerateContent",
    "models/{model}:embedContent",
    "models/{model}:batchEmbedContents",
    "models/{model}:predict",
)
DEPLOYED: Final = tuple(f"openai/deployments/{{model}}/{one}" for one in ENDPOINTS[:18])
"""Azure's: the deployment's name is in the path."""
VERSION: Final = re.compile(r"v\d+(?:(?:alpha|beta)\d*)?|api|openai|anthropic")
"""A segment that LiteLLM adds or takes off between an `api_base` and an endpoint."""
ID: Final = r"[A-Za-z0-9_.:-]+"
QUERY: Final = frozenset(
    {"api-version", "alt", "key", "beta", "limit", "after", "before", "order", "include", "include[]"}
    | {"stream", "starting_after"}
)
"""Names in the query of these APIs; values of `key` are looked at as keys."""
STRICT: Final = frozenset(
    {"openai", "azure", "azure_text", "text-completion-openai", "custom_openai", "openai_like", "lm_studio"}
    | {"hosted_vllm", "llamafile", "mistral", "groq", "openrouter", "ollama", "ollama_chat", "anthropic"}
    | {"anthropic_text", "gemini", "cohere", "cohere_chat", "deepseek", "xai", "together_ai", "perplexity"}
    | {"litellm_proxy", "jina_ai", "infinity", "fireworks_ai", "cerebras", "nvidia_nim", "sambanova"}
    | {"docker_model_runner", "lemonade", "codestral", "text-completion-codestral", "moonshot", "dashscope"}
)
"""Providers whose paths are these; of others only scheme, host, port and path prefix are looked at."""
AZURE: Final = frozenset({"azure", "azure_text", "azure_ai"})
GOOGLE: Final = frozenset({"gemini", "vertex_ai", "vertex_ai_beta"})


def root(segments: tuple[str, ...]) -> tuple[str, ...]:
    """The segments of an `api_base` without the endpoint and the version that it may end with."""
    for length in (3, 2, 1):
        if len(segments) >= length and "/".join(segments[-length:]) in ENDPOINTS:
            segments = segments[:-length]
            break
    while segments and VERSION.fullmatch(segments[-1]):
        segments = segments[:-1]
    return segments


def is_endpoint(segments: tuple[str, ...], provider: str, models: Collection[str]) -> bool:
    """Whether segments behind the root are an endpoint, and name no model but the deployment's."""
    known = _deployed(frozenset(models)) if provider in AZURE else None
    if known is not None and known.fullmatch("/".join(segments)):
        return True
    first = 0
    while first < min(2, len(segments)) and VERSION.fullmatch(segments[first]):
        first += 1
    pattern = _known(frozenset(models))
    return any(pattern.fullmatch("/".join(segments[start:])) for start in range(first + 1))


@functools.lru_cache(maxsize=512)
def _known(models: frozenset[str]) -> re.Pattern[str]:
    return _pattern(ENDPOINTS, models)


@functools.lru_cache(maxsize=512)
def _deployed(models: frozenset[str]) -> re.Pattern[str]:
    return _pattern(DEPLOYED, models)


def _pattern(endpoints: tuple[str, ...], models: frozenset[str]) -> re.Pattern[str]:
    own = "|".join(map(re.escape, sorted(models))) or "(?!)"
    written = (re.escape(one).replace(r"\{model\}", f"(?:{own})").replace(r"\{id\}", ID) for one in endpoints)
    return re.compile("|".join(written))
