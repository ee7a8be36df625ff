"""The server, with the SDK's client in the same process."""

from __future__ import annotations

from typing import Any

import pytest
from mcp import Client
from mcp.shared.tool_name_validation import validate_tool_name

from litellm_homelab.mcp_server.faults import ToolFault
from litellm_homelab.mcp_server.server import server_of
from litellm_homelab.mcp_server.tools import Toolbox


class Tools:
    """Searches that break, and pages that cannot be read."""

    async def search(self, query: str, most: int) -> str:
        """A defect."""
        if query == "broken":
            raise RuntimeError("with an address: 10.0.0.1")
        return f"{most} for {query}"

    async def fetch(self, url: str, *, as_html: bool, start: int, most: int) -> str:
        """A fault."""
        raise ToolFault("The page answered 404 Not Found.")


async def called(name: str, arguments: dict[str, Any]) -> tuple[bool, str]:
    """Whether a call is an error, and its text."""
    async with Client(server_of(Toolbox(Tools(), Tools()))) as client:
        result = await client.call_tool(name, arguments)
        (content,) = result.content
        return result.is_error, str(getattr(content, "text", ""))


async def test_the_tools_are_listed() -> None:
    """With names that the specification allows, and as tools that only read."""
    async with Client(server_of(Toolbox(Tools(), Tools()))) as client:
        tools = (await client.list_tools()).tools
    assert [one.name for one in tools] == ["search.web", "web.fetch"]
    assert all(validate_tool_name(one.name).is_valid for one in tools)
    assert all(one.annotations and one.annotations.read_only_hint for one in tools)
    assert tools[0].input_schema["required"] == ["query"]


async def test_a_result() -> None:
    """As text."""
    assert await called("search.web", {"query": "x"}) == (False, "5 for x")


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("web.fetch", {"url": "u"}, "The page answered 404 Not Found."),
        ("search.web", {"query": "broken"}, "The tool broke; its log says why."),
        ("nothing", {}, "There is no such tool here. The tools are search.web and web.fetch."),
    ],
)
async def test_a_fault_is_a_result(name: str, arguments: dict[str, Any], text: str) -> None:
    """A model reads it, and the session goes on; a defect says nothing of what is behind it."""
    assert await called(name, arguments) == (True, text)
