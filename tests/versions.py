"""What LiteLLM's tested versions do differently, as data: each fact by the version from which it is so."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

INSTALLED: Final = tuple(int(part) for part in version("litellm").split(".")[:3])

LONE_DEPLOYMENTS_REST: Final = INSTALLED < (1, 108, 0)
"""Whether `allowed_fails` rests a deployment that is alone in its group and has no fallback."""

REFUSED_404S_REST: Final = INSTALLED >= (1, 110, 0)
"""Whether a guardrail's 404 of any attempt counts towards a cooldown; before, only a fallback's did."""

CUT_CHATS_FAIL: Final = INSTALLED >= (1, 110, 0)
"""Whether a chat's stream without a finish reason ends with an error; before, LiteLLM made one up."""

HOOKS_CALLED: Final[Mapping[str, Mapping[str, int]]] = (
    {"`/queue/chat/completions`": {"async_filter_deployments": 2}} if INSTALLED >= (1, 110, 0) else {}
)
"""Where hooks run more often than docs/extension-points.md says, which was measured on the lock."""

OPENAI: Final = int(version("openai").split(".")[0])
"""The OpenAI SDK's major version: 2 with LiteLLM 1.106, 3 from 1.108 on."""

QUOTED_ERROR: Final = "" if OPENAI >= 3 else "{'error': {'message': '"
"""What stands before an upstream's message in the text of the SDK's error."""

FORM_WITH_AN_UNKNOWN_FIELD: Final = 400 if INSTALLED < (1, 108, 0) else 200
"""What `web_search_options` in a form of images gets: LiteLLM failed on it, now it drops it."""

LEFT_OUT_OF_CHATS: Final = frozenset({"prompt_cache_retention"} if INSTALLED < (1, 110, 0) else ())
"""Documented parameters of a chat that LiteLLM takes from the client and sends to no backend."""

VIDEO_ID_DECODER: Final = (
    "decode_video_id_with_provider" if INSTALLED < (1, 110, 0) else "_decoded_video_id_payload"
)
"""The function that decodes base64 in a video's id; from 1.110 on the first one calls the second."""

VIDEO_IDS_NAME_DEPLOYMENTS: Final = INSTALLED >= (1, 108, 0)
"""Whether LiteLLM reads `deployment_id:` behind the third part of a video's id."""

CONTEXT_WINDOW_PHRASES: Final = (
    "This model's maximum context length is 4096 tokens.",
    *(("The prompt is too long.",) if INSTALLED >= (1, 110, 0) else ()),
)
"""Texts of an upstream's error that LiteLLM takes for a prompt longer than the model's context window."""

IMAGE_MODEL: Final = "openai/dall-e-3" if INSTALLED < (1, 110, 0) else "lm_studio/dall-e-3"
"""How router.yaml names an image model that takes `response_format`; 1.110 refuses it for `openai/`."""

LOGS_NO_GUARDRAIL: Final = frozenset({"/v1/completions"} if (1, 108, 0) <= INSTALLED < (1, 110, 0) else ())
"""Routes on which LiteLLM's log of a request that a guardrail refused does not name the guardrail."""

ARRIVES_FROM: Final[Mapping[tuple[str, str], tuple[int, int, int]]] = {
    ("ai-sdk-openai/reasoning", "text.verbosity"): (1, 110, 0),
    ("google-genai-python/image", "contents"): (1, 110, 0),
    ("openai-python/responses-full", "text.verbosity"): (1, 110, 0),
}
"""Fields of recorded requests that LiteLLM used to drop: the version from which they reach the backend."""


def dropped(request: str, fields: tuple[str, ...]) -> tuple[str, ...]:
    """Of the fields that a recorded request names as dropped, those that the installed version drops."""
    return tuple(name for name in fields if ARRIVES_FROM.get((request, name), (99, 0, 0)) > INSTALLED)
