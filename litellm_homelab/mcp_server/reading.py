"""Reads one page: every address is checked before it is connected to, and size and time have a bound."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

import anyio
import httpx

from litellm_homelab import __version__
from litellm_homelab.mcp_server.addresses import Address, AddressRule
from litellm_homelab.mcp_server.content_types import ContentType, content_type_of
from litellm_homelab.mcp_server.faults import ToolFault
from litellm_homelab.mcp_server.locations import PageLocation, location_of
from litellm_homelab.mcp_server.trust import trusted
from litellm_homelab.mcp_server.unpacking import ACCEPTED, Unpacking

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a name, as text."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_HEADERS: Final = {
    "user-agent": f"litellm-homelab/{__version__} (web.fetch)",
    "accept": "text/html, application/xhtml+xml, text/*;q=0.9, application/json;q=0.9, */*;q=0.5",
    "accept-language": "*",
    "accept-encoding": ACCEPTED,
    "connection": "close",
}
_MOST_ADDRESSES: Final = 4
"""Addresses of one name that are tried."""


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """What one page may take."""

    bytes: int = 5_000_000
    """Of the page, unpacked; what is beyond is left out."""
    seconds: float = 20.0
    """From the first look at the name to the last byte, redirects included."""
    redirects: int = 5
    connect: float = 5.0


@dataclass(frozen=True, slots=True)
class WebPage:
    """What was read."""

    url: str
    """Where it was, after redirects."""
    type: ContentType
    body: bytes
    left_out: str = ""
    """Why it is not whole; empty where it is."""


async def addresses_of(name: str, port: int) -> Sequence[str]:
    """The addresses of a name, by the machine's own resolver."""
    found = await anyio.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return [*dict.fromkeys(str(one[4][0]) for one in found)]


class PageReader:
    """
    Reads pages without cookies, keys, proxies or kept connections.

    A name is resolved once for each step, and the connection goes to the address that was checked: the name
    server is not asked again. httpx gets the address in the URL, and the name for `host` and for TLS.
    """

    def __init__(
        self,
        rule: AddressRule,
        limits: ReadingLimits,
        resolve: Resolver = addresses_of,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._rule = rule
        self._limits = limits
        self._resolve = resolve
        # A kept connection has one name in TLS; the next page at the same address may have another.
        alone = httpx.Limits(max_keepalive_connections=0)
        self._transport = httpx.AsyncHTTPTransport(
            verify=trust or trusted(), trust_env=False, http2=False, limits=alone
        )

    async def close(self) -> None:
        """Close what is open."""
        await self._transport.aclose()

    async def read(self, url: str) -> WebPage:
        """
        Read a page, and follow its redirects.

        Raises:
            ToolFault: it may not be read, cannot be read, or is not text.

        """
        location = location_of(url)
        deadline = anyio.current_time() + self._limits.seconds
        for _ in range(self._limits.redirects + 1):
            response = await self._before(deadline, location)
            try:
                target = response.headers.get("location") if response.status_code in _REDIRECTS else None
                if target is None:
                    return await self._page(response, str(location.url), deadline)
            finally:
                with anyio.move_on_after(1, shield=True):
                    await response.aclose()
            location = location.beside(target)
        raise ToolFault(f"The page redirects more than {self._limits.redirects} times.")

    async def _before(self, deadline: float, location: PageLocation) -> httpx.Response:
        with anyio.move_on_after(deadline - anyio.current_time()):
            return await self._ask(location)
        raise ToolFault(f"{location.host} did not answer within {self._limits.seconds:g} seconds.")

    async def _ask(self, location: PageLocation) -> httpx.Response:
        last: Exception | None = None
        for address in (await self._checked(location))[:_MOST_ADDRESSES]:
            try:
                return await self._transport.handle_async_request(self._request(location, address))
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                last = error
            except httpx.HTTPError as error:
                raise ToolFault(f"{location.host} does not answer as a web server does.") from error
        raise ToolFault(f"{location.host} cannot be reached: {_why(last)}.") from last

    async def _checked(self, location: PageLocation) -> list[Address]:
        """Every address of the host, all of them allowed."""
        addresses = [location.address] if location.address else await self._resolved(location)
        for address in addresses:
            if why := self._rule.why_refused(address, location.port):
                raise ToolFault(f"{location.host} may not be read by this tool ({why}).")
        return addresses

    async def _resolved(self, location: PageLocation) -> list[Address]:
        try:
            return [ip_address(one) for one in await self._resolve(location.host, location.port)]
        except (OSError, ValueError) as error:
            raise ToolFault(f"{location.host} is not known: the name has no address.") from error

    def _request(self, location: PageLocation, address: Address) -> httpx.Request:
        host = location.url.netloc.decode("ascii")
        extensions: dict[str, Any] = {
            "timeout": {
                "connect": self._limits.connect,
                "read": None,
                "write": self._limits.connect,
                "pool": None,
            }
        }
        if location.address is None:
            extensions["sni_hostname"] = location.host.rstrip(".")
        return httpx.Request(
            "GET", location.at(address), headers={"host": host, **_HEADERS}, extensions=extensions
        )

    async def _page(self, response: httpx.Response, url: str, deadline: float) -> WebPage:
        if response.status_code != 200:
            # Not the server's own words: they are a stranger's.
            words = f"{response.status_code} {httpx.codes.get_reason_phrase(response.status_code)}".strip()
            raise ToolFault(f"The page answered {words}.")
        kind = content_type_of(response.headers.get("content-type", ""))
        unpacking = Unpacking(response.headers.get("content-encoding", ""))
        body = bytearray()
        left_out = f"the page was still being sent after {self._limits.seconds:g} seconds"
        try:
            with anyio.move_on_after(deadline - anyio.current_time()):
                left_out = await self._fill(body, response, unpacking)
        except httpx.HTTPError as error:
            if not body:
                raise ToolFault("The connection broke before anything of the page had come.") from error
            left_out = "the connection broke"
        if left_out and not body:
            raise ToolFault(f"Nothing of the page came within {self._limits.seconds:g} seconds.")
        del body[self._limits.bytes :]
        return WebPage(url, kind.seen_in(bytes(body[:1024])), bytes(body), left_out)

    async def _fill(self, body: bytearray, response: httpx.Response, unpacking: Unpacking) -> str:
        """Add what comes; why it is not all."""
        most, packed = self._limits.bytes, 0
        async for piece in response.aiter_raw():
            packed += len(piece)
            body += unpacking.unpack(piece, most + 1 - len(body))
            if len(body) > most or packed > most:
                return f"the page is larger than {most / 1e6:g} MB"
        return ""


def _why(error: Exception | None) -> str:
    text = str(error).lower()
    if isinstance(error, httpx.ConnectTimeout):
        return "no connection came about in time"
    if "certificate" in text or "ssl" in text or "tls" in text:
        return "its certificate or its TLS is not valid"
    return "nothing accepts the connection there"
