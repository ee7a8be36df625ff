"""The two tools as a client sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jsonschema
import pytest

from litellm_homelab.mcp_server.faults import ToolFault
from litellm_homelab.mcp_server.tools import Toolbox


@dataclass(slots=True)
class Calls:
    """Notes what is called, and gives a word."""

    made: list[tuple[Any, ...]] = field(default_factory=list)

    async def search(self, query: str, most: int) -> str:
        """Note it."""
        self.made.append((query, most))
        return "found"

    async def fetch(self, url: str, *, as_html: bool, start: int, most: int) -> str:
        """Note it."""
        self.made.append((url, as_html, start, most))
        return "read"


@pytest.mark.parametrize(
    ("name", "arguments", "made"),
    [
        ("search.web", {"query": "x"}, ("x", 5)),
        ("search.web", {"query": "x", "max_results": 3}, ("x", 3)),
        ("web.fetch", {"url": "https://a"}, ("https://a", False, 0, 20_000)),
        ("web.fetch", {"url": "u", "format": "html", "start": 7, "max_chars": 100}, ("u", True, 7, 100)),
    ],
)
async def test_calls(name: str, arguments: dict[str, Any], made: tuple[Any, ...]) -> None:
    """Arguments and their defaults."""
    calls = Calls()
    assert await Toolbox(calls, calls).call(name, arguments) in ("found", "read")
    assert calls.made == [made]


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("search.web", {}, "query: Field required"),
        ("search.web", {"query": ""}, "query: "),
        ("search.web", {"query": "x", "max_results": 99}, "max_results: "),
        ("search.web", {"query": "x", "engine": "y"}, "engine: Extra inputs"),
        ("web.fetch", {"url": 1}, "url: "),
        ("web.fetch", {"url": "u", "format": "pdf"}, "format: "),
        ("web.fetch", {"url": "u", "start": -1}, "start: "),
        ("web.fetch", {"url": "u", "max_chars": 10**9}, "max_chars: "),
        ("web_fetch", {"url": "u"}, r"no such tool here. The tools are search\.web and web\.fetch"),
        ("shell.run", {}, "no such tool here"),
    ],
)
async def test_mistakes(name: str, arguments: dict[str, Any], why: str) -> None:
    """A fault that names the argument, and nothing is called."""
    calls = Calls()
    with pytest.raises(ToolFault, match=why):
        await Toolbox(calls, calls).call(name, arguments)
    assert calls.made == []


async def test_underscores() -> None:
    """For clients that hand names on to an API that takes no dot."""
    calls = Calls()
    toolbox = Toolbox(calls, calls, with_underscores=True)
    assert [one.name for one in toolbox.offered()] == ["search_web", "web_fetch"]
    assert await toolbox.call("search_web", {"query": "x"}) == "found"
    with pytest.raises(ToolFault, match="The tools are search_web and web_fetch"):
        await toolbox.call("search.web", {"query": "x"})


def test_schemas() -> None:
    """JSON Schemas of objects, without references, which not every client follows."""
    calls = Calls()
    for one in Toolbox(calls, calls).offered():
        schema = one.arguments.model_json_schema()
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"
        assert "$ref" not in str(schema)
        assert all("description" in entry for entry in schema["properties"].values())
