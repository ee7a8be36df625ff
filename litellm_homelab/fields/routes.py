"""Which API a route belongs to, so that the rule knows whose documentation counts there."""

from __future__ import annotations

import functools
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = re.compile(
    r"^(?:/openai/deployments/\{model:path\}|/engines/\{model:path\}|/openai/v1|/cursor|/v1beta|/v1|/v2)?(?=/)"
)
"""What comes before an API's own path in LiteLLM's templates."""
APIS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/chat/completions": "chat",
        "/completions": "completions",
        "/responses": "responses",
        "/responses/compact": "compact",
        "/responses/input_tokens": "responses",
        "/messages": "messages",
        "/models/{model_name:path}:generateContent": "generate",
        "/models/{model_name:path}:streamGenerateContent": "generate",
        "/interactions": "interactions",
        "/embeddings": "embeddings",
        "/images/generations": "image_generation",
        "/images/edits": "image_edit",
        "/audio/speech": "speech",
        "/audio/transcriptions": "transcription",
        "/rerank": "rerank",
        "/moderations": "moderation",
        "/search": "search",
        "/search/{search_tool_name}": "search",
        "/ocr": "ocr",
        "/files": "files",
        "/batches": "batches",
        "/containers": "containers",
        "/videos": "videos",
    }
)
"""APIs by the path that a client calls to make something."""
ITEMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/files/": "files_item",
        "/batches/": "batches_item",
        "/responses/": "responses_item",
        "/containers/": "containers_item",
        "/videos/edits": "videos",
        "/videos/extensions": "videos",
        "/videos/{video_id}/remix": "videos",
        "/videos/": "videos_item",
    }
)
"""APIs by the beginning of the paths of what was made; the first that fits counts."""


@functools.cache
def api_of(path: str) -> str | None:
    """The API of a route's template; None where no documented list counts (listings, closed routes)."""
    short = PREFIX.sub("", path)
    if path.startswith("/cursor/") and short == "/chat/completions":
        return "cursor"
    if short in APIS:
        return APIS[short]
    if short == "/responses/compact":
        return "compact"
    return next((api for start, api in ITEMS.items() if short.startswith(start)), None)
