"""Responses in OpenAI's documented form: what LiteLLM leaves out is there, and nothing twice."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from litellm_homelab.answers.documented import Stream, response

KNOWN: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
BARE = {"id": "resp_1", "created_at": 1, "model": "main"}
DELTA = {"type": "response.reasoning_summary_text.delta", "item_id": "rs_1", "delta": "a"}
TEXT = {"type": "response.output_text.done", "item_id": "msg_1", "output_index": 1, "text": "ab"}
CALLED = {"id": "fc_1", "type": "function_call", "call_id": "c", "name": "f", "arguments": ""}


def sent(*given: dict[str, Any]) -> list[dict[str, Any]]:
    """What a client gets for some events, each of them valid."""
    stream = Stream()
    made = [one for event in given for one in stream.events(event)]
    for event in made:
        KNOWN.validate_json(json.dumps(event), strict=True)
    assert [event["sequence_number"] for event in made] == list(range(len(made)))
    return made


def kinds(made: list[dict[str, Any]]) -> list[str]:
    """The types of events without what they all begin with."""
    return [event["type"].removeprefix("response.") for event in made]


def test_reasoning_is_announced() -> None:
    """Its item and the part of its summary, with their numbers."""
    made = sent(DELTA, {**DELTA, "delta": "b"})
    assert kinds(made) == [
        *("output_item.added", "reasoning_summary_part.added"),
        *("reasoning_summary_text.delta", "reasoning_summary_text.delta"),
    ]
    assert made[0]["item"] == {"id": "rs_1", "type": "reasoning", "status": "in_progress", "summary": []}
    assert made[2]["summary_index"] == 0


@pytest.mark.parametrize(
    ("before", "rest"), [([], "ab"), (["a"], "b"), (["a", "b"], None), (["x"], None)], ids=str
)
def test_a_text_that_comes_whole_is_sent_as_a_delta(before: list[str], rest: str | None) -> None:
    """What is missing of it; a text that says something else is left alone."""
    deltas = [{**TEXT, "type": "response.output_text.delta", "delta": one} for one in before]
    made = sent(*[{key: value for key, value in one.items() if key != "text"} for one in deltas], TEXT)
    said = [event["delta"] for event in made if event["type"] == "response.output_text.delta"]
    assert said == [*before, *([rest] if rest else [])]


def test_arguments_say_whose_they_are() -> None:
    """The last event of a call names the function."""
    added = {"type": "response.output_item.added", "output_index": 0, "item": CALLED}
    done = {
        "type": "response.function_call_arguments.done",
        "item_id": "fc_1",
        "output_index": 0,
        "arguments": "{}",
    }
    made = sent(added, done)
    assert kinds(made) == [
        *("output_item.added", "function_call_arguments.delta", "function_call_arguments.done")
    ]
    assert made[-1]["name"] == "f"


@pytest.mark.parametrize("event", ["created", "in_progress", "completed", "incomplete", "failed"])
def test_the_response_in_an_event_is_complete(event: str) -> None:
    """Lists that LiteLLM leaves out where they are empty are there."""
    (made,) = sent({"type": f"response.{event}", "response": BARE})
    assert (made["response"]["tools"], made["response"]["output"]) == ([], [])


def test_reasoning_as_litellm_writes_it_becomes_a_summary() -> None:
    """Its content is that of a message (1.106.2, not streamed)."""
    item = {
        "type": "reasoning", "id": "rs_1", "status": "completed", "role": "assistant",
        "content": [{"type": "output_text", "text": "I think.", "annotations": []}], "phase": None,
    }  # fmt: skip
    used = {"input_tokens": 2, "output_tokens": 3, "input_tokens_details": {"cached_tokens": None}}
    made = response({**BARE, "output": [item], "usage": used, "parallel_tool_calls": None})
    TypeAdapter(Response).validate_json(json.dumps(made), strict=True)
    assert made["output"][0]["summary"] == [{"type": "summary_text", "text": "I think."}]
    assert (made["usage"]["total_tokens"], made["usage"]["input_tokens_details"]["cached_tokens"]) == (5, 0)


def test_a_complete_answer_stays() -> None:
    """Reasoning in OpenAI's own form, and everything that it documents."""
    item = {
        "type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x",
        "content": [{"type": "reasoning_text", "text": "a"}],
    }  # fmt: skip
    made = response({**BARE, "output": [item]})
    assert made["output"] == [item]
    assert response(made) == made
