"""`search.web`: asks the gateway's search route with a caller's key; never a route of models."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

import anyio
import httpx

from litellm_homelab import __version__
from litellm_homelab.formats.server_address import AddressUnusable, is_plain, server_address
from litellm_homelab.mcp_server import texts
from litellm_homelab.mcp_server.faults import ToolFault
from litellm_homelab.mcp_server.trust import trusted

SECONDS: Final = 45.0
"""Until the gateway has answered: a SearXNG asks many engines, and clients wait 60 s for a tool."""
LONGEST: Final = 4_000_000
"""Bytes of an answer."""
_SNIPPET: Final = 500
_TOOL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class SearchUnusable(Exception):
    """What was given cannot be used: the address of the gateway, the key, or the name of the search tool."""


@dataclass(frozen=True, slots=True)
class SearchAddress:
    """Whom to ask, and with which key."""

    url: str
    key: str = field(repr=False)


def search_address(base: str, tool: str, key: str) -> SearchAddress:
    """
    The whole address of the search.

    Raises:
        SearchUnusable: one of them cannot be used.

    """
    if not _TOOL.fullmatch(tool):
        raise SearchUnusable(
            "the name of the search tool is not usable (valid: as in search_tools of router.yaml)"
        )
    if not key or not is_plain(key):
        raise SearchUnusable("the key is empty, or has a space or a special character in it")
    try:
        found = server_address(base, "the address of the gateway")
    except AddressUnusable as error:
        raise SearchUnusable(str(error)) from None
    return SearchAddress(f"{found.below('/v1')}/v1/search/{tool}", key)


@dataclass(frozen=True, slots=True)
class GatewaySearch:
    """Searches through the gateway: no proxy, no redirect, no cookie."""

    address: SearchAddress
    transport: httpx.AsyncBaseTransport
    seconds: float = SECONDS

    async def search(self, query: str, most: int) -> str:
        """
        Results as a numbered list of title, address and snippet.

        Raises:
            ToolFault: the gateway does not answer, or refuses.

        """
        status, body = await self._ask({"query": query, "max_results": most})
        if status != 200:
            raise ToolFault(_refusal(status, body))
        found = _results(body)[:most]
        if not found:
            return "Nothing was found. Try other words."
        return "\n\n".join(f"{number}. {_written(one)}" for number, one in enumerate(found, 1))

    async def _ask(self, body: dict[str, object]) -> tuple[int, bytes]:
        request = httpx.Request("POST", self.address.url, json=body, headers=self._headers())
        try:
            with anyio.move_on_after(self.seconds):
                response = await self.transport.handle_async_request(request)
                try:
                    return response.status_code, await _bounded(response)
                finally:
                    with anyio.move_on_after(1, shield=True):
                        await response.aclose()
        except httpx.HTTPError as error:
            raise ToolFault("The gateway cannot be reached; the search is not possible now.") from error
        raise ToolFault(f"The gateway did not answer within {self.seconds:g} seconds.")

    def _headers(self) -> dict[str, str]:
        return {
            "authorization": f"Bearer {self.address.key}",
            "user-agent": f"litellm-homelab/{__version__} (search.web)",
            "accept-encoding": "identity",
        }


def gateway_search(address: SearchAddress) -> GatewaySearch:
    """A search with a transport of its own."""
    return GatewaySearch(address, httpx.AsyncHTTPTransport(verify=trusted(), trust_env=False))


async def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > LONGEST:
            raise ToolFault("The gateway's answer is too long.")
    return bytes(body)


def _refusal(status: int, body: bytes) -> str:
    if status == 401:
        return "The gateway does not know the key of this tool (401). Its owner has to set another."
    try:
        error = json.loads(body)["error"]
        said = texts.one_line(str(error["message"]), 300)
    except (ValueError, KeyError, TypeError, RecursionError):
        said = ""
    return f"The gateway refused the search ({status})" + (f": {said}" if said else ".")


def _results(body: bytes) -> list[dict[str, Any]]:
    try:
        results = json.loads(body)["results"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ToolFault("The gateway's answer is not that of a search.") from error
    if not isinstance(results, list):
        raise ToolFault("The gateway's answer is not that of a search.")
    return [one for one in results if isinstance(one, dict)]


def _written(one: dict[str, Any]) -> str:
    lines = [
        texts.one_line(str(one.get("title") or "without a title"), 300),
        texts.one_line(str(one.get("url") or ""), 2000),
        texts.one_line(str(one.get("date") or ""), 40),
        texts.one_line(str(one.get("snippet") or ""), _SNIPPET),
    ]
    return "\n   ".join(line for line in lines if line)
