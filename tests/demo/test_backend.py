"""The four chat backends, driven by the real OpenAI SDK and by httpx."""

from __future__ import annotations

import json
import math
from typing import Any

import openai
import pytest

from litellm_homelab.demo import DemoThread
from tests.demo.client import HTTP

HELLO: Any = [{"role": "user", "content": "hello there"}]


def _sdk(demo: DemoThread, name: str = "mlx") -> openai.OpenAI:
    return openai.OpenAI(api_key="any", base_url=demo.api_base(name), max_retries=0)


@pytest.mark.parametrize(
    ("name", "model"), [("mlx", "m"), ("vllm", "org/m"), ("ollama", "m:3b"), ("cloud", "m")]
)
def test_chat(demo: DemoThread, name: str, model: str) -> None:
    """Every backend answers chat with a text that calls itself a demo, the model as asked, and usage."""
    raw = _sdk(demo, name).chat.completions.with_raw_response.create(model=model, messages=HELLO)
    answer = raw.parse()
    assert raw.headers["x-demo-backend"] == name
    assert str(answer.choices[0].message.content).startswith(f"[demo {name}] heard: hello there.")
    assert (answer.model, answer.system_fingerprint) == (model, "demo")
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 6
    assert answer.usage.total_tokens == 6 + answer.usage.completion_tokens


def test_streamed_chat_is_the_whole_chat(demo: DemoThread) -> None:
    """A stream opens with the role, gives the same text piece by piece, ends, and reports the same usage."""
    sdk = _sdk(demo)
    whole = sdk.chat.completions.create(model="m", messages=HELLO)
    chunks = list(
        sdk.chat.completions.create(
            model="m", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )
    assert chunks[0].choices[0].delta.role == "assistant"
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks[:-1]]
    assert "".join(pieces) == whole.choices[0].message.content
    assert len([piece for piece in pieces if piece]) > 10
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage


def test_stream_without_usage(demo: DemoThread) -> None:
    """A stream reports usage only when asked, and ends with [DONE]."""
    body = {"model": "m", "messages": HELLO, "stream": True}
    text = HTTP.post(f"{demo.api_base('mlx')}/chat/completions", json=body).text
    assert '"usage"' not in text
    assert text.endswith("data: [DONE]\n\n")


def test_equal_requests_get_equal_answers(demo: DemoThread) -> None:
    """The answer depends on nothing but the request."""
    url, body = f"{demo.api_base('vllm')}/chat/completions", {"model": "m", "messages": HELLO}
    assert HTTP.post(url, json=body).content == HTTP.post(url, json=body).content


@pytest.mark.parametrize("stream", [False, True])
def test_n(demo: DemoThread, stream: bool) -> None:
    """``n`` choices come back, streamed or not, and the completion tokens are those of all."""
    sdk: Any = _sdk(demo).chat.completions
    if stream:
        seen = {
            c.index
            for chunk in sdk.create(model="m", messages=HELLO, n=3, stream=True)
            for c in chunk.choices
        }
        assert seen == {0, 1, 2}
    else:
        answer = sdk.create(model="m", messages=HELLO, n=3)
        assert "(choice 3)" in answer.choices[2].message.content
        assert answer.usage.completion_tokens > 3 * 10


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_max_tokens(demo: DemoThread, field: str) -> None:
    """A limit cuts the text after so many tokens and says so."""
    fields: Any = {field: 3}
    choice = _sdk(demo).chat.completions.create(model="m", messages=HELLO, **fields).choices[0]
    assert (choice.message.content, choice.finish_reason) == ("[demo mlx] heard:", "length")


def test_stop(demo: DemoThread) -> None:
    """A stop mark ends the text before it."""
    choice = _sdk(demo).chat.completions.create(model="m", messages=HELLO, stop=["heard"]).choices[0]
    assert (choice.message.content, choice.finish_reason) == ("[demo mlx]", "stop")


def test_streamed_tool_call(demo: DemoThread) -> None:
    """A tool call streams its name first and then its arguments, the JSON of the unstreamed one."""
    tools: Any = [
        {"type": "function", "function": {"name": "look_up", "parameters": {"properties": {"q": {}}}}}
    ]
    messages: Any = [{"role": "user", "content": "please use look_up for Bern"}]
    sdk = _sdk(demo)
    whole: Any = sdk.chat.completions.create(model="m", messages=messages, tools=tools).choices[0]
    deltas: list[Any] = [
        chunk.choices[0]
        for chunk in sdk.chat.completions.create(model="m", messages=messages, tools=tools, stream=True)
    ]
    calls = [delta.delta.tool_calls[0].function for delta in deltas if delta.delta.tool_calls]
    assert calls[0].name == whole.message.tool_calls[0].function.name == "look_up"
    assert json.loads("".join(call.arguments for call in calls)) == {"q": "Bern"}
    assert deltas[-1].finish_reason == whole.finish_reason == "tool_calls"


def test_completions(demo: DemoThread) -> None:
    """The older text route answers every prompt, streamed or not, with the same text."""
    sdk = _sdk(demo)
    whole = sdk.completions.create(model="m", prompt=["one", "two"])
    assert [choice.text.split(".")[0] for choice in whole.choices] == [
        "[demo mlx] heard: one",
        "[demo mlx] heard: two",
    ]
    chunks = sdk.completions.create(
        model="m", prompt="one", stream=True, stream_options={"include_usage": True}
    )
    seen = list(chunks)
    assert "".join(chunk.choices[0].text for chunk in seen[:-1]) == whole.choices[0].text
    assert seen[-1].usage is not None


def test_embeddings(demo: DemoThread) -> None:
    """Embeddings are unit vectors that depend on the text, alike as numbers and as the SDK's base64."""
    sdk = _sdk(demo)
    packed = sdk.embeddings.create(model="m", input=["a", "b"], dimensions=8)
    plain = sdk.embeddings.create(model="m", input="a", dimensions=8, encoding_format="float")
    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding, abs=1e-6)
    assert packed.data[0].embedding != packed.data[1].embedding
    assert math.hypot(*plain.data[0].embedding) == pytest.approx(1)
    assert packed.usage.prompt_tokens > 0


@pytest.mark.parametrize("route", ["chat/completions", "completions", "embeddings"])
@pytest.mark.parametrize("name", ["mlx", "vllm", "ollama", "cloud"])
def test_unknown_model(demo: DemoThread, name: str, route: str) -> None:
    """A model that is not listed is a 404 on every route."""
    headers = {"authorization": "Bearer any"}
    answer = HTTP.post(f"{demo.api_base(name)}/{route}", json={"model": "nope"}, headers=headers)
    assert answer.status_code == 404
    assert "nope" in str(answer.json()["error"])


def test_unknown_model_in_vllms_words(demo: DemoThread) -> None:
    """vLLM's wording for a model it does not have."""
    with pytest.raises(openai.NotFoundError, match=r"The model `nope` does not exist\."):
        _sdk(demo, "vllm").chat.completions.create(model="nope", messages=HELLO)


def test_models(demo: DemoThread) -> None:
    """The models are listed and can be asked for one by one, slashes included."""
    sdk = _sdk(demo, "vllm")
    assert [model.id for model in sdk.models.list().data] == ["m", "org/m"]
    assert sdk.models.retrieve("org/m").id == "org/m"


def test_ollama_tags(demo: DemoThread) -> None:
    """Ollama's own listing names the same models."""
    assert HTTP.get(f"{demo.url('ollama')}/api/tags").json()["models"][0]["name"] == "m:3b"


def test_health(demo: DemoThread) -> None:
    """Every backend has /health."""
    names = ("mlx", "vllm", "ollama", "cloud", "optillm", "searxng")
    assert [HTTP.get(f"{demo.url(name)}/health").status_code for name in names] == [200] * 6


@pytest.mark.parametrize(("name", "status"), [("mlx", 200), ("vllm", 200), ("ollama", 200), ("cloud", 400)])
def test_unknown_field(demo: DemoThread, name: str, status: int) -> None:
    """Only the cloud backend refuses a field it does not know, in OpenAI's words."""
    answer = HTTP.post(
        f"{demo.api_base(name)}/chat/completions",
        json={"model": "m:3b" if name == "ollama" else "m", "messages": HELLO, "optillm_approach": "moa"},
        headers={"authorization": "Bearer any"},
    )
    assert answer.status_code == status
    if status == 400:
        message = "Unrecognized request argument supplied: optillm_approach"
        assert answer.json()["error"]["message"] == message


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param({"authorization": "Bearer"}, id="empty"),
        pytest.param({"authorization": "Basic eA=="}, id="basic"),
    ],
)
def test_cloud_wants_a_bearer(demo: DemoThread, headers: dict[str, str]) -> None:
    """Without a bearer the cloud backend answers 401, for its model list too."""
    for path in ("models", "chat/completions"):
        method = "GET" if path == "models" else "POST"
        answer = HTTP.request(method, f"{demo.api_base('cloud')}/{path}", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param("{", "parse the JSON body", id="no-json"),
        pytest.param("[]", "must be a JSON object (got list)", id="no-object"),
        pytest.param('{"model": "m"}', "'messages' must be a non-empty list of objects", id="no-messages"),
        pytest.param(
            '{"model": "m", "messages": [{"role": "user", "content": "x"}], "n": 0}',
            "Invalid value for 'n': 0 (valid: 1 to 128)", id="n",
        ),
        pytest.param(
            '{"model": "m", "messages": [{"role": "user", "content": "x"}], "max_tokens": "9"}',
            "Invalid value for 'max_tokens': '9' (valid: 1 or more)", id="max-tokens",
        ),
    ],
)  # fmt: skip
def test_bad_body(demo: DemoThread, body: str, message: str) -> None:
    """A body that cannot be read is a 400 that says why."""
    answer = HTTP.post(f"{demo.api_base('vllm')}/chat/completions", content=body)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]
