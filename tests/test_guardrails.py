"""The prompt-tag rule as a guardrail of LiteLLM."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from litellm_homelab.guardrails import GuardrailError, PromptTags
from litellm_homelab.optillm import tags
from litellm_homelab.testing import Answer, MockProxy
from tests.adapter.lane import document, group, proxy_on

TAG = "<optillm_approach>mcts</optillm_approach>"
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": TAG}]},
    "/v1/completions": {"prompt": TAG},
    "/v1/responses": {"input": TAG},
    "/v1/messages": {"messages": [{"role": "user", "content": "hello"}], "system": TAG, "max_tokens": 9},
}


def proxy(folder: Path, *, attached: bool = False, **params: object) -> MockProxy:
    """A gateway whose only guardrail is ours; `attached` puts it on the model `narrow` alone."""
    models = [group("main"), group("narrow", guardrails=["prompt-tags"]) if attached else group("narrow")]
    content = document(models, {}, internal=())
    content["guardrails"] = [
        {
            "guardrail_name": "prompt-tags",
            "litellm_params": {
                "guardrail": "litellm_homelab.guardrails.PromptTags",
                "mode": "pre_call",
                "default_on": not attached,
                **params,
            },
        }
    ]
    return proxy_on(folder, content)


def refused(answer: Answer) -> bool:
    """Whether an answer is the rule's refusal, before any call."""
    return (answer.status, answer.sent_to) == (400, []) and "<optillm_approach> tag" in answer.text


@pytest.mark.parametrize("path", BODIES)
async def test_a_tag_is_refused_on_every_route(tmp_path: Path, path: str) -> None:
    """Before any call, and in the same words as on an OptiLLM handle; without a tag nothing happens."""
    async with proxy(tmp_path) as running:
        assert refused(await running.post(path, {**BODIES[path], "model": "main"}))
        answer = await running.chat("main")
    assert (answer.status, answer.sent_to) == (200, ["main"])
    assert answer.response.headers["x-litellm-applied-guardrails"] == "prompt-tags"


async def test_it_is_in_litellms_logs() -> None:
    """LiteLLM notes each run of it, under its name and with its outcome, for its logs and traces."""
    data: dict[str, Any] = {"prompt": "hello", "metadata": {}}
    guardrail = PromptTags(guardrail_name="prompt-tags", event_hook="pre_call", default_on=True)
    await guardrail.async_pre_call_hook(
        user_api_key_dict=None, cache=None, data=data, call_type="acompletion"
    )
    (noted,) = data["metadata"]["standard_logging_guardrail_information"]
    assert (noted["guardrail_name"], noted["guardrail_status"]) == ("prompt-tags", "success")


async def test_a_refusal_names_the_field(tmp_path: Path) -> None:
    """The error is OpenAI-shaped, with the type that programs look for."""
    async with proxy(tmp_path) as running:
        answer = await running.chat("main", TAG)
    assert answer.error["type"] == "approach_in_prompt"
    assert answer.error["param"] == "messages"
    assert "messages[0].content" in answer.error["message"]


@pytest.mark.parametrize("path", BODIES)
async def test_a_tag_is_made_inert(tmp_path: Path, path: str) -> None:
    """With `tags: neutralise` the request is served, and no tag leaves for the model."""
    async with proxy(tmp_path, tags="neutralise") as running:
        answer = await running.post(path, {**BODIES[path], "model": "main"})
    assert (answer.status, answer.sent_to) == (200, ["main"]), answer.text
    assert tags.JOINER in json.dumps(answer.wire[0], ensure_ascii=False)
    assert tags.find(answer.wire[0]) is None


async def test_it_can_be_attached_to_one_model(tmp_path: Path) -> None:
    """A deployment that names it has it, another has not; a client may ask for it, and cannot lose it."""
    async with proxy(tmp_path, attached=True) as running:
        assert (await running.chat("main", TAG)).sent_to == ["main"]
        assert refused(await running.chat("narrow", TAG))
        assert refused(await running.chat("narrow", TAG, guardrails=[]))
        assert refused(await running.chat("main", TAG, guardrails=["prompt-tags"]))


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        pytest.param({"mode": "pre_cal"}, "mode: expected pre_call, got 'pre_cal'", id="mode misspelt"),
        pytest.param({"mode": "post_call"}, "mode: expected pre_call, got 'post_call'", id="mode too late"),
        pytest.param(
            {"mode": ["pre_call", "during_call"]}, "mode: expected pre_call, got ['pre_call'", id="modes"
        ),
        pytest.param(
            {"tags": "neutralize"}, "tags: expected refuse or neutralise, got 'neutralize'", id="tags"
        ),
        pytest.param({"tags": ["refuse"]}, "tags: expected refuse or neutralise, got ['refuse']", id="list"),
        pytest.param({"tags": False}, "tags: expected refuse or neutralise, got False", id="tags off"),
    ],
)
async def test_a_mistake_stops_the_start(tmp_path: Path, params: dict[str, Any], problem: str) -> None:
    """LiteLLM would go on without it, or never run it; so the class raises what LiteLLM does not skip."""
    with pytest.raises(GuardrailError) as raised:
        async with proxy(tmp_path, **params):
            pass
    assert str(raised.value).startswith(f"guardrails: prompt-tags: litellm_params.{problem}")


def test_the_error_is_none_that_litellm_skips() -> None:
    """LiteLLM starts without a guardrail that raises ValueError or TypeError."""
    assert not issubclass(GuardrailError, ValueError | TypeError)


def broken(value: object) -> str | None:
    """A rule that fails."""
    raise RuntimeError(f"no such value: {value}")


async def test_a_rule_that_breaks_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request ends as a `policy_error`; no text of it is in the message."""
    guardrail = PromptTags(guardrail_name="prompt-tags", event_hook="pre_call", default_on=True)
    monkeypatch.setattr(tags, "find", broken)
    with pytest.raises(Exception, match="prompt_tags rule failed") as raised:
        await guardrail.async_pre_call_hook(
            user_api_key_dict=None, cache=None, data={"prompt": TAG}, call_type="acompletion"
        )
    assert getattr(raised.value, "type", "") == "policy_error"
    assert TAG not in str(raised.value)
