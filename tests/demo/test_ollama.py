"""The demo's answers on Ollama's own routes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from litellm_homelab.demo import DemoThread
from tests.demo.client import HTTP

BODIES: dict[str, dict[str, Any]] = {
    "/api/chat": {"messages": [{"role": "user", "content": "hello"}]},
    "/api/generate": {"prompt": "hello"},
}


def _text(path: str, line: dict[str, Any]) -> str:
    return str(line["message"]["content"] if path == "/api/chat" else line["response"])


@pytest.mark.parametrize("path", BODIES)
def test_a_stream_says_the_same_as_the_whole(demo: DemoThread, path: str) -> None:
    """Lines of JSON by default, of which the last one is done and counts tokens."""
    body = {"model": "m:3b", **BODIES[path]}
    whole = HTTP.post(demo.url("ollama") + path, json={**body, "stream": False}).json()
    streamed = HTTP.post(demo.url("ollama") + path, json=body)
    lines = [json.loads(line) for line in streamed.text.splitlines()]
    assert "".join(_text(path, line) for line in lines) == _text(path, whole)
    assert "[demo ollama]" in _text(path, whole)
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    assert lines[-1]["eval_count"] == whole["eval_count"] == len(lines) - 1


def test_a_limit_cuts(demo: DemoThread) -> None:
    """`num_predict` is Ollama's word for it."""
    body = {"model": "m:3b", "stream": False, "options": {"num_predict": 2}, **BODIES["/api/chat"]}
    answer = HTTP.post(f"{demo.url('ollama')}/api/chat", json=body).json()
    assert (answer["done_reason"], answer["eval_count"]) == ("length", 2)


def test_a_tool_is_called(demo: DemoThread) -> None:
    """Its arguments are an object, as Ollama has them."""
    tool = {"type": "function", "function": {"name": "look", "parameters": {"properties": {"at": {}}}}}
    asked = {"model": "m:3b", "tools": [tool], "messages": [{"role": "user", "content": "use look"}]}
    (line,) = HTTP.post(f"{demo.url('ollama')}/api/chat", json=asked).text.splitlines()
    call = json.loads(line)["message"]["tool_calls"][0]["function"]
    assert (call["name"], call["arguments"]) == ("look", {"at": "look"})


def test_another_model_is_not_found(demo: DemoThread) -> None:
    """As on the other routes."""
    assert (
        HTTP.post(f"{demo.url('ollama')}/api/chat", json={"model": "no", **BODIES["/api/chat"]}).status_code
        == 404
    )
