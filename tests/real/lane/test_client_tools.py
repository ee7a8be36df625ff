"""On a real OptiLLM: refusing what an approach would drop (`on_dropped`), and the tools of clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.real.asking import ask
from tests.real.lane.conftest import ROUTER
from tests.real.lane.rig import Rig, read, rig

pytestmark = pytest.mark.real

WHOLE_OR_STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
SCHEMA = {"type": "object", "properties": {"answer": {"type": "string"}}}
PARAMETERS = {"name": "look_up", "parameters": SCHEMA}
PICTURE = "data:image/png;base64,iVBORw0KGgo="
DROPPED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "chat, tools": ("chat", "tools", {"tools": [{"type": "function", "function": PARAMETERS}]}),
    "chat, format": ("chat", "response_format", {"response_format": {"type": "json_object"}}),
    "chat, picture": (
        "chat",
        "images",
        {
            "messages": [
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": PICTURE}}]},
            ]
        },
    ),
    "responses, tools": ("responses", "tools", {"tools": [{"type": "function", **PARAMETERS}]}),
    "responses, format": (
        "responses",
        "response_format",
        {"text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}}},
    ),
    "messages, tools": ("messages", "tools", {"tools": [{"name": "look_up", "input_schema": SCHEMA}]}),
    "messages, format": (
        "messages",
        "response_format",
        {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    ),
    "generate, tools": (
        "generate",
        "tools",
        {"tools": [{"functionDeclarations": [{"name": "look_up", "parameters": SCHEMA}]}]},
    ),
    "generate, format": (
        "generate",
        "response_format",
        {"generationConfig": {"responseMimeType": "application/json", "responseSchema": SCHEMA}},
    ),
}
"""By case: the route, what `re2` would drop, and the fields that ask for it."""


@pytest.fixture(scope="module")
def _strict() -> Iterator[Rig]:
    document = read(ROUTER)
    document["homelab"]["optillm"]["boost"]["on_dropped"] = "refuse"
    with rig(document) as running:
        yield running


@pytest.fixture
def strict(_strict: Rig) -> Rig:
    """A lane whose `boost` refuses what it would drop; its `wide` serves it, which is the default."""
    _strict.clear()
    return _strict


@WHOLE_OR_STREAMED
@pytest.mark.parametrize("case", DROPPED)
def test_what_would_be_dropped_is_refused(strict: Rig, case: str, stream: bool) -> None:
    """A 400 that names the field and the way out, before anybody was asked."""
    route, name, fields = DROPPED[case]
    answer = ask(strict, route, "boost", stream=stream, optillm_approach="re2", **fields)

    assert answer.status_code == 400, answer.text
    assert f"boost: the approach re2 drops {name}" in answer.json()["error"]["message"]
    if route != "messages":
        assert answer.json()["error"]["type"] == "param_not_allowed"
    assert (strict.optillm_calls, strict.backend_calls()) == ([], [])


@WHOLE_OR_STREAMED
@pytest.mark.parametrize("case", DROPPED)
def test_by_default_it_is_served(strict: Rig, case: str, stream: bool) -> None:
    """A 200 that says what was left out, and the backend got none of it."""
    route, name, fields = DROPPED[case]
    answer = ask(strict, route, "wide", stream=stream, optillm_approach="re2", **fields)

    assert answer.status_code == 200, answer.text
    assert answer.headers["x-homelab-dropped"] == name
    (sent,) = [call.json for call in strict.backend_calls()]
    assert not {"tools", "response_format"} & set(sent)
    assert PICTURE not in str(sent)


@pytest.mark.parametrize("case", [case for case in DROPPED if "picture" not in case])
def test_what_is_passed_on_is_not_refused(strict: Rig, case: str) -> None:
    """`none` passes tools and formats on, so there is nothing to refuse."""
    route, name, fields = DROPPED[case]
    answer = ask(strict, route, "boost", stream=False, **fields)

    assert answer.status_code == 200, answer.text
    assert "x-homelab-dropped" not in answer.headers
    (sent,) = [call.json for call in strict.backend_calls()]
    assert name in sent


COMPUTER = {"name": "computer", "display_width_px": 1024, "display_height_px": 768, "display_number": 1}


@WHOLE_OR_STREAMED
@pytest.mark.parametrize("kind", ["computer_20241022", "computer_20250124", "computer_20251124"])
@pytest.mark.parametrize("route", ["messages", "chat"])
def test_anthropics_computer_becomes_a_function(strict: Rig, route: str, kind: str, stream: bool) -> None:
    """The client runs it: the model is offered a function with its actions and the size of the screen."""
    answer = ask(strict, route, "boost", stream=stream, tools=[{"type": kind, **COMPUTER}])

    assert answer.status_code == 200, answer.text
    (sent,) = [call.json for call in strict.backend_calls()]
    (tool,) = sent["tools"]
    assert (tool["type"], tool["function"]["name"]) == ("function", "computer")
    assert {"screenshot", "left_click", "zoom"} <= set(
        tool["function"]["parameters"]["properties"]["action"]["enum"]
    )
    assert "1024 pixels wide and 768 high" in tool["function"]["description"]


@pytest.mark.parametrize(
    ("route", "tool", "named"),
    [
        ("generate", {"computerUse": {"environment": "ENVIRONMENT_BROWSER"}}, "computerUse"),
        ("messages", {"type": "computer_20250124_evil", "name": "computer"}, "computer_20250124_evil"),
        (
            "messages",
            {"type": "code_execution_20250825", "name": "code_execution"},
            "code_execution_20250825",
        ),
    ],
)
def test_a_tool_that_is_no_function_is_refused(
    strict: Rig, route: str, tool: dict[str, Any], named: str
) -> None:
    """What no client is known to run is a 400 that says which, and reaches nobody."""
    answer = ask(strict, route, "boost", stream=False, tools=[tool])

    assert answer.status_code == 400, answer.text
    assert named in answer.json()["error"]["message"]
    assert (strict.optillm_calls, strict.backend_calls()) == ([], [])
