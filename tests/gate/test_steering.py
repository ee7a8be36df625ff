"""Fields, headers and metadata that steer LiteLLM, against what SDKs and the installed LiteLLM have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_type_hints

import anthropic.types
import openai.types
import openai.types.chat
import openai.types.responses
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litellm.types.utils import all_litellm_params

from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.gate.steering import ALLOWED, METADATA, MORE, MORE_PREFIXES, Sent, refusal

LITELLMS = frozenset(all_litellm_params)
REVIEWED = frozenset((Path(__file__).parent / "litellm_params.txt").read_text(encoding="utf-8").split())
BODIES: tuple[Any, ...] = (
    openai.types.chat.completion_create_params.CompletionCreateParamsNonStreaming,
    openai.types.completion_create_params.CompletionCreateParamsNonStreaming,
    openai.types.responses.response_create_params.ResponseCreateParamsNonStreaming,
    openai.types.embedding_create_params.EmbeddingCreateParams,
    openai.types.image_generate_params.ImageGenerateParamsNonStreaming,
    openai.types.audio.transcription_create_params.TranscriptionCreateParamsNonStreaming,
    openai.types.audio.speech_create_params.SpeechCreateParams,
    openai.types.moderation_create_params.ModerationCreateParams,
    openai.types.file_create_params.FileCreateParams,
    openai.types.batch_create_params.BatchCreateParams,
    anthropic.types.message_create_params.MessageCreateParamsNonStreaming,
)
"""What the SDKs know of a request's body."""
OPEN_WEBUI = {
    "model": "main",
    "messages": [],
    "stream": True,
    "stream_options": {"include_usage": True},
    "tools": [],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "temperature": 0.7,
    "max_tokens": 100,
    "num_ctx": 8192,
    "keep_alive": "5m",
    "think": True,
    "user": {"name": "a", "id": "b", "email": "c", "role": "user"},
}
"""What Open WebUI sends to an OpenAI-compatible server; its own `metadata` it keeps to itself."""
OWN_METADATA = {"user_id": "u", "chat_id": "c", "task": "title", "session": "s", "trace_name": "t"}


def refused(
    body: dict[str, Any], headers: tuple[str, ...] = (), litellms: frozenset[str] = LITELLMS
) -> Refuse | None:
    """What the rule says of a body and headers."""
    return refusal(Sent.of(body), headers, litellms)


def test_every_parameter_of_the_installed_litellm_was_reviewed() -> None:
    """A new LiteLLM with a new parameter fails here, until somebody has said what it does to a client."""
    assert not LITELLMS - REVIEWED, "review these, then add them to tests/gate/litellm_params.txt"
    assert not REVIEWED - LITELLMS, "LiteLLM no longer has these: take them out of the file"
    assert ALLOWED.keys() <= LITELLMS, "allowed for nothing: LiteLLM does not take these for its own"


@pytest.mark.parametrize("name", sorted({*REVIEWED, *MORE} - ALLOWED.keys()))
def test_a_steering_field_is_refused_by_name(name: str) -> None:
    """The refusal names the field, whatever its value."""
    assert refused({"model": "main", name: None}) == Refuse(
        RefusalType.PARAM_NOT_ALLOWED,
        f"The field '{name}' is not allowed: it would steer the gateway, which is the operator's. "
        "Leave it out.",
        param=name,
    )


@pytest.mark.parametrize("name", sorted(MORE))
def test_what_litellms_list_leaves_out_is_refused_without_it(name: str) -> None:
    """Our own list holds on a LiteLLM that knows no parameter."""
    assert refused({name: 1}, litellms=frozenset()) is not None


@given(start=st.sampled_from(sorted(MORE_PREFIXES)), rest=st.text())
def test_a_name_that_starts_like_litellms_own_is_refused(start: str, rest: str) -> None:
    """Whatever follows."""
    assert refused({start + rest: 1}, litellms=frozenset()) is not None


@given(before=st.text(), after=st.text())
def test_fallbacks_are_the_operators(before: str, after: str) -> None:
    """A field whose name holds `fallbacks` is refused under any name."""
    assert refused({f"{before}fallbacks{after}": []}, litellms=frozenset()) is not None


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_an_allowed_field_has_a_reason_and_passes(name: str) -> None:
    """Each name on the short list says why it is harmless."""
    assert len(ALLOWED[name].split()) >= 4
    assert refused({name: {}}) is None


@pytest.mark.parametrize("body", BODIES, ids=lambda body: f"{body.__module__}")
def test_no_sdk_sends_what_is_refused(body: type) -> None:
    """Every field that the OpenAI and Anthropic SDKs know passes, so no ordinary client is turned away."""
    names = get_type_hints(body)
    assert "model" in names or "file" in names or "input_file_id" in names
    assert [name for name in names if refused({name: None})] == []


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(OPEN_WEBUI, ("X-OpenWebUI-User-Name", "Cache-Control"), id="Open WebUI"),
        pytest.param({"optillm_approach": "moa", "k": 3}, (), id="OptiLLM's fields"),
        pytest.param({"additional_drop_params": [], "drop_params": True}, (), id="what the lane takes out"),
        pytest.param({"extra_body": {"timeout": 1, "fallbacks": []}}, (), id="sent on as it is"),
        pytest.param({"metadata": OWN_METADATA}, (), id="metadata"),
        pytest.param({"metadata": json.dumps(OWN_METADATA)}, (), id="metadata in a form"),
        pytest.param({"metadata": 5, "litellm_metadata": None}, (), id="metadata that is none"),
        pytest.param({"metadata": "{" * 5000}, (), id="metadata that is no JSON"),
        pytest.param({"metadata": "[" * 100_000}, (), id="deep metadata"),
        pytest.param({}, ("authorization", "x-stainless-lang", "anthropic-version"), id="SDK headers"),
        pytest.param(
            {}, ("x-litellm-call-id", "X-LiteLLM-Trace-Id", "x-litellm-model"), id="harmless headers"
        ),
    ],
)
def test_ordinary_requests_pass(body: dict[str, Any], headers: tuple[str, ...]) -> None:
    """What clients send in good faith is not this rule's business."""
    assert refused(body, headers) is None


@pytest.mark.parametrize("field", ["metadata", "litellm_metadata"])
@pytest.mark.parametrize("key", [*sorted(METADATA), "user_api_key_alias", "_pipeline", "litellm_session"])
@pytest.mark.parametrize("written", [dict, lambda pairs: json.dumps(dict(pairs))], ids=["object", "text"])
def test_a_steering_key_in_metadata_is_refused(field: str, key: str, written: Any) -> None:
    """In either metadata field, as an object or as JSON text, which LiteLLM reads too."""
    found = refused({"model": "main", field: written([("mine", 1), (key, 1)])})
    assert found is not None
    assert found.param == f"{field}.{key}"


@pytest.mark.parametrize(
    "header",
    [
        *("x-litellm-timeout", "x-litellm-stream-timeout", "x-litellm-num-retries", "x-litellm-tags"),
        *("X-LiteLLM-Disable-Callbacks", "x-litellm-spend-logs-metadata", "x-litellm-agent-id"),
        *("x-litellm-new-one", "custom-llm-provider", "litellm-disable-message-redaction"),
    ],
)
def test_a_steering_header_is_refused(header: str) -> None:
    """In any case; one that nobody has reviewed too."""
    found = refused({}, ("accept", header))
    assert found is not None
    assert (found.param, "The header" in found.message) == (header.lower(), True)


@given(names=st.lists(st.text()), keys=st.lists(st.text()), headers=st.lists(st.text()))
def test_the_rule_never_raises(names: list[str], keys: list[str], headers: list[str]) -> None:
    """A request of any names is decided on."""
    found = refused({**dict.fromkeys(names), "metadata": dict.fromkeys(keys)}, tuple(headers))
    assert found is None or len(found.param or "") <= 120
