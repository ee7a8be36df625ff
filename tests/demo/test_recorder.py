"""The recorder's bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from litellm_homelab.demo.recorder import Recorder


def _record(recorder: Recorder, content: bytes, backend: str = "mlx") -> None:
    recorder.record(backend, "POST", "/v1/x", "", Headers(), content)


@given(st.lists(st.integers(0, 40), max_size=60))
def test_bounded(sizes: list[int]) -> None:
    """Whatever arrives, at most so many requests and bytes are kept, and they are the newest ones."""
    recorder = Recorder(max_requests=10, max_bytes=100)
    for size in sizes:
        _record(recorder, b"x" * size)
    kept = recorder.requests()
    assert len(kept) <= 10
    assert sum(len(request.content) for request in kept) <= 100
    assert [request.number for request in kept] == list(range(len(sizes) - len(kept) + 1, len(sizes) + 1))


def test_numbers_go_on_after_clear() -> None:
    """Forgetting the requests does not give a number out twice."""
    recorder = Recorder()
    _record(recorder, b"")
    recorder.clear()
    _record(recorder, b"")
    assert [request.number for request in recorder.requests()] == [2]


def test_one_backend() -> None:
    """Requests can be asked for by backend."""
    recorder = Recorder()
    _record(recorder, b"", "mlx")
    _record(recorder, b"", "vllm")
    assert [request.backend for request in recorder.requests("vllm")] == ["vllm"]


def test_as_dict() -> None:
    """Duplicate headers are joined, and a body that is not JSON is null."""
    headers = Headers(raw=[(b"x-a", b"1"), (b"x-a", b"2")])
    shown = Recorder().record("mlx", "GET", "/", "a=b", headers, b"{").as_dict()
    assert shown == {
        "number": 1, "backend": "mlx", "method": "GET", "path": "/", "query": "a=b",
        "headers": {"x-a": "1, 2"}, "body": None, "disconnected": False,
    }  # fmt: skip
