"""Reads the address of a page as a model writes it, and refuses what could be read in two ways."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

import httpx

from litellm_homelab.mcp_server.addresses import Address
from litellm_homelab.mcp_server.faults import ToolFault

LONGEST: Final = 8_000
"""Characters of an address; servers refuse longer ones."""
_PORTS: Final = {"http": 80, "https": 443}
_NAME: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PageLocation:
    """Where a page is: one host, one port, and what is asked of it."""

    url: httpx.URL
    """Without a fragment."""
    host: str
    """A name in ASCII, or an address."""
    port: int
    address: Address | None
    """Where the host is an address already."""

    def at(self, address: Address) -> httpx.URL:
        """The same page, asked of this address."""
        return self.url.copy_with(host=str(address))

    def beside(self, reference: str) -> PageLocation:
        """Where a redirect from here leads; raises ToolFault as `location_of` does."""
        try:
            joined = str(self.url.join(reference.strip()))
        except (httpx.InvalidURL, ValueError) as error:
            raise ToolFault("The page redirects to an address that cannot be read.") from error
        return location_of(joined)


def location_of(text: str) -> PageLocation:
    """
    Where a page is.

    Raises:
        ToolFault: the scheme is not http or https, there are credentials in it, or its host is written in a
            way that programs read differently (decimal, octal, hexadecimal, shortened or escaped).

    """
    if len(text) > LONGEST:
        raise ToolFault(f"The address has more than {LONGEST} characters.")
    try:
        url = httpx.URL(text.strip()).copy_with(fragment=None)
        host = url.raw_host.decode("ascii")
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise ToolFault("The address cannot be read. Write it whole: https://example.org/page") from error
    if url.scheme not in _PORTS:
        raise ToolFault("Only http and https addresses can be read. Write it whole: https://example.org/page")
    if url.userinfo:
        raise ToolFault("The address has a user name or password in it. Leave them out.")
    port = url.port if url.port is not None else _PORTS[url.scheme]
    if not 0 < port < 65536:
        raise ToolFault("The address has a port that does not exist.")
    return PageLocation(url, host, port, _judged(host))


def _judged(host: str) -> Address | None:
    """The address that a host is; None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    last = host.rstrip(".").rpartition(".")[2]
    if _NUMBER.fullmatch(last):
        raise ToolFault(
            "The host is an address in an unusual notation. Write an IPv4 address as four decimal numbers: "
            "192.0.2.1"
        )
    if not _NAME.fullmatch(host):
        raise ToolFault("The host of the address is not a name or an address.")
    return None
