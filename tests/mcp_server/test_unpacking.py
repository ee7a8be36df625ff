"""Unpacking within a bound."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.mcp_server.faults import ToolFault
from litellm_homelab.mcp_server.unpacking import Unpacking
from tests.mcp_server.pages import BOMB


def _raw(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "identity": bytes,
    "gzip": gzip.compress,
    " X-GZIP ": gzip.compress,
    "deflate": zlib.compress,
}


@pytest.mark.parametrize("encoding", [*PACKED, "raw"])
@given(data=st.binary(max_size=2000), size=st.integers(1, 50))
def test_what_was_packed_comes_out(encoding: str, data: bytes, size: int) -> None:
    """In pieces of any size; `deflate` with and without zlib's frame."""
    packed = _raw(data) if encoding == "raw" else PACKED[encoding](data)
    unpacking = Unpacking("deflate" if encoding == "raw" else encoding)
    pieces = [packed[start : start + size] for start in range(0, len(packed), size)]
    assert b"".join(unpacking.unpack(piece, 5000) for piece in pieces) == data


@pytest.mark.parametrize("encoding", PACKED)
def test_never_more_than_there_is_room_for(encoding: str) -> None:
    """Also of one piece that would become a thousand times as much."""
    packed = PACKED[encoding](b"a" * 100_000)
    assert Unpacking(encoding).unpack(packed, 10) == b"a" * 10
    assert Unpacking(encoding).unpack(packed, 0) == b""


def test_a_bomb_is_not_unpacked() -> None:
    """200 MB in 200 kB: so much comes out as there is room for, and no more is made."""
    assert len(Unpacking("gzip").unpack(BOMB, 1000)) == 1000


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "nonsense" * 20])
def test_other_encodings_are_refused(encoding: str) -> None:
    """They were not asked for."""
    with pytest.raises(ToolFault, match="compressed in a way that is not read here"):
        Unpacking(encoding)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_what_is_not_packed_is_a_fault(encoding: str) -> None:
    """A header that lies."""
    unpacking = Unpacking(encoding)
    with pytest.raises(ToolFault, match="cannot be unpacked"):
        unpacking.unpack(b"<html>not packed</html>" * 10, 1000)
