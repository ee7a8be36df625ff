"""
Fields of answers in Anthropic's and Google's formats, and of rerank, search and OCR.

From https://docs.anthropic.com/en/api/messages and the types of anthropic 2.11.0 (compared by
tests/answers/test_fields.py); https://ai.google.dev/api/generate-content and its interactions API, as LiteLLM
1.106.2 has it; https://docs.cohere.com/reference/rerank; https://docs.litellm.ai/docs/search and /ocr. All
read
on 2026-11-25.

Left out although documented, because they say where an answer comes from: Anthropic's `service_tier`,
`inference_geo`, `speed`, `diagnostics`; Google's `modelStatus`; a rerank's `meta.api_version`.
"""

from __future__ import annotations

from typing import Final

from litellm_homelab.answers.shapes import Shape, error, numbers, shape

# --- Anthropic ---------------------------------------------------------------------------------------

BLOCK: Final = shape(
    "block",
    labels="type",
    ids="file_id",
    numeric="is_error index",
    passed="id text citations thinking signature data name input tool_use_id content encrypted_content "
    "caller from to "
    "toolset_name mcp_server_name server_name tool_changes tools trigger",
)
"""Content blocks of all types, server tools' results among them."""
CACHE_CREATION: Final = shape("cache_creation", numeric="ephemeral_1h_input_tokens ephemeral_5m_input_tokens")
ANTHROPIC_USAGE: Final = shape(
    "anthropic.usage",
    numeric="input_tokens output_tokens cache_creation_input_tokens cache_read_input_tokens total_tokens",
    inner={"cache_creation": CACHE_CREATION, "server_tool_use": numbers, "output_tokens_details": numbers},
)
STOP: Final = shape("stop_details", words="type reason category", passed="explanation")
CONTAINER: Final = shape("anthropic.container", ids="id", labels="expires_at")
MESSAGE: Final = shape(
    "anthropic.message",
    ids="id",
    models="model",
    words="type role stop_reason",
    numeric="input_tokens",
    passed="stop_sequence context_management",
    inner={
        "content": BLOCK, "usage": ANTHROPIC_USAGE, "container": CONTAINER, "stop_details": STOP,
        "error": error,
    },
)  # fmt: skip
"""A message; with `input_tokens` the answer of count_tokens."""
DELTA: Final = shape(
    "anthropic.delta",
    words="type stop_reason",
    numeric="estimated_tokens",
    passed="text partial_json thinking signature citation stop_sequence content encrypted_content",
    inner={"container": CONTAINER, "stop_details": STOP},
)
MESSAGE_EVENT: Final = Shape(
    "anthropic.event",
    {
        **MESSAGE.fields,
        **shape(
            "", numeric="index", inner={"message": MESSAGE, "content_block": BLOCK, "delta": DELTA}
        ).fields,
    },
)

# --- Google ------------------------------------------------------------------------------------------

GEMINI_CONTENT: Final = shape("gemini.content", words="role", passed="parts")
SAFETY: Final = shape(
    "gemini.safety", words="category probability severity", numeric="blocked probabilityScore severityScore"
)
CANDIDATE: Final = shape(
    "gemini.candidate",
    words="finishReason",
    numeric="index tokenCount avgLogprobs",
    texts="finishMessage",
    passed="citationMetadata groundingMetadata groundingAttributions logprobsResult urlContextMetadata",
    inner={"content": GEMINI_CONTENT, "safetyRatings": SAFETY},
)
MODALITY: Final = shape("gemini.modality", words="modality", numeric="tokenCount")
GEMINI_USAGE: Final = shape(
    "gemini.usage",
    numeric="promptTokenCount candidatesTokenCount totalTokenCount cachedContentTokenCount "
    "thoughtsTokenCount "
    "toolUsePromptTokenCount",
    inner=dict.fromkeys(
        [
            "promptTokensDetails",
            "candidatesTokensDetails",
            "cacheTokensDetails",
            "toolUsePromptTokensDetails",
        ],
        MODALITY,
    ),
)
FEEDBACK: Final = shape("gemini.feedback", words="blockReason", inner={"safetyRatings": SAFETY})
GENERATED: Final = shape(
    "gemini",
    ids="responseId",
    models="modelVersion model",
    labels="createTime",
    numeric="totalTokens cachedContentTokenCount",
    inner={
        "candidates": CANDIDATE, "usageMetadata": GEMINI_USAGE, "promptFeedback": FEEDBACK, "error": error,
        "promptTokensDetails": MODALITY,
    },
)  # fmt: skip
STEP: Final = shape(
    "interactions.step",
    ids="id interaction_id",
    labels="type status role",
    numeric="index start_index end_index is_error",
    passed="text summary signature name arguments call_id result data mime_type uri annotations content "
    "delta thought "
    "action resolution output input",
    inner={"error": error},
)
"""Steps, outputs and deltas of interactions, of all types."""
INTERACTION_USAGE: Final = shape(
    "interactions.usage",
    numeric="total_input_tokens total_output_tokens total_tokens total_thought_tokens total_reasoning_tokens "
    "total_cached_tokens total_tool_use_tokens input_tokens output_tokens",
    inner=dict.fromkeys(
        [
            "input_tokens_by_modality",
            "output_tokens_by_modality",
            "cached_tokens_by_modality",
            "tool_use_tokens_by_modality",
        ],
        MODALITY,
    ),
)
INTERACTION: Final = shape(
    "interactions",
    ids="id previous_interaction_id",
    models="model agent",
    words="object status role",
    labels="created updated",
    numeric="success",
    inner={"outputs": STEP, "steps": STEP, "usage": INTERACTION_USAGE, "error": error},
)
INTERACTION_EVENT: Final = Shape(
    "interactions.event",
    {
        **INTERACTION.fields,
        **shape(
            "",
            ids="interaction_id event_id",
            words="event_type",
            numeric="index",
            inner={"interaction": INTERACTION, "delta": STEP, "step": STEP, "content": STEP},
        ).fields,
    },
)

# --- rerank, search, OCR -----------------------------------------------------------------------------

RANKED: Final = shape("rerank.result", numeric="index relevance_score score", passed="document")
META: Final = shape("rerank.meta", inner={"billed_units": numbers, "tokens": numbers})
RERANK: Final = shape(
    "rerank",
    ids="id",
    models="model",
    words="object",
    inner={"results": RANKED, "data": RANKED, "meta": META, "usage": numbers},
)
FOUND: Final = shape("search.result", passed="title url snippet date last_updated")
SEARCH: Final = shape("search", words="object", inner={"results": FOUND})
PAGE: Final = shape(
    "ocr.page", numeric="index", passed="markdown images dimensions tables hyperlinks header footer"
)
OCR: Final = shape(
    "ocr",
    models="model",
    words="object",
    passed="document_annotation",
    inner={"pages": PAGE, "usage_info": numbers},
)
