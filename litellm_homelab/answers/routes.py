"""Which shape the answers of a route have."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Final

from litellm_homelab.answers import documented, listed
from litellm_homelab.answers import openai_fields as openai
from litellm_homelab.answers import other_fields as others
from litellm_homelab.answers.shapes import Rule, content


@dataclass(frozen=True, slots=True)
class AnswerShape:
    """What a route answers: `whole` for JSON in one piece, `event` for each event of a stream."""

    style: str
    """Whose error objects it has: `openai`, `anthropic`, `google` or `responses` (OpenAI's typed events)."""
    whole: Rule
    event: Rule


LISTING: Final = AnswerShape("openai", listed.entry, listed.entry)
"""Listings have a middleware of their own for what is in their lists."""

_TABLE: Final = (
    (r"/chat/completions|/completions", AnswerShape("openai", openai.CHAT, openai.CHAT)),
    (r"/responses/input_tokens", AnswerShape("responses", content, content)),
    (
        r"/responses(/.*)?",
        AnswerShape("responses", documented.completing(openai.RESPONSE), openai.RESPONSE_EVENT),
    ),
    (r"/threads(/.*)?", AnswerShape("openai", content, content)),
    (r"/messages(/.*)?", AnswerShape("anthropic", others.MESSAGE, others.MESSAGE_EVENT)),
    (r"/models/.*:\w+", AnswerShape("google", others.GENERATED, others.GENERATED)),
    (r"/interactions(/.*)?", AnswerShape("google", others.INTERACTION, others.INTERACTION_EVENT)),
    (r"/embeddings", AnswerShape("openai", openai.EMBEDDINGS, openai.EMBEDDINGS)),
    (r"/moderations", AnswerShape("openai", openai.MODERATIONS, openai.MODERATIONS)),
    (r"/images/\w+", AnswerShape("openai", openai.IMAGES, openai.IMAGES)),
    (r"/audio/\w+", AnswerShape("openai", openai.TRANSCRIPTION, openai.TRANSCRIPTION)),
    (r"/rerank", AnswerShape("openai", others.RERANK, others.RERANK)),
    (r"/search(/[^/]*)?", AnswerShape("openai", others.SEARCH, others.SEARCH)),
    (r"/ocr", AnswerShape("openai", others.OCR, others.OCR)),
    (r"/files(/.*)?", AnswerShape("openai", openai.FILES, openai.FILES)),
    (r"/batches(/.*)?", AnswerShape("openai", openai.BATCHES, openai.BATCHES)),
    (r"/videos(/.*)?", AnswerShape("openai", openai.VIDEOS, openai.VIDEOS)),
    (r"/containers(/[^/]*)?", AnswerShape("openai", openai.CONTAINERS, openai.CONTAINERS)),
    (r"/models(/.*)?|/model/info|/model_group/info", LISTING),
)
"""Ends of paths, below whatever version or prefix a route has; the first that matches counts."""
_ROUTES: Final = tuple(
    (re.compile(rf"(?:/[\w.{{}}:-]+)*?(?:{pattern})"), answers) for pattern, answers in _TABLE
)


@functools.lru_cache(maxsize=512)
def answers_of(path: str) -> AnswerShape | None:
    """
    What a route answers, by its path as LiteLLM registered it; None for one that is on no list here.

    `/openai/deployments/{model:path}/chat/completions` is a chat, as is `/cursor/chat/completions`.
    """
    found = (answers for pattern, answers in _ROUTES if pattern.fullmatch(path))
    return next(found, None)
