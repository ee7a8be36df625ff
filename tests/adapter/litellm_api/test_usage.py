"""The bill of a root: mended in every format, read from every format, struck from LiteLLM's own account."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litellm.types.llms.openai import ResponseAPIUsage, ResponseCompletedEvent, ResponsesAPIResponse
from litellm.types.utils import ModelResponse, ModelResponseStream
from litellm.types.utils import Usage as ChatUsage

from litellm_homelab.adapter.context import Root
from litellm_homelab.adapter.litellm_api import usage as bill
from litellm_homelab.optillm import fanout
from litellm_homelab.optillm.fanout import Summary, Usage

SUM = Usage(300, 30, 1.5)
OWN = {"prompt_tokens": 0, "completion_tokens": 7, "total_tokens": 7}
CHAT = {"prompt_tokens": 300, "completion_tokens": 30, "total_tokens": 330}


def chat() -> ModelResponse:
    """A chat answer as LiteLLM has it."""
    return ModelResponse(usage=ChatUsage(**OWN))


def completed() -> ResponseCompletedEvent:
    """The last event of a streamed response, with the whole response in it."""
    usage = ResponseAPIUsage(input_tokens=0, output_tokens=7, total_tokens=7)
    response = ResponsesAPIResponse(id="r", created_at=1, output=[], usage=usage)
    return ResponseCompletedEvent(type="response.completed", response=response)


DICTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "chat": ({"usage": OWN}, {"usage": CHAT}),
    "responses": (
        {"usage": {"input_tokens": 0, "output_tokens": 7, "total_tokens": 7}},
        {"usage": {"input_tokens": 300, "output_tokens": 30, "total_tokens": 330}},
    ),
    "messages": (
        {"type": "message", "usage": {"input_tokens": 0, "output_tokens": 7, "cache_read_input_tokens": 0}},
        {
            "type": "message",
            "usage": {"input_tokens": 300, "output_tokens": 30, "cache_read_input_tokens": 0},
        },
    ),
    "Gemini": (
        {"usageMetadata": {"promptTokenCount": 0, "candidatesTokenCount": 7, "totalTokenCount": 7}},
        {"usageMetadata": {"promptTokenCount": 300, "candidatesTokenCount": 30, "totalTokenCount": 330}},
    ),
    "an event of responses": (
        {
            "type": "response.completed",
            "response": {"id": "r", "usage": {"input_tokens": 0, "output_tokens": 7}},
        },
        {
            "type": "response.completed",
            "response": {"id": "r", "usage": {"input_tokens": 300, "output_tokens": 30}},
        },
    ),
    "an event of messages": (
        {"type": "message_start", "message": {"usage": {"input_tokens": 0, "output_tokens": 0}}},
        {"type": "message_start", "message": {"usage": {"input_tokens": 300, "output_tokens": 30}}},
    ),
    "no usage": ({"choices": []}, {"choices": []}),
    "usage of null": ({"usage": None}, {"usage": None}),
    "usage of another kind": ({"usage": [1], "response": "x"}, {"usage": [1], "response": "x"}),
}


@pytest.mark.parametrize(("before", "after"), DICTS.values(), ids=DICTS.keys())
def test_an_answer_tells_the_sum(before: dict[str, Any], after: dict[str, Any]) -> None:
    """In the words of its format, nothing else changed, the answer itself not touched."""
    given_answer = copy.deepcopy(before)
    assert bill.mended(given_answer, SUM) == after
    assert given_answer == before


def test_litellms_own_answers_tell_the_sum() -> None:
    """They are copied: LiteLLM logs the ones that it has."""
    answer, event = chat(), completed()
    mended, told = bill.mended(answer, SUM), bill.mended(event, SUM)
    assert mended.usage.model_dump(include=set(CHAT)) == CHAT
    assert answer.usage.total_tokens == 7
    assert (told.response.usage.input_tokens, told.response.usage.output_tokens) == (300, 30)
    assert event.response.usage.total_tokens == 7


def test_what_has_no_usage_is_the_very_same_object() -> None:
    """Nothing is copied for nothing."""
    chunk = ModelResponseStream()
    assert bill.mended(chunk, SUM) is chunk
    assert bill.mended("text", SUM) == "text"


def frames(bodies: list[dict[str, Any]]) -> bytes:
    """A stream of events."""
    return b"".join(b"data: " + json.dumps(body).encode() + b"\n\n" for body in bodies) + b"data: [DONE]\n\n"


def test_an_event_of_a_root_tells_the_sum_once_it_is_known() -> None:
    """Before the root is closed, the event stays as it is."""
    root = Root("r", "boost", "moa", "")
    assert bill.mended_body({"usage": OWN}, root) == {"usage": OWN}
    known = fanout.RootRecord("r", "boost", "moa", 1, 0.0, 0.0)
    root.summary = Summary(known, 0, 0, SUM, None, ended=True)
    assert bill.mended_body({"usage": OWN}, root) == {"usage": CHAT}
    assert bill.mended_body({"choices": []}, root) == {"choices": []}


def test_half_an_emoji_is_metered() -> None:
    """A backend may cut one in two."""
    meter = bill.Meter()
    meter.note('data: {"choices": [{"delta": {"content": "\ud83d"}}]}\n\n')
    assert meter.usage == Usage()


@pytest.mark.parametrize(
    ("answer", "usage"),
    [
        pytest.param(chat(), Usage(0, 7), id="chat"),
        pytest.param(completed(), Usage(0, 7), id="an event of responses"),
        pytest.param({"usage": {"input_tokens": 3, "output_tokens": 4}}, Usage(3, 4), id="messages"),
        pytest.param(
            {"usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4}}, Usage(3, 4), id="Gemini"
        ),
        pytest.param({"usage": {"prompt_tokens": "3", "completion_tokens": True}}, Usage(), id="no numbers"),
        pytest.param({"usage": [3]}, Usage(), id="usage of another kind"),
        pytest.param({"choices": []}, None, id="none"),
        pytest.param("text", None, id="text"),
        pytest.param(None, None, id="nothing"),
    ],
)
def test_what_an_answer_tells_is_read(answer: Any, usage: Usage | None) -> None:
    """In the words of each format; what is no number counts as none."""
    assert bill.used(answer) == usage


def test_a_meter_adds_up_what_a_stream_tells_in_parts() -> None:
    """Anthropic's streams tell the prompt first and the rest last."""
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 0}}}
    delta = {"type": "message_delta", "usage": {"output_tokens": 5}}
    raw = frames([start, delta])
    meter = bill.Meter()
    for piece in (raw[:20], raw[20:90], raw[90:]):
        meter.note(piece)
    assert meter.usage == Usage(9, 5)


PAYLOAD = {
    "prompt_tokens": 3,
    "completion_tokens": 4,
    "total_tokens": 7,
    "response_cost": 0.5,
    "model_group": "boost",
    "metadata": {"usage_object": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "x": 1}},
}


def test_litellms_own_account_is_struck() -> None:
    """Tokens and cost are zero, in place; whatever else LiteLLM logs stays."""
    payload = copy.deepcopy(PAYLOAD)
    bill.struck(payload)
    zeros = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    assert payload == {
        **PAYLOAD,
        **zeros,
        "response_cost": 0,
        "metadata": {"usage_object": {**zeros, "x": 1}},
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["usage", "usageMetadata", "response", "message", "prompt_tokens", "metadata", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(body=JSON)
def test_no_answer_makes_the_bill_break_or_is_changed(body: Any) -> None:
    """Whatever a backend sends: read, mended and struck without an exception, mending twice as once."""
    before = copy.deepcopy(body)
    once = bill.mended(body, SUM)
    assert bill.mended(once, SUM) == once
    bill.used(body)
    meter = bill.Meter()
    meter.note(body)
    meter.note(frames([body]) if isinstance(body, dict) else b"")
    assert body == before
    bill.struck(copy.deepcopy(body))
