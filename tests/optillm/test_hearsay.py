"""What OptiLLM says of refused calls is recognised, and what merely quotes it is not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from litellm_homelab.optillm.hearsay import error_tells_of_return, tells_of_return, texts
from litellm_homelab.refusals import RETURN_TEXT

REFUSAL = f"{RETURN_TEXT} (boost -> OptiLLM -> boost), so it would never end."
TYPE_ERROR = "Completions.create() got an unexpected keyword argument 'optillm_approach'"
SWALLOWED = {
    "moa, bon": "Error: Could not generate any completions",
    "majority_voting": "Error: Could not generate any candidates",
    "genselect": "Error: Could not generate sufficient candidates for selection",
    "spl": f"Error processing request: {TYPE_ERROR}",
    "spl of the stand-in": f"Error processing request: Error code: 400 - {{'message': '{REFUSAL}'}}",
    "mars": f"<think>\nError generating solution: Error code: 400 - {REFUSAL}\n</think>\n\nError",
    "mars of the stand-in": f"MARS system encountered an error: Error code: 400 - {REFUSAL}\n\nAttempting",
}
GOOD = {
    "a plain answer": "Paris.",
    "a number of an error": "Error code: 400 - that is what a server says to a bad request.",
    "a quotation": "moa says 'Error: Could not generate any completions' when all its calls failed.",
    "a quotation that begins with it": "Error: Could not generate any completions. That means: ...",
    "our own refusal, explained": f"'{REFUSAL}' means that OptiLLM calls itself.",
    "another cause": "Error processing request: the disk is full",
    "nothing": "",
}


class Chunk(BaseModel):
    """An object as LiteLLM's chunks are."""

    choices: list[dict[str, object]]


def answers(text: str) -> dict[str, object]:
    """One text in every shape in which an answer comes."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}}
    delta = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}}
    event = {"type": "response.output_text.delta", "delta": text}
    return {
        "chat": {"choices": [choice]},
        "object": Chunk(choices=[choice]),
        "second choice": Chunk(choices=[{"message": {"content": "Paris."}}, choice]),
        "chunks": [Chunk(choices=[{"delta": {"content": text}}]), Chunk(choices=[{"delta": {}}])],
        "completions": {"choices": [{"text": text, "index": 0}]},
        "messages": {"content": [{"type": "text", "text": text}]},
        "messages' events": [
            f"event: content_block_delta\ndata: {json.dumps(delta)}\n\n".encode(),
            b"data: {",
        ],
        "responses' events": [event],
        "gemini": {"candidates": [{"content": {"parts": [{"text": text}]}}]},
        "gemini's events": [
            f"data: {json.dumps({'candidates': [{'content': {'parts': [{'text': text}]}}]})}\n"
        ],
    }


@pytest.mark.parametrize("shape", answers(""))
@pytest.mark.parametrize("text", [pytest.param(text, id=what) for what, text in SWALLOWED.items()])
def test_a_swallowed_refusal_is_recognised(text: str, shape: str) -> None:
    """Each text that OptiLLM answers with a 200 tells of refused calls, in every format."""
    assert tells_of_return(answers(text)[shape])


@pytest.mark.parametrize("shape", answers(""))
@pytest.mark.parametrize("text", [pytest.param(text, id=what) for what, text in GOOD.items()])
def test_an_answer_that_quotes_it_is_not_one(text: str, shape: str) -> None:
    """A model that speaks of such an error has answered."""
    assert not tells_of_return(answers(text)[shape])


def test_an_error_tells_by_our_own_words() -> None:
    """OptiLLM's 500 repeats the refusal; any other failure is its own."""
    assert error_tells_of_return(f"Error code: 500 - {{'error': 'Error code: 400 - {REFUSAL}'}}")
    assert not error_tells_of_return("Error code: 500 - {'error': 'Error code: 400 - no such model'}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["content", "text", "x"]), inner),
)


@given(JSON | st.binary() | st.text())
def test_no_answer_makes_it_raise(answer: object) -> None:
    """Whatever an upstream says can be looked through, and only texts come out."""
    assert all(isinstance(text, str) for text in texts(answer))
