"""A real MLX server with a tiny model, as the gateway's tests use it."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
from openai.types.chat import ChatCompletionUserMessageParam

from tests.real.mlx import MlxServer, mlx_server

pytestmark = pytest.mark.real

MESSAGES: list[ChatCompletionUserMessageParam] = [{"role": "user", "content": "What is the weather like?"}]


@pytest.fixture(scope="module")
def server() -> Iterator[MlxServer]:
    """One server for the tests of this file."""
    with mlx_server() as running:
        yield running


@pytest.fixture
def client(server: MlxServer) -> openai.OpenAI:
    """The real SDK on it."""
    return openai.OpenAI(base_url=server.api_base, api_key="none", max_retries=0, timeout=300)


def test_answers_a_chat(client: openai.OpenAI, server: MlxServer) -> None:
    """A chat completion has text from the model and counts its tokens."""
    answer = client.chat.completions.create(model=server.model, messages=MESSAGES, max_tokens=12)

    assert answer.choices[0].message.content
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens > 5, answer.usage.completion_tokens) == (True, 12)
    assert answer.choices[0].finish_reason == "length"


def test_streams_a_chat(client: openai.OpenAI, server: MlxServer) -> None:
    """A streamed completion comes in several chunks and says the same as one that is not streamed."""
    whole = client.chat.completions.create(model=server.model, messages=MESSAGES, max_tokens=12)
    stream = client.chat.completions.create(model=server.model, messages=MESSAGES, max_tokens=12, stream=True)
    pieces = [chunk.choices[0].delta.content for chunk in stream if chunk.choices]

    assert len(pieces) > 3
    assert "".join(piece or "" for piece in pieces) == whole.choices[0].message.content


def test_completes_text(client: openai.OpenAI, server: MlxServer) -> None:
    """The text route works too: `openai/` deployments of router.yaml use it."""
    answer = client.completions.create(model=server.model, prompt="The gateway", max_tokens=5)

    assert answer.choices[0].text


def test_lists_its_model(client: openai.OpenAI, server: MlxServer) -> None:
    """The name to ask for stands in the listing."""
    assert server.model in [model.id for model in client.models.list()]
