"""Answers of LiteLLM's own types named after the handle, and errors without upstream names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litellm.types.llms.openai import OpenAIFileObject, ResponsesAPIResponse
from litellm.types.utils import EmbeddingResponse, ModelResponse, ModelResponseStream
from pydantic import BaseModel

from litellm_homelab.encoded_ids import names_in
from litellm_homelab.hooks.client_error import ClientError, StreamBroken
from litellm_homelab.hooks.outgoing import stamp, stamped, stamped_stream
from tests.test_encoded_ids import batch, encrypted_item, file, response

UPSTREAM = "openai/real-main"


class Page(BaseModel):
    """A list as LiteLLM gives it: entries of its own types or plain ones."""

    data: list[Any]
    model: str | None = None


def files(*ids: str) -> Page:
    """A listing of files."""
    return Page(
        data=[
            OpenAIFileObject(
                id=one,
                bytes=1,
                created_at=1,
                filename="a",
                object="file",
                purpose="batch",
                status="processed",
            )
            for one in ids
        ]
    )


def responses(model: str) -> ResponsesAPIResponse:
    """An answer of /v1/responses in whose ids LiteLLM hid a deployment."""
    item = {"type": "message", "id": encrypted_item("id-1"), "role": "assistant", "content": []}
    return ResponsesAPIResponse(
        id=response("id-1"), created_at=1, model=model, output=[item], object="response"
    )


@pytest.mark.parametrize("change", [stamped, stamp], ids=["copy", "in place"])
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(ModelResponse(model=UPSTREAM), id="chat"),
        pytest.param(ModelResponseStream(model=UPSTREAM), id="chunk"),
        pytest.param(EmbeddingResponse(model=UPSTREAM), id="embeddings"),
        pytest.param(responses(UPSTREAM), id="responses"),
    ],
)
def test_litellms_own_answers_name_the_handle(answer: Any, change: Any) -> None:
    """Every type that LiteLLM answers with has its model renamed, as it stands and as it is sent."""
    copy = answer.model_copy(deep=True)
    after = change(copy, "main")
    assert after.model == "main"
    assert UPSTREAM not in after.model_dump_json()
    assert (copy.model == "main") == (change is stamp)


def test_ids_that_hide_a_deployment_become_opaque() -> None:
    """The response's id and its items' ids carry nothing afterwards."""
    after = stamped(responses(UPSTREAM), "main")
    assert after.id.startswith("resp_")
    assert names_in(after.id) == names_in(after.output[0]["id"]) == ()


def test_ids_that_name_the_handle_only_stay_usable() -> None:
    """A client can ask again for its file or batch; an id that names something else it cannot."""
    page = files(file("main"), file("back"))
    batches = Page(data=[{"id": batch("main"), "model": UPSTREAM}, {"id": batch("back")}, "text"])
    assert [one.id == file("main") for one in stamped(page, "main").data] == [True, False]
    after = stamped(batches, "main").data
    assert after[0] == {"id": batch("main"), "model": UPSTREAM}
    assert names_in(after[1]["id"]) == ()
    assert page.data[1].id == file("back")


@pytest.mark.parametrize(
    "answer", [None, "text", 7, b"audio", SimpleNamespace(model=UPSTREAM), [1]], ids=repr
)
def test_what_is_no_answer_of_a_format_passes(answer: object) -> None:
    """Audio, text and whatever else a route answers with is left alone."""
    assert stamped(answer, "main") is answer
    assert stamp(answer, "main") is answer


def test_an_answer_without_a_name_stays_the_same_object() -> None:
    """Nothing is copied where nothing changes."""
    page = Page(data=[1, {"id": "plain"}, files("file-abc123").data[0]])
    assert stamped(page, "main") is page


@given(body=st.dictionaries(st.sampled_from(["model", "id", "data", "x"]), st.text() | st.lists(st.text())))
def test_a_dict_is_copied_never_changed(body: dict[str, Any]) -> None:
    """LiteLLM logs the one it gave us."""
    before = repr(body)
    assert stamped(body, "main").get("model") in (None, "", "main", body.get("model"))
    assert repr(body) == before


# --- streams -------------------------------------------------------------------------------------------


async def stream(*chunks: Any) -> AsyncIterator[Any]:
    """A stream of these chunks; an exception among them is raised."""
    for chunk in chunks:
        if isinstance(chunk, Exception):
            raise chunk
        yield chunk


def cleaned(error: Exception) -> ClientError | None:
    """What becomes of an exception in these tests: `quiet` says nothing of an upstream."""
    return None if "quiet" in str(error) else ClientError(502, "clean")


async def sent(*chunks: Any) -> list[Any]:
    """What the client gets of these chunks."""
    return [chunk async for chunk in stamped_stream(stream(*chunks), "main", cleaned)]


@pytest.mark.parametrize(
    ("chunks", "after"),
    [
        pytest.param([b'data: {"mod', b'el":"up"}\n\n'], [b'data: {"model":"main"}\n\n'], id="torn bytes"),
        pytest.param(['data: {"mod', 'el":"up"}\n\n'], ['data: {"model":"main"}\n\n'], id="torn text"),
        pytest.param([b'data: {"model":"up"}'], [b'data: {"model":"main"}'], id="bytes without an end"),
        pytest.param(['data: {"model":"up"}'], ['data: {"model":"main"}'], id="text without an end"),
        pytest.param(['data: "\ud83d"\n\n'], ['data: "\ud83d"\n\n'], id="half an emoji as text"),
        pytest.param([{"model": "up"}, "x"], [{"model": "main"}, "x"], id="dicts"),
        pytest.param([None], [None], id="nothing to name"),
        pytest.param([], [], id="empty"),
    ],
)
async def test_every_chunk_of_a_stream_names_the_handle(chunks: list[Any], after: list[Any]) -> None:
    """Raw events in bytes or text, and objects: the kind of a chunk stays what it was."""
    assert await sent(*chunks) == after


async def test_chunks_are_copies() -> None:
    """LiteLLM builds its log from the chunks that it gave us."""
    chunk = ModelResponseStream(model=UPSTREAM)
    [after] = await sent(chunk)
    assert (chunk.model, after.model) == (UPSTREAM, "main")


@pytest.mark.parametrize(
    ("chunks", "kind", "text"),
    [
        pytest.param([ValueError("quiet")], ValueError, "quiet", id="nothing to hide"),
        pytest.param([ValueError("up")], ClientError, "clean", id="before the first chunk"),
        pytest.param([{"model": "up"}, ValueError("up")], StreamBroken, "clean", id="after it"),
        pytest.param(
            [{"model": "up"}, ValueError("quiet")], ValueError, "quiet", id="after it, nothing to hide"
        ),
    ],
)
async def test_an_error_of_a_stream_is_cleaned(chunks: list[Any], kind: type[Exception], text: str) -> None:
    """Before the first chunk it is an HTTP error, afterwards one that LiteLLM sends as an event."""
    with pytest.raises(kind) as caught:
        await sent(*chunks)
    assert text in (getattr(caught.value, "message", None) or str(caught.value))
