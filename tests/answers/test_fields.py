"""The lists of fields against the types of the installed OpenAI and Anthropic packages."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any

import anthropic.types
import openai.types.responses
import pytest
from openai.types import (
    Batch,
    Completion,
    CompletionUsage,
    CreateEmbeddingResponse,
    FileObject,
    ImagesResponse,
    ModerationCreateResponse,
)
from openai.types.audio import Transcription, TranscriptionVerbose
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessage
from pydantic import BaseModel

from litellm_homelab.answers import openai_fields, other_fields
from litellm_homelab.answers.shapes import Shape

ECHOED = {"image", "input_transformations"}
"""What a server says it did to the input of a response."""
REMOVED = {
    "chat": {"service_tier", "system_fingerprint", "metadata"},
    "item": {"created_by", "fingerprint"},
    "response": {"service_tier", "access_programs", "prompt_cache_diagnostics", "tool_usage", *ECHOED},
    "anthropic.message": {"diagnostics"},
    "anthropic.usage": {"service_tier", "inference_geo", "speed"},
}
"""Documented fields that are removed on purpose: each says where the answer comes from."""


def members(kind: Any) -> Iterator[type[BaseModel]]:
    """The classes of a union."""
    for one in typing.get_args(kind):
        if isinstance(one, type) and issubclass(one, BaseModel):
            yield one
        else:
            yield from members(one)


def fields(*models: type[BaseModel]) -> set[str]:
    """The names of the fields as they are written in JSON."""
    return {known.alias or name for model in models for name, known in model.model_fields.items()}


@pytest.mark.parametrize(
    ("shape", "documented"),
    [
        (openai_fields.CHAT, fields(ChatCompletion, ChatCompletionChunk, Completion)),
        (openai_fields.MESSAGE, fields(ChatCompletionMessage)),
        (openai_fields.USAGE, fields(CompletionUsage, openai.types.responses.ResponseUsage)),
        (openai_fields.RESPONSE, fields(openai.types.responses.Response)),
        (openai_fields.ITEM, fields(*members(openai.types.responses.ResponseOutputItem))),
        (openai_fields.RESPONSE_EVENT, fields(*members(openai.types.responses.ResponseStreamEvent))),
        (openai_fields.EMBEDDINGS, fields(CreateEmbeddingResponse)),
        (openai_fields.MODERATIONS, fields(ModerationCreateResponse)),
        (openai_fields.IMAGES, fields(ImagesResponse)),
        (openai_fields.TRANSCRIPTION, fields(Transcription, TranscriptionVerbose)),
        (openai_fields.FILES, fields(FileObject)),
        (openai_fields.BATCHES, fields(Batch)),
        (other_fields.MESSAGE, fields(anthropic.types.Message)),
        (other_fields.ANTHROPIC_USAGE, fields(anthropic.types.Usage, anthropic.types.MessageDeltaUsage)),
        (other_fields.BLOCK, fields(*members(anthropic.types.ContentBlock))),
        (other_fields.DELTA, fields(*members(anthropic.types.RawContentBlockDelta))),
        (other_fields.MESSAGE_EVENT, fields(*members(anthropic.types.RawMessageStreamEvent))),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_every_documented_field_is_known(shape: Shape, documented: set[str]) -> None:
    """A field that a new version of a package brings is passed or removed on purpose."""
    unknown = documented - set(shape.fields) - REMOVED.get(shape.name, set())
    # An event of type `error` is rewritten as an error, with `message` and `param`.
    assert unknown - ({"message", "param"} if shape is openai_fields.RESPONSE_EVENT else set()) == set()
