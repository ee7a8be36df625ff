"""An MCP server with one tool, as the smallest ASGI app that speaks its streamable HTTP without sessions."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOOL = {
    "name": "lights",
    "description": "Switches the lights of a room.",
    "inputSchema": {"type": "object", "properties": {"room": {"type": "string"}}, "required": ["room"]},
}


@dataclass(slots=True)
class McpServer:
    """Answers JSON-RPC at /mcp (MCP 2025-06-18, "Streamable HTTP"); keeps the arguments of calls."""

    calls: list[dict[str, Any]] = field(default_factory=list)

    def app(self) -> Starlette:
        """The ASGI app."""
        return Starlette(routes=[Route("/mcp", self._answer, methods=["POST", "GET", "DELETE"])])

    async def _answer(self, request: Request) -> Response:
        if request.method != "POST":
            return Response(status_code=405)  # no stream of its own, and no session to end
        message = json.loads(await request.body())
        if "id" not in message:
            return Response(status_code=202)
        result = self._result(message["method"], message.get("params") or {})
        return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "result": result})

    def _result(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if method == "initialize":
            return {
                "protocolVersion": params.get("protocolVersion", "2025-06-18"),
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "home", "version": "1"},
            }
        if method == "tools/list":
            return {"tools": [TOOL]}
        if method == "tools/call":
            self.calls.append(params.get("arguments") or {})
            return {"content": [{"type": "text", "text": f"lit: {params['arguments']['room']}"}]}
        return {}
