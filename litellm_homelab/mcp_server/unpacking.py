"""Unpacks a compressed answer piece by piece, never more than there is room for."""

from __future__ import annotations

import zlib
from typing import Final

from litellm_homelab.mcp_server.faults import ToolFault

ACCEPTED: Final = "gzip, deflate"
"""For `accept-encoding`: what is unpacked here; others have no bound on what one piece becomes."""
_AS_IT_IS: Final = frozenset({"", "identity"})
_GZIP: Final = frozenset({"gzip", "x-gzip"})


class Unpacking:
    """One body in one encoding."""

    __slots__ = ("_left", "_packed", "_raw", "_seen")

    def __init__(self, encoding: str) -> None:
        name = encoding.strip().lower()
        if name not in _AS_IT_IS | _GZIP | {"deflate"}:
            raise ToolFault(f"The page is compressed in a way that is not read here: {name[:40]}.")
        self._packed = name not in _AS_IT_IS
        self._left = zlib.decompressobj(zlib.MAX_WBITS | 16 if name in _GZIP else zlib.MAX_WBITS)
        self._raw = name == "deflate"
        self._seen = False

    def unpack(self, piece: bytes, room: int) -> bytes:
        """
        What a piece becomes, cut at `room` bytes.

        Raises:
            ToolFault: it is not what the answer's header says.

        """
        if not self._packed or not piece:
            return piece[:room]
        if room <= 0:
            return b""
        try:
            return self._unpacked(piece, room)
        except zlib.error as error:
            raise ToolFault("The page is compressed, and what came cannot be unpacked.") from error

    def _unpacked(self, piece: bytes, room: int) -> bytes:
        try:
            return self._left.decompress(piece, room)
        except zlib.error:
            # `deflate` is with zlib's frame by RFC 9110 and without by many servers; the first piece tells.
            if not self._raw or self._seen:
                raise
            self._left = zlib.decompressobj(-zlib.MAX_WBITS)
            return self._left.decompress(piece, room)
        finally:
            self._seen = True
