"""Which routes take JSON only: a form there is refused before LiteLLM reads it."""

from __future__ import annotations

from typing import Final

from litellm_homelab import refusals
from litellm_homelab.decision import Refuse
from litellm_homelab.fields.routes import api_of

JSON_APIS: Final = frozenset(
    {"chat", "completions", "responses", "compact", "messages", "generate", "interactions", "embeddings"}
    | {"image_generation", "speech", "rerank", "moderation", "search", "batches"}
)
"""
APIs whose documentation knows JSON bodies only (OpenAI, Anthropic, Google, Cohere, read on 2026-11-25).

The others take forms: transcriptions, translations, edits of images, files, containers, videos, OCR.
"""
COUNTS: Final = ("/count_tokens", ":countTokens")
"""How the paths of routes end that count tokens."""
BODIES: Final = frozenset({"POST", "PUT", "PATCH"})


def refusal(path: str, method: str, media_type: str) -> Refuse | None:
    """The refusal of a form on a route (LiteLLM's template of its path) that takes JSON only."""
    if method not in BODIES or (api_of(path) not in JSON_APIS and not path.endswith(COUNTS)):
        return None
    return refusals.form_instead_of_json(media_type)
