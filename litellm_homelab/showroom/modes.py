"""Which handles a route serves: LiteLLM's call types against `model_info.mode`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

MODES = (
    "chat",
    "completion",
    "responses",
    "embedding",
    "image_generation",
    "audio_speech",
    "audio_transcription",
    "moderation",
    "rerank",
    "ocr",
    "video_generation",
    "realtime",
)
"""`model_info.mode` values that a handle may have."""


GUESSES: Mapping[str, str] = {
    "rerank": "rerank",
    "embed": "embedding",
    "whisper": "audio_transcription",
    "transcribe": "audio_transcription",
    "tts": "audio_speech",
    "dall-e": "image_generation",
    "gpt-image": "image_generation",
    "moderation": "moderation",
}
"""Parts of the names of models that do not chat."""


def guessed(model: str) -> str:
    """The mode of a model for which none is set, by its name: most are chat models."""
    name = model.lower()
    return next((mode for part, mode in GUESSES.items() if part in name), "chat")


@dataclass(frozen=True, slots=True)
class ServedRoute:
    """
    What a call type serves.

    `names` says what the request's `model` is: a `handle`, a `search_tool`, or nothing of its own
    (`resource`: a file, batch, video, ... whose id or header names the handle). `path` is how a person
    would write the route.
    """

    path: str
    modes: frozenset[str]
    names: Literal["handle", "search_tool", "resource"] = "handle"


def _handle(path: str, *modes: str) -> ServedRoute:
    return ServedRoute(path, frozenset(modes))


def _resource(path: str) -> ServedRoute:
    return ServedRoute(path, frozenset(MODES), "resource")


KEPT_RESPONSE = "/v1/responses/{id}"
"""Where a client asks for a response that it was given before, cancels or deletes it."""
_CHAT = ("chat", "responses")
_RESPONSES = _resource(KEPT_RESPONSE)
_FILES = _resource("/v1/files")
_BATCHES = _resource("/v1/batches")
_VIDEOS = _resource("/v1/videos/{id}")
_CONTAINERS = _resource("/v1/containers")
_IMAGES = _handle("/v1/images", "image_generation")

ROUTES: Mapping[str, ServedRoute] = {
    "acompletion": _handle("/v1/chat/completions", *_CHAT),
    "atext_completion": _handle("/v1/completions", "completion", *_CHAT),
    "aresponses": _handle("/v1/responses", *_CHAT),
    "acompact_responses": _handle("/v1/responses/compact", *_CHAT),
    "_aresponses_websocket": _handle("/v1/responses", *_CHAT),
    "anthropic_messages": _handle("/v1/messages", *_CHAT),
    "agenerate_content": _handle(":generateContent", *_CHAT),
    "agenerate_content_stream": _handle(":streamGenerateContent", *_CHAT),
    "acreate_interaction": _handle("/interactions", *_CHAT),
    "aembedding": _handle("/v1/embeddings", "embedding"),
    "image_generation": _IMAGES,
    "aimage_generation": _IMAGES,
    "aimage_edit": _IMAGES,
    "aspeech": _handle("/v1/audio/speech", "audio_speech"),
    "transcription": _handle("/v1/audio/transcriptions", "audio_transcription"),
    "atranscription": _handle("/v1/audio/transcriptions", "audio_transcription"),
    "moderation": _handle("/v1/moderations", "moderation"),
    "amoderation": _handle("/v1/moderations", "moderation"),
    "rerank": _handle("/v1/rerank", "rerank"),
    "arerank": _handle("/v1/rerank", "rerank"),
    "aocr": _handle("/v1/ocr", "ocr"),
    "avideo_generation": _handle("/v1/videos", "video_generation"),
    "_arealtime": _handle("/v1/realtime", "realtime"),
    "acreate_realtime_client_secret": _handle("/v1/realtime/client_secrets", "realtime"),
    "arealtime_calls": _handle("/v1/realtime/calls", "realtime"),
    "asearch": ServedRoute("/v1/search", frozenset(), "search_tool"),
    "aget_responses": _RESPONSES,
    "adelete_responses": _RESPONSES,
    "acancel_responses": _RESPONSES,
    "alist_input_items": _RESPONSES,
    "acreate_file": _FILES,
    "afile_list": _FILES,
    "afile_retrieve": _FILES,
    "afile_content": _FILES,
    "afile_delete": _FILES,
    "acreate_batch": _BATCHES,
    "aretrieve_batch": _BATCHES,
    "acancel_batch": _BATCHES,
    "alist_batches": _BATCHES,
    "avideo_status": _VIDEOS,
    "avideo_content": _VIDEOS,
    "avideo_remix": _VIDEOS,
    "avideo_edit": _VIDEOS,
    "avideo_extension": _VIDEOS,
    "avideo_list": _VIDEOS,
    "acreate_container": _CONTAINERS,
    "alist_containers": _CONTAINERS,
    "aretrieve_container": _CONTAINERS,
    "adelete_container": _CONTAINERS,
}
"""
LiteLLM's call types in pre-call (measured on 1.106.2); one that is not here is refused.

Call types of the same route differ between pre-call and the attempt (`image_generation` and
`aimage_generation`), so both are here.
"""
