"""The fields rule, against what SDKs document and what LiteLLM takes."""

from __future__ import annotations

import json
from typing import Any, get_type_hints

import anthropic.types
import openai.types
import openai.types.chat
import openai.types.responses
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.adapter.litellm_api import parameters
from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.fields.lists import reviewed
from litellm_homelab.fields.rule import Fields, Screened, Verdict
from litellm_homelab.optillm.parameters import RELATIVES

LISTS = reviewed()
RULE = Fields(litellms=parameters.names(), extra=RELATIVES)
APIS = sorted({api for one in LISTS.documented for api in one.apis})
SDKS: dict[str, tuple[Any, ...]] = {
    "chat": (openai.types.chat.completion_create_params.CompletionCreateParamsNonStreaming,),
    "completions": (openai.types.completion_create_params.CompletionCreateParamsNonStreaming,),
    "responses": (openai.types.responses.response_create_params.ResponseCreateParamsNonStreaming,),
    "compact": (openai.types.responses.response_compact_params.ResponseCompactParams,),
    "embeddings": (openai.types.embedding_create_params.EmbeddingCreateParams,),
    "image_generation": (openai.types.image_generate_params.ImageGenerateParamsNonStreaming,),
    "image_edit": (openai.types.image_edit_params.ImageEditParamsNonStreaming,),
    "transcription": (openai.types.audio.transcription_create_params.TranscriptionCreateParamsNonStreaming,),
    "speech": (openai.types.audio.speech_create_params.SpeechCreateParams,),
    "moderation": (openai.types.moderation_create_params.ModerationCreateParams,),
    "files": (openai.types.file_create_params.FileCreateParams,),
    "batches": (openai.types.batch_create_params.BatchCreateParams,),
    "messages": (anthropic.types.message_create_params.MessageCreateParamsNonStreaming,),
    "query": (
        openai.types.file_list_params.FileListParams,
        openai.types.batch_list_params.BatchListParams,
        openai.types.responses.response_retrieve_params.ResponseRetrieveParamsStreaming,
        openai.types.responses.input_item_list_params.InputItemListParams,
        openai.types.video_list_params.VideoListParams,
        openai.types.container_list_params.ContainerListParams,
    ),
}
"""What the SDKs know of a request, by API."""
ACCOUNTS = frozenset({"workspace_id", "user_profile_id"})
"""Fields that Anthropic documents and that choose an account: they stay refused."""
SECOND_MODEL = "svg"
"""The field of OpenAI's images that names an author model beside `model`: it is dropped."""
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
    "think": True,
    "user": {"name": "a", "role": "user"},
}
"""What Open WebUI sends to an OpenAI-compatible server; its own `metadata` it keeps to itself."""
OWN_METADATA = {"user_id": "u", "chat_id": "c", "task": "title", "session": "s", "trace_name": "t"}


def judged(body: dict[str, Any], api: str = "chat", **settings: str) -> Screened:
    """What the rule makes of a body."""
    return Fields(settings, parameters.names(), RELATIVES).body(api, body)


@pytest.mark.parametrize("api", SDKS)
def test_every_field_of_the_sdks_passes(api: str) -> None:
    """What OpenAI's and Anthropic's SDKs know of a request is documented, so nobody is turned away for it."""
    names = {name for body in SDKS[api] for name in get_type_hints(body)} - ACCOUNTS - {SECOND_MODEL}
    assert names
    assert {
        name: verdict for name in names if (verdict := RULE.field(api, name)[0]) is not Verdict.PASS
    } == {}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(OPEN_WEBUI, id="Open WebUI"),
        pytest.param({"optillm_approach": "moa", "k": 3}, id="OptiLLM's fields"),
        pytest.param({"extra_body": {"optillm_approach": "moa", "top_k": 3}}, id="extra_body"),
        pytest.param({"metadata": OWN_METADATA}, id="metadata"),
        pytest.param({"metadata": json.dumps(OWN_METADATA)}, id="metadata in a form"),
        pytest.param({"metadata": 5, "litellm_metadata": None}, id="metadata that is none"),
        pytest.param({"metadata": "{" * 5000}, id="metadata that is no JSON"),
        pytest.param({"metadata": "[" * 100_000}, id="deep metadata"),
        pytest.param({"chat_template_kwargs": {"enable_thinking": False}, "min_p": 0.1}, id="vLLM"),
        pytest.param({"grammar": "root ::= x", "cache_prompt": True}, id="llama.cpp"),
    ],
)
def test_ordinary_requests_pass_untouched(body: dict[str, Any]) -> None:
    """What clients send in good faith goes on as the very same object."""
    screened = RULE.body("chat", body)
    assert (screened.kept is body, screened.dropped, screened.refusal) == (True, (), None)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    "name",
    [
        *(
            "deployment_id",
            "api_base",
            "base_url",
            "api_key",
            "organization",
            "custom_llm_provider",
            "models",
        ),
        *("route", "provider", "draft_model", "adapters", "lora", "kv_transfer_params", "extra_headers"),
        *("extra_query", "headers", "fallbacks", "context_window_fallbacks", "router_settings_override"),
        *("vector_store_ids", "prompt_id", "mock_response", "_router_weights", "user_api_key_alias"),
        *("aws_region_name", "vertex_project", "azure_ad_token", "langfuse_host", "callbacks", "agent"),
        *("litellm_credential_name", "model_info", "model_list", "input_cost_per_token", "silent_model"),
    ],
)
def test_what_reaches_elsewhere_is_refused_on_every_api(api: str, name: str) -> None:
    """The refusal names the field and says why; the field is gone, whatever becomes of the refusal."""
    screened = RULE.body(api, {"model": "main", name: "x"})
    assert name not in screened.kept
    assert screened.refusal is not None
    assert (screened.refusal.type, screened.refusal.param) == (RefusalType.PARAM_NOT_ALLOWED, name)
    assert screened.refusal.message.startswith(f"The field '{name}' is not allowed: it ")


@pytest.mark.parametrize(
    "name",
    [
        *(
            "timeout",
            "num_retries",
            "max_retries",
            "drop_params",
            "no-log",
            "priority",
            "id",
            "tags",
            "cache",
        ),
        *("caching", "chat_template", "keep_alive", "ttl", "id_slot", "session_id", "additional_drop_params"),
        *("litellm_session_id", "input_file_id", "contents", "nobody_knows_this", ""),
    ],
)
def test_what_only_tunes_is_dropped(name: str) -> None:
    """So is what another API documents, and what nobody knows; the rest goes on."""
    screened = RULE.body("chat", {"model": "main", name: "x"})
    assert screened == Screened({"model": "main"}, (name,))


@pytest.mark.parametrize(
    ("body", "param"),
    [
        pytest.param({"model": "back"}, "extra_body.model", id="model"),
        pytest.param({"messages": []}, "extra_body.messages", id="messages"),
        pytest.param({"input": "x"}, "extra_body.input", id="input"),
        pytest.param({"prompt": "x"}, "extra_body.prompt", id="prompt"),
        pytest.param({"stream": True}, "extra_body.stream", id="stream"),
        pytest.param({"deployment_id": "x"}, "extra_body.deployment_id", id="deployment_id"),
        pytest.param({"models": ["x"]}, "extra_body.models", id="OpenRouter"),
        pytest.param({"azure_ad_token": "x"}, "extra_body.azure_ad_token", id="Azure"),
        pytest.param({"extra_body": {"model": "x"}}, "extra_body.extra_body.model", id="twice"),
        pytest.param({"metadata": {"model_group": "x"}}, "extra_body.metadata.model_group", id="metadata"),
    ],
)
@pytest.mark.parametrize("written", [dict, json.dumps], ids=["object", "text"])
def test_extra_body_is_judged_like_the_body(body: dict[str, Any], param: str, written: Any) -> None:
    """At every depth, as an object or as a form's text; what is the request itself does not pass there."""
    screened = judged({"model": "main", "extra_body": written(body)})
    assert screened.refusal is not None
    assert screened.refusal.param == param
    assert "back" not in str(screened.kept)


@pytest.mark.parametrize(
    ("body", "kept", "dropped"),
    [
        pytest.param(
            {"timeout": 1, "top_k": 3}, {"extra_body": {"top_k": 3}}, ("extra_body.timeout",), id="one"
        ),
        pytest.param({"timeout": 1}, {}, ("extra_body.timeout",), id="nothing left"),
        pytest.param({}, {}, (), id="empty: it would switch off the deployment's own"),
        pytest.param(None, {}, ("extra_body",), id="null"),
    ],
)
def test_what_is_dropped_inside_extra_body(body: Any, kept: dict[str, Any], dropped: tuple[str, ...]) -> None:
    """It is named with its place."""
    assert judged({"extra_body": body}) == Screened(kept, dropped)


@pytest.mark.parametrize("value", ["model=back", 5, ["model"], True])
def test_an_extra_body_that_is_no_object_is_refused(value: object) -> None:
    """LiteLLM answers it with a 500 (1.106.2)."""
    assert judged({"extra_body": value}).refusal is not None


def test_a_deep_extra_body_is_refused() -> None:
    """Rather than followed to its end."""
    body: dict[str, Any] = {"top_k": 1}
    for _ in range(500):
        body = {"extra_body": body}
    assert judged(body).refusal is not None


@pytest.mark.parametrize("field", ["metadata", "litellm_metadata"])
@pytest.mark.parametrize(
    "key", [*sorted(LISTS.metadata_refused), "user_api_key_alias", "_pipeline", "litellm_x"]
)
@pytest.mark.parametrize("written", [dict, lambda pairs: json.dumps(dict(pairs))], ids=["object", "text"])
def test_litellms_own_notes_in_metadata_are_refused(field: str, key: str, written: Any) -> None:
    """In either metadata field, as an object or as JSON text, which LiteLLM reads too."""
    screened = judged({"model": "main", field: written([("mine", 1), (key, 1)])})
    assert screened.refusal is not None
    assert screened.refusal.param == f"{field}.{key}"
    assert field not in screened.kept


@pytest.mark.parametrize("field", ["metadata", "litellm_metadata"])
@pytest.mark.parametrize("key", sorted(LISTS.metadata_dropped))
def test_tuning_keys_are_taken_out_of_metadata(field: str, key: str) -> None:
    """One by one: the client's own keys stay."""
    assert judged({field: {"mine": 1, key: 1}}) == Screened({field: {"mine": 1}}, (f"{field}.{key}",))
    assert judged({f"{field}[{key}]": "1"}) == Screened({}, (f"{field}[{key}]".replace("[", ".")[:-1],))


@pytest.mark.parametrize(
    ("settings", "body", "expected"),
    [
        pytest.param({"timeout": "refuse"}, {"timeout": 1}, Verdict.REFUSE, id="close what is dropped"),
        pytest.param({"timeout": "pass"}, {"timeout": 1}, Verdict.PASS, id="open what is dropped"),
        pytest.param({"top_k": "drop"}, {"top_k": 1}, Verdict.DROP, id="close what passes"),
        pytest.param({"mine": "pass"}, {"mine": 1}, Verdict.PASS, id="open what nobody knows"),
        pytest.param({"*": "refuse"}, {"mine": 1}, Verdict.REFUSE, id="refuse what nobody knows"),
        pytest.param({"*": "pass"}, {"mine": 1}, Verdict.PASS, id="pass what nobody knows"),
        pytest.param({"*": "pass"}, {"timeout": 1}, Verdict.DROP, id="* is not for what is known"),
        pytest.param({"*": "pass"}, {"deployment_id": 1}, Verdict.REFUSE, id="* opens nothing that reaches"),
        pytest.param({"metadata.tags": "pass"}, {"metadata": {"tags": []}}, Verdict.PASS, id="a key"),
        pytest.param({"metadata.tags": "pass"}, {"litellm_metadata": {"tags": []}}, Verdict.PASS, id="both"),
        pytest.param(
            {"metadata.mine": "refuse"}, {"metadata": {"mine": 1}}, Verdict.REFUSE, id="close a key"
        ),
    ],
)
def test_the_operator_opens_and_closes_by_name(
    settings: dict[str, str], body: dict[str, Any], expected: Verdict
) -> None:
    """`homelab.fields` counts before the lists."""
    screened = judged(body, **settings)
    got = Verdict.REFUSE if screened.refusal else Verdict.DROP if screened.dropped else Verdict.PASS
    assert got is expected


@pytest.mark.parametrize("body", [{"tags": ["a"]}, {"metadata": {"tags": ["a"]}}])
def test_tags_that_choose_deployments_are_refused(body: dict[str, Any]) -> None:
    """Where the router filters by tag; unless the operator lets clients choose."""
    assert Fields(filters_tags=True).body("chat", body).refusal is not None
    opened = Fields({"tags": "pass", "metadata.tags": "pass"}, filters_tags=True)
    assert opened.body("chat", body) == Screened(body)
    assert Fields(filters_tags=True).header("x-litellm-tags")[0] is Verdict.REFUSE


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("x-litellm-timeout", Verdict.DROP),
        ("x-litellm-num-retries", Verdict.DROP),
        ("x-litellm-tags", Verdict.DROP),
        ("x-litellm-disable-callbacks", Verdict.DROP),
        ("x-litellm-new-one", Verdict.DROP),
        ("custom-llm-provider", Verdict.REFUSE),
        ("litellm-disable-message-redaction", Verdict.REFUSE),
        ("x-litellm-api-key", Verdict.PASS),
        ("x-litellm-model", Verdict.PASS),
        ("x-litellm-call-id", Verdict.PASS),
        ("authorization", Verdict.PASS),
        ("x-stainless-lang", Verdict.PASS),
        ("anthropic-beta", Verdict.PASS),
        ("x-openwebui-user-name", Verdict.PASS),
    ],
)
def test_headers(header: str, expected: Verdict) -> None:
    """LiteLLM takes orders from headers, too; a new one of its own is dropped."""
    assert RULE.header(header)[0] is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, Verdict.PASS) for name in ("model", "api-version", "beta", "alt", "after", "include[]")),
        *((name, Verdict.REFUSE) for name in ("custom_llm_provider", "api_base", "provider", "fallbacks")),
        *((name, Verdict.DROP) for name in ("timeout", "utm_source", "messages")),
    ],
)
def test_query(name: str, expected: Verdict) -> None:
    """Some routes of LiteLLM read their fields from the query."""
    screened = RULE.query([name])
    got = Verdict.REFUSE if screened.refusal else Verdict.DROP if screened.dropped else Verdict.PASS
    assert got is expected


@pytest.mark.parametrize("name", sorted(LISTS.refused))
def test_no_refused_field_is_documented_for_a_body(name: str) -> None:
    """A name has one place: `order` alone is both a parameter of lists and of LiteLLM's router."""
    documented = {one.source for one in LISTS.documented if name in one.fields and "query" not in one.apis}
    assert documented == set()


def test_every_list_has_a_source_a_date_and_reasons() -> None:
    """A list that nobody can check again would only be an opinion."""
    assert all(one.source and one.date >= "2026-11-25" and one.fields for one in LISTS.documented)
    reasons = {*LISTS.refused.values(), *LISTS.dropped.values(), *LISTS.passed.values()}
    assert all(len(reason.split()) >= 3 for reason in reasons)
    assert not LISTS.refused.keys() & LISTS.dropped.keys()


NAMES = st.text() | st.sampled_from(
    ["extra_body", "metadata", "tools", "messages", "timeout", "deployment_id"]
)
VALUES = st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner))


@given(document=st.dictionaries(NAMES, VALUES))
def test_the_rule_never_raises(document: dict[str, Any]) -> None:
    """A request of any names is decided on, and what is left passes unchanged a second time."""
    screened = RULE.body("chat", document)
    assert screened.refusal is None or len(screened.refusal.param or "") <= 120
    again = RULE.body("chat", screened.kept)
    assert (again.kept, again.dropped, again.refusal) == (screened.kept, (), None)


def test_the_first_refusal_counts() -> None:
    """One request, one refusal."""
    screened = judged({"deployment_id": 1, "api_base": 2, "model": "main"})
    assert isinstance(screened.refusal, Refuse)
    assert (screened.refusal.param, dict(screened.kept)) == ("deployment_id", {"model": "main"})
