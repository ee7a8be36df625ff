"""Real OptiLLM: what a backend says to its calls is what the client gets, once, in one sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from tests.real.lane.rig import Rig

pytestmark = pytest.mark.real

SAID = "This model's maximum context length is 8192 tokens."
ERROR = {"error": {"message": SAID, "type": "invalid_request_error", "param": "messages", "code": "x"}}
USER = [{"role": "user", "content": "hello"}]
ROUTES: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {"messages": USER}),
    "completions": ("/v1/completions", {"prompt": "hello"}),
    "responses": ("/v1/responses", {"input": "hello"}),
    "messages": ("/v1/messages", {"messages": USER, "max_tokens": 20}),
}
THOUGHT = {
    "id": "x",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "The answer.", "reasoning_content": "I think."},
        }
    ],
    "usage": {
        "prompt_tokens": 5,
        "completion_tokens": 9,
        "total_tokens": 14,
        "completion_tokens_details": {"reasoning_tokens": 4},
        "prompt_tokens_details": {"cached_tokens": 2},
    },
}
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
PICTURE = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "what is it"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        ],
    }
]


@pytest.fixture
def lane(current: Rig) -> Iterator[Rig]:
    """The lane; the backend works again at the end."""
    yield current
    current.upstreams.of("base").works()


def refuses(lane: Rig, status: int) -> None:
    """Have the backend refuse every call."""
    more = {"retry-after": "7"} if status == 429 else {}
    lane.upstreams.of("base").says(json.dumps(ERROR).encode(), status=status, headers=more)


def events(text: str) -> list[dict[str, Any]]:
    """The events of a stream."""
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


@pytest.mark.parametrize("approach", ["none", "re2", "moa"])
@pytest.mark.parametrize("status", [400, 404, 413, 422, 429])
def test_a_backends_refusal_is_the_clients(lane: Rig, status: int, approach: str) -> None:
    """With its status, its message and nothing else; an SDK must not run OptiLLM again."""
    refuses(lane, status)
    answer = lane.chat("boost", optillm_approach=approach)

    assert (answer.status_code, answer.json()["error"]["message"]) == (status, SAID)
    assert answer.headers["x-should-retry"] == "false"
    assert answer.headers["x-homelab-calls"] == str(len(lane.returns))
    assert answer.headers.get("retry-after") == ("7" if status == 429 else None)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("route", ROUTES)
def test_on_every_route(lane: Rig, route: str, stream: bool) -> None:
    """In the shape of the route's errors, as JSON."""
    refuses(lane, 400)
    path, body = ROUTES[route]
    answer = lane.post(path, {"model": "boost", "optillm_approach": "re2", "stream": stream, **body})

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")
    error = answer.json()["error"]
    assert (error["message"], error["type"]) == (SAID, "invalid_request_error")
    assert answer.headers["x-homelab-calls"] == "1"


def test_an_answer_in_spite_of_a_failed_call_stands(lane: Rig) -> None:
    """OptiLLM goes on without the candidates that it was refused; the call counts."""
    lane.upstreams.of("base").fails(400, times=1)
    answer = lane.chat("boost", optillm_approach="moa")

    assert answer.status_code == 200
    assert answer.headers["x-homelab-calls"] == str(len(lane.returns))


def test_a_backend_in_trouble_is_no_clients_mistake(lane: Rig) -> None:
    """It stays a 500, which an SDK must not repeat either."""
    lane.upstreams.of("base").fails(500)
    answer = lane.chat("boost", optillm_approach="re2")

    assert (answer.status_code, answer.headers["x-should-retry"]) == (500, "false")


@pytest.mark.parametrize("approach", ["none", "re2"])
def test_streamed_responses_are_as_documented(lane: Rig, approach: str) -> None:
    """Every event is one of OpenAI's, and the texts arrive as deltas."""
    lane.upstreams.of("base").says(json.dumps(THOUGHT).encode())
    body = {"model": "boost", "input": "hello", "stream": True, "optillm_approach": approach}
    seen = events(lane.post("/v1/responses", body).text)
    known: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)

    for event in seen:
        known.validate_json(json.dumps(event), strict=True)
    assert [event["sequence_number"] for event in seen] == list(range(len(seen)))
    said = "".join(one["delta"] for one in seen if one["type"] == "response.output_text.delta")
    thought = "".join(one["delta"] for one in seen if one["type"] == "response.reasoning_summary_text.delta")
    assert (said, thought) == ("The answer.", "I think." if approach == "none" else "")
    used = seen[-1]["response"]["usage"]
    assert used["total_tokens"] == used["input_tokens"] + used["output_tokens"] == 14
    assert used["output_tokens_details"]["reasoning_tokens"] == 4


def test_whole_responses_are_as_documented(lane: Rig) -> None:
    """Reasoning is in `summary`."""
    lane.upstreams.of("base").says(json.dumps(THOUGHT).encode())
    answer = lane.post("/v1/responses", {"model": "boost", "input": "hello"})

    made = TypeAdapter(Response).validate_json(answer.text, strict=True)
    assert [item.type for item in made.output] == ["reasoning", "message"]
    assert made.output_text == "The answer."


@pytest.mark.parametrize(
    ("fields", "dropped"),
    [
        ({"tools": [FUNCTION]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"messages": PICTURE}, "images"),
        ({"tools": [FUNCTION], "messages": PICTURE, "stream": True}, "tools,images"),
    ],
    ids=["tools", "format", "picture", "several, streamed"],
)
def test_what_an_approach_drops_is_in_a_header(lane: Rig, fields: dict[str, Any], dropped: str) -> None:
    """`none` passes tools and formats on; no approach passes pictures on."""
    answered = lane.chat("boost", optillm_approach="re2", **fields)
    kept = lane.chat("boost", **fields)

    assert (answered.status_code, answered.headers["x-homelab-dropped"]) == (200, dropped)
    assert kept.headers.get("x-homelab-dropped") == ("images" if "images" in dropped else None)
    assert "image" not in json.dumps([one.json for one in lane.backend_calls("base")])


@pytest.mark.parametrize(
    ("route", "tool", "name"),
    [
        (
            "responses",
            {"type": "namespace", "name": "ns", "tools": [{"type": "function", "name": "g"}]},
            "ns__g",
        ),
        ("responses", {"type": "custom", "name": "apply_patch"}, "apply_patch"),
        ("responses", {"type": "local_shell"}, None),
        ("messages", {"type": "bash_20250124", "name": "bash"}, "bash"),
        (
            "messages",
            {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"},
            "str_replace_based_edit_tool",
        ),
    ],
    ids=["namespace", "custom", "local shell", "bash", "text editor"],
)
def test_tools_of_the_client_are_passed_as_functions(
    lane: Rig, route: str, tool: dict[str, Any], name: str | None
) -> None:
    """The model gets functions; what LiteLLM makes none of is left out."""
    path, body = ROUTES[route]
    answer = lane.post(path, {"model": "boost", "tools": [tool], **body})

    assert answer.status_code == 200
    sent = lane.backend_calls("base")[-1].json.get("tools")
    assert [one["function"]["name"] for one in sent or []] == ([name] if name else [])


@pytest.mark.parametrize(
    ("route", "tool"),
    [
        ("responses", {"type": "web_search"}),
        ("responses", {"type": "mcp", "server_label": "x", "server_url": "https://example.com"}),
        ("responses", {"type": "namespace", "name": "n", "tools": [{"type": "file_search"}]}),
        ("messages", {"type": "web_search_20250305", "name": "web_search"}),
        ("messages", {"type": "code_execution_20250522", "name": "code_execution"}),
    ],
    ids=["search", "mcp", "inside a namespace", "Anthropic's search", "Anthropic's code"],
)
def test_tools_of_a_server_are_refused(lane: Rig, route: str, tool: dict[str, Any]) -> None:
    """The text says which, and OptiLLM is not asked."""
    path, body = ROUTES[route]
    answer = lane.post(path, {"model": "boost", "tools": [tool], **body})

    inner = tool.get("tools", [tool])[0]["type"]
    assert (answer.status_code, lane.optillm_calls) == (400, [])
    assert repr(inner) in answer.json()["error"]["message"]


MALFORMED: dict[str, Any] = {
    "none": None, "text": "hi", "an object": {}, "empty": [], "numbers": [1],
    "no content": [{"role": "user"}],
    "a number": [{"role": "user", "content": 5}], "a robot": [{"role": "robot", "content": "x"}],
    "no role": [{"content": "x"}], "a part of text": [{"role": "user", "content": ["x"]}],
    "a part without type": [{"role": "user", "content": [{"text": "x"}]}],
    "an object as content": [{"role": "user", "content": {"a": 1}}],
}  # fmt: skip


@pytest.mark.parametrize("messages", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_messages_reach_nobody(lane: Rig, messages: object) -> None:
    """A 400 on every handle and route that takes messages, before OptiLLM or a backend is asked."""
    bodies = [
        ("/v1/chat/completions", {"messages": messages}),
        ("/v1/messages", {"messages": messages, "max_tokens": 9}),
        ("/v1/responses", {"input": 5 if isinstance(messages, str) else messages}),
    ]
    for path, body in bodies:
        for model in ("main", "boost"):
            answer = lane.post(path, {"model": model, **body})
            assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert (lane.optillm_calls, lane.backend_calls()) == ([], [])
