"""The control port's pages."""

from __future__ import annotations

import pytest

from litellm_homelab.demo import DemoThread
from tests.demo.client import HTTP


def test_page(demo: DemoThread) -> None:
    """The first page lists every backend with its address and how to switch a fault."""
    text = HTTP.get(demo.url("control")).text
    assert all(demo.url(name) in text for name in ("mlx", "vllm", "ollama", "cloud", "optillm", "searxng"))
    assert f"curl -X PUT {demo.url('control')}/backends/mlx/fault" in text


def test_requests(demo: DemoThread) -> None:
    """What a backend received is shown with method, path, query, headers and body, until it is forgotten."""
    headers = {"authorization": "Bearer secret", "x-hop": "1"}
    HTTP.post(f"{demo.api_base('mlx')}/chat/completions?a=b", json={"model": "m"}, headers=headers)
    HTTP.get(f"{demo.url('vllm')}/health")
    control = demo.url("control")
    (shown,) = HTTP.get(f"{control}/requests", params={"backend": "mlx"}).json()
    assert (shown["method"], shown["path"], shown["query"]) == ("POST", "/v1/chat/completions", "a=b")
    assert (shown["headers"]["authorization"], shown["headers"]["x-hop"]) == ("Bearer secret", "1")
    assert (shown["body"], shown["disconnected"]) == ({"model": "m"}, False)
    assert len(HTTP.get(f"{control}/requests").json()) == 2
    assert HTTP.delete(f"{control}/requests").status_code == 204
    assert HTTP.get(f"{control}/requests").json() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("PUT", "/backends/mlxx/fault", id="switch"),
        pytest.param("DELETE", "/backends/mlxx/fault", id="switch-off"),
        pytest.param("GET", "/requests?backend=mlxx", id="requests"),
    ],
)
def test_unknown_backend(demo: DemoThread, method: str, path: str) -> None:
    """A backend that does not exist is a 404 that lists the known ones."""
    content = '{"fault": "429"}' if method == "PUT" else None
    answer = HTTP.request(method, demo.url("control") + path, content=content)
    assert answer.status_code == 404
    assert "no demo backend 'mlxx' (known: mlx, vllm" in answer.json()["error"]
