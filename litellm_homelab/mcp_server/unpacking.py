"""Unpacks a compressed answer piece by piece, never more than there is room for."""

from __future__ import annotations

import zlib
from typing import Final

from litellm_homelab.mcp_server.faults import ToolFault

ACCEPTED: Final = "gzip, deflate"
"""For `accept-encoding`: what is unpacked here; others have no bound on what one piece becomes."""
_AS_IT_IS: Final = frozenset({"", "identity"})


class Unpacking:
    """One body in one encoding."""

    __slots__ = ("_head", "_left", "_packed")

    def __init__(self, encoding: str) -> None:
        name = encoding.strip().lower().removeprefix("x-")
        if name not in _AS_IT_IS | {"gzip", "deflate"}:
            raise ToolFault(f"The page is compressed in a way that is not read here: {name[:40]}.")
        self._packed = name not in _AS_IT_IS
        self._left = zlib.decompressobj(zlib.MAX_WBITS | 16 if name == "gzip" else zlib.MAX_WBITS)
        self._head: bytes | None = b"" if name == "deflate" else None

    def unpack(self, piece: bytes, room: int) -> bytes:
        """
        What a piece becomes, cut at `room` bytes.

        Raises:
            ToolFault: it is not what the answer's header says.

        """
        if not self._packed:
            return piece[:room]
        if room <= 0:
            return b""
        try:
            packed = self._after_the_head(piece)
            return self._left.decompress(packed, room)
        except zlib.error as error:
            raise ToolFault("The page is compressed, and what came cannot be unpacked.") from error

    def _after_the_head(self, piece: bytes) -> bytes:
        """The piece, once it is known whether `deflate` has zlib's frame (RFC 9110) or not; both are sent."""
        if self._head is None:
            return piece
        piece, self._head = self._head + piece, None
        if len(piece) < 2:
            self._head = piece
            return b""
        if piece[0] & 0x0F != zlib.DEFLATED or int.from_bytes(piece[:2]) % 31:
            self._left = zlib.decompressobj(-zlib.MAX_WBITS)
        return piece
