"""
Fields of answers in OpenAI's formats.

From https://platform.openai.com/docs/api-reference and the types of openai-python 3.57.0, read on 2026-11-26;
tests/answers/test_fields.py compares them with the installed package. Added for what local servers answer
(LiteLLM 1.106.2, vLLM's and llama.cpp's documentation, same day): `reasoning_content`, `reasoning`,
`thinking_blocks`, `images`, `citations`, `search_results`, `prompt_logprobs`, `token_ids`, `stop_reason`.

Left out although OpenAI documents them, because they say where an answer comes from: `system_fingerprint`
(MLX: versions, kernel and platform; vLLM: the card), `service_tier`, an item's `created_by`, `fingerprint`, a
response's `access_programs`, `tool_usage` and `prompt_cache_diagnostics` (an account's), `image` and
`input_transformations` (what the server did to the input), a stored chat's `metadata`.
"""

from __future__ import annotations

from typing import Final

from litellm_homelab.answers.shapes import Shape, categories, content, error, shape

TOKENS: Final = shape(
    "usage.details",
    numeric="cached_tokens cache_write_tokens cache_creation_tokens audio_tokens text_tokens image_tokens "
    "video_tokens reasoning_tokens accepted_prediction_tokens rejected_prediction_tokens",
)
"""The details of prompt, completion, input and output tokens."""
USAGE: Final = shape(
    "usage",
    words="type",
    numeric="prompt_tokens completion_tokens total_tokens input_tokens output_tokens seconds "
    "cache_creation_input_tokens cache_read_input_tokens search_units",
    inner=dict.fromkeys(
        [
            "prompt_tokens_details",
            "completion_tokens_details",
            "input_tokens_details",
            "output_tokens_details",
            "input_token_details",
            "output_token_details",
        ],
        TOKENS,
    ),
)

FUNCTION: Final = shape("function", passed="name arguments")
CUSTOM: Final = shape("custom", passed="name input")
TOOL_CALL: Final = shape(
    "tool_call", passed="id", words="type", numeric="index", inner={"function": FUNCTION, "custom": CUSTOM}
)
MESSAGE: Final = shape(
    "message",
    words="role",
    passed="content refusal annotations audio reasoning_content reasoning thinking_blocks images citations",
    inner={"function_call": FUNCTION, "tool_calls": TOOL_CALL},
)
CHOICE: Final = shape(
    "choice",
    words="finish_reason",
    numeric="index",
    passed="text logprobs token_ids prompt_token_ids prompt_logprobs stop_reason",
    inner={"message": MESSAGE, "delta": MESSAGE, "error": error},
)
MODERATED: Final = shape(
    "moderation.result",
    numeric="flagged",
    inner=dict.fromkeys(["categories", "category_applied_input_types", "category_scores"], categories),
)
MODERATION: Final = shape(
    "moderation", ids="id", models="model", words="object type", inner={"results": MODERATED}
)
CHAT: Final = shape(
    "chat",
    ids="id",
    models="model",
    words="object",
    numeric="created",
    passed="citations search_results prompt_logprobs prompt_token_ids obfuscation",
    inner={"choices": CHOICE, "usage": USAGE, "moderation": MODERATION, "error": error},
)
"""Chat and text completions, whole and in chunks."""

EMBEDDING: Final = shape("embedding", words="object", numeric="index", passed="embedding")
EMBEDDINGS: Final = shape(
    "embeddings",
    ids="id",
    models="model",
    words="object",
    numeric="created",
    inner={"data": EMBEDDING, "usage": USAGE},
)
MODERATIONS: Final = MODERATION

PART: Final = shape(
    "part",
    words="type",
    passed="text annotations logprobs refusal transcript data image_url file_id filename",
)
"""Content parts and reasoning summaries."""
ITEM: Final = shape(
    "item",
    ids="id item_id container_id",
    labels="type status phase operation execution background output_format quality size",
    words="role",
    numeric="approve max_output_length index async",
    passed="summary encrypted_content name arguments call_id namespace input output action actions "
    "results queries "
    "code outputs result acknowledged_safety_checks pending_safety_checks server_label tools "
    "approval_request_id "
    "reason caller environment revised_prompt",
    inner={"content": PART, "svg_usage": USAGE, "error": error},
)
"""Output items of /v1/responses, of all types."""
INCOMPLETE: Final = shape("incomplete_details", words="reason")
RESPONSE: Final = shape(
    "response",
    ids="id previous_response_id",
    models="model",
    words="object status truncation",
    labels="prompt_cache_retention",
    numeric="created_at completed_at background max_output_tokens max_tool_calls parallel_tool_calls "
    "temperature "
    "top_p top_logprobs store presence_penalty frequency_penalty deleted has_more",
    passed="conversation instructions metadata prompt prompt_cache_key prompt_cache_options reasoning "
    "safety_identifier text tool_choice tools user",
    inner={
        "output": ITEM, "data": ITEM, "usage": USAGE, "error": error, "moderation": MODERATION,
        "incomplete_details": INCOMPLETE,
    },
)  # fmt: skip
"""An answer of /v1/responses; with `data` a listing of input items."""
RESPONSE_EVENT: Final = Shape(
    "response.event",
    {
        **RESPONSE.fields,
        **shape(
            "",
            ids="item_id",
            words="type name",
            labels="status output_format quality size",
            numeric="sequence_number output_index content_index summary_index annotation_index "
            "partial_image_index command_index",
            passed="command delta text arguments input refusal logprobs annotation partial_image_b64 "
            "obfuscation code",
            inner={"response": RESPONSE, "item": ITEM, "part": PART, "error": error},
        ).fields,
        "name": content,
    },
)

IMAGE: Final = shape("image", passed="b64_json revised_prompt url")
IMAGES: Final = shape(
    "images",
    models="model",
    numeric="created created_at sequence_number partial_image_index",
    words="type",
    labels="background output_format quality size",
    passed="b64_json safety_identifier",
    inner={"data": IMAGE, "usage": USAGE, "svg_usage": USAGE, "error": error},
)
SEGMENT: Final = shape(
    "segment",
    passed="text word tokens speaker",
    numeric="start end seek temperature avg_logprob compression_ratio no_speech_prob probability transient",
    labels="id type",
)
TRANSCRIPTION: Final = shape(
    "transcription",
    models="model",
    words="task type",
    labels="duration segment_id",
    passed="text language languages logprobs delta",
    inner={"segments": SEGMENT, "words": SEGMENT, "usage": USAGE, "error": error},
)

COUNTS: Final = shape("counts", numeric="total completed failed")
ERRORS: Final = shape("errors", words="object", inner={"data": error})
FILE: Final = shape(
    "file",
    ids="id first_id last_id",
    words="object purpose status",
    numeric="bytes created_at expires_at has_more deleted",
    passed="filename",
    texts="status_details",
)
FILES: Final = Shape("files", {**FILE.fields, "data": FILE})
BATCH: Final = shape(
    "batch",
    ids="id input_file_id output_file_id error_file_id first_id last_id",
    models="model",
    words="object status",
    labels="endpoint completion_window",
    numeric="created_at in_progress_at expires_at finalizing_at completed_at failed_at expired_at "
    "cancelling_at "
    "cancelled_at has_more",
    passed="metadata",
    inner={"errors": ERRORS, "request_counts": COUNTS, "usage": USAGE},
)
BATCHES: Final = Shape("batches", {**BATCH.fields, "data": BATCH})
VIDEO: Final = shape(
    "video",
    ids="id remixed_from_video_id first_id last_id",
    models="model",
    words="object status",
    labels="seconds size quality",
    numeric="created_at completed_at expires_at progress has_more deleted",
    passed="prompt",
    inner={"error": error, "usage": USAGE},
)
VIDEOS: Final = Shape("videos", {**VIDEO.fields, "data": VIDEO})
EXPIRY: Final = shape("expires_after", words="anchor", numeric="minutes")
CONTAINER: Final = shape(
    "container",
    ids="id first_id last_id",
    words="object status",
    numeric="created_at last_active_at has_more deleted",
    passed="name",
    inner={"expires_after": EXPIRY},
)
CONTAINERS: Final = Shape("containers", {**CONTAINER.fields, "data": CONTAINER})
