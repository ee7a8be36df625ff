"""Texts of errors: what names the upstream goes, what helps the client stays."""

from __future__ import annotations

import pytest

from litellm_homelab.adapter.litellm_api import client_error
from litellm_homelab.answers import error_words
from litellm_homelab.answers.redaction import Words, redacted
from tests.answers.hostile import DEPLOYMENTS

WORDS = Words(
    frozenset({"main", "qwen2.5:7b", "groq-free"}), lambda text: text == "https://pictures.example/a.png"
)
NAMES = client_error.scrubber(DEPLOYMENTS, WORDS.public)


def cleaned(text: str) -> str:
    """What the client gets of a text."""
    return client_error.cleaned(text, NAMES, WORDS)


HELPFUL = (
    "This model's maximum context length is 4096 tokens. You requested 5000 tokens (4000 in the text).",
    "Invalid value for 'temperature': expected a number between 0.0 and 2.0, got 3.5",
    "Unsupported parameter: 'max_tokens' is not supported with this. Use 'max_completion_tokens' instead.",
    "tools.0.function.parameters must be an object; messages[0].content is required (e.g. a string)",
    "Use /v1/chat/completions, not /v1/completions; and/or application/json; 12:34:56, 1/2",
    "2026-11-25T19:40:20Z",
    "context_length_exceeded: prompt is too long: 210000 tokens > 200000 maximum",
    "image exceeds 5 MB maximum: 6291456 bytes > 5242880 bytes",
    "cannot read https://pictures.example/a.png",
    "the model 'main' needs spare local parts; so does `qwen2.5:7b`, and groq-free",
    "Rate limit reached on tokens per minute (TPM): Limit 12000, Used 11000. Please try again in 10.5s.",
    "messages.0.role: Input should be 'user' [type=literal_error]",
)  # fmt: skip


@pytest.mark.parametrize("text", HELPFUL)
def test_what_helps_the_client_stays(text: str) -> None:
    """Not a character is lost of what says how to mend the request."""
    assert cleaned(text) == text


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (
            "litellm.APIError: OpenAIException - Error 404 - {'message': 'Model `Qwen/Q-32B` is gone'}",
            "Error 404 - Model `upstream` is gone",
        ),
        (
            "litellm.APIError: Lm_studioException - Cannot connect to host gpu-box:1234 ssl:default",
            "Cannot connect to host upstream ssl:default",
        ),
        (
            'GroqException - {"error":{"message":"Limit of `llama-3.3-70b` in organization `org_01h12`: 9"}}',
            "Limit of `upstream` in account upstream: 9",
        ),
        ("model 'qwen2.5' not found, try pulling it", "model 'upstream' not found, try pulling it"),
        ("No such file: '/models/q/config.json'", "No such file: 'upstream'"),
        ("see https://console.groq.com/docs", "see upstream"),
        ("boom\n\nLiteLLM: model group 'main' failed", "boom"),
        ("('boom\\n\\nLiteLLM: model group 'x' failed. Fallback to rung also failed: no", "('boom"),
        ("boom Fallback to rung also failed: no", "boom"),
        ("x\n  Input should be a string [type=t, input_value=['secret'], input_type=list]",
            "x\n  Input should be a string [type=t]"),
    ],
)  # fmt: skip
def test_what_names_an_upstream_goes(text: str, after: str) -> None:
    """Recorded shapes of vLLM, LM Studio, Groq and Ollama, written anew."""
    assert cleaned(text) == after


@pytest.mark.parametrize(
    "secret", ["AKIAABCDEFGHIJKLMNOP", "/etc/litellm/key.pem", "10.1.2.3", "db.corp", "Bearer abcdefghijkl"]
)
def test_litellms_redaction_is_kept(secret: str) -> None:
    """What LiteLLM takes out of its own answers is out of ours."""
    assert secret not in cleaned(f"cannot use {secret} now")


@pytest.mark.parametrize(
    "bad", ["a-", "/a", "a.", "1.", "*", "{", "::", "a", "File ", "model '", "_", "[{", "key-", "\n"]
)
def test_no_text_is_too_long(bad: str) -> None:
    """A text is cut before it is searched; what comes out is no longer than what is kept."""
    assert len(cleaned(bad * (100_000 // len(bad)))) <= 20_000


@pytest.mark.parametrize(
    "label",
    ["invalid_request_error", "NotFoundError", "RESOURCE_EXHAUSTED", "404", "context_length_exceeded",
     "unsupported_country_region_territory", "string_above_max_length", "organization_restricted", "tokens"],
)  # fmt: skip
def test_types_of_errors_stay(label: str) -> None:
    """They are made of the words of the APIs."""
    assert error_words.is_known(label)


@pytest.mark.parametrize(
    "label", ["somevendor_error", "SomevendorError", "error.gpu7", "vllm_error", "errorx", "é"]
)
def test_types_with_other_words_go(label: str) -> None:
    """Whatever word is on no list could be a name."""
    assert not error_words.is_known(label)


def test_a_field_that_the_client_sent_keeps_its_name() -> None:
    """A provider's name in it is the client's own word; a path of Python modules goes whole."""
    words = Words(said=lambda text: text == "azure_ad_token")
    assert redacted("azure_ad_token is wrong", words) == "azure_ad_token is wrong"
    assert redacted("litellm.types.llms.openai.WebSearchOptions() failed", words) == "upstream() failed"


@pytest.mark.parametrize("kind", ["context_window_fallbacks", "content_policy_fallback"])
def test_the_routers_hint_about_fallbacks_is_left_out(kind: str) -> None:
    """LiteLLM 1.110 puts it behind every error of that kind; it lists the operator's groups."""
    groups = f"model=main. {kind}=None. fallbacks=[{{'main': ['rung']}}]."
    hint = f"{groups}\n\nSet '{kind}' - https://docs.litellm.ai/docs/routing#fallbacks"
    assert cleaned(f"The prompt is too long.\n{hint}") == "The prompt is too long."
