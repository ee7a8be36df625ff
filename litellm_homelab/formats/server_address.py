"""The address of a server, as a person gives it to a command that will send a key there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

EXAMPLE: Final = "http://127.0.0.1:4000"


class AddressUnusable(ValueError):
    """It is not the address of a server; the text says why, and does not repeat what was given."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server is, and the path in front of its routes."""

    origin: str
    """Scheme, host and port."""
    path: str
    """Without a final slash; empty for most."""

    def below(self, *endings: str) -> str:
        """The address without these endings of its path, taken off one after the other."""
        path = self.path
        for one in endings:
            path = path.removesuffix(one)
        return f"{self.origin}{path}"


def server_address(text: str, what: str = "the address", example: str = EXAMPLE) -> ServerAddress:
    """
    The server at an address; without a scheme it is HTTP. `what` is how messages call it.

    Raises:
        AddressUnusable: it is not an address, has a key or a query in it, or a character that cannot be sent.

    """
    if not is_plain(text):
        raise AddressUnusable(f"{what} is not usable: it has a space or a special character in it")
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise AddressUnusable(f"{what} is not usable (valid: {example})")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise AddressUnusable(f"{what} has more in it than host, port and path; a key does not belong there")
    return ServerAddress(f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/"))


def is_plain(text: str) -> bool:
    """Whether a text can be in a request line or a header as it is."""
    return all(32 < ord(one) < 127 for one in text)
