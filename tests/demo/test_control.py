"""The control port's pages."""

from __future__ import annotations

import pytest

from litellm_homelab.adapter.backends import probing
from litellm_homelab.demo import DemoThread
from litellm_homelab.demo.faults import KINDS
from tests.demo.client import HTTP


def test_page(demo: DemoThread) -> None:
    """The first page lists every backend with its address and how to switch a fault."""
    text = HTTP.get(demo.url("control")).text
    assert all(demo.url(name) in text for name in ("mlx", "vllm", "ollama", "cloud", "optillm", "searxng"))
    assert f"curl -X PUT {demo.url('control')}/backends/mlx/fault" in text


BROWSER = {"accept": "text/html,application/xhtml+xml"}


def test_page_in_a_browser(demo: DemoThread) -> None:
    """Every backend with its state, every fault with what it does, and nothing that a browser would fetch."""
    demo.fault("mlx", "429", seconds=1.5, times=3)
    HTTP.get(f"{demo.url('vllm')}/health")
    answer = HTTP.get(demo.url("control"), headers=BROWSER)
    text = answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "<td>429, 1.5 seconds, 3 times</td>" in text
    for name in ("mlx", "vllm", "ollama", "cloud", "optillm", "searxng"):
        assert f"<td>{demo.url(name)}</td>" in text
        assert f'action="backends/{name}/fault"' in text
    assert all(f"<td>{kind}</td>" in text and f'value="{kind}"' in text for kind in KINDS)
    assert not any(word in text for word in ("<script", "<link", "<img", "src="))


def test_forms_of_the_page(demo: DemoThread) -> None:
    """They switch and wake as PUT, DELETE and POST do, and lead back to the page."""
    control = demo.url("control")
    switch = f"{control}/backends/vllm/fault"
    answer = HTTP.post(switch, data={"fault": "429", "seconds": "2", "times": "3"}, headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (303, "../../")
    shown = HTTP.get(f"{control}/backends").json()["vllm"]["fault"]
    assert shown == {"fault": "429", "seconds": 2.0, "times": 3}
    assert HTTP.post(switch, data={"fault": "", "seconds": "", "times": ""}).status_code == 303
    assert HTTP.get(f"{control}/backends").json()["vllm"]["fault"] is None
    assert HTTP.post(f"{control}/backends/vllm/wake", headers=BROWSER).status_code == 303
    for wrong in ({"fault": "slow", "seconds": "x"}, {"fault": "slow", "seconds": "nan"}, {"fault": "no"}):
        assert HTTP.post(switch, data=wrong).status_code == 400


@pytest.mark.parametrize("path", ["fault", "wake"])
def test_another_sites_form_is_refused(demo: DemoThread, path: str) -> None:
    """A page somewhere could otherwise switch the demo of whoever reads it; its own page may."""
    address = f"{demo.url('control')}/backends/vllm/{path}"
    for origin, status in (("https://example.com", 403), ("null", 403), (demo.url("control"), (200, 303))):
        answer = HTTP.post(address, headers={"origin": origin})
        assert answer.status_code in (status if isinstance(status, tuple) else (status,))


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


def test_probes_are_shown_where_asked_for(demo: DemoThread) -> None:
    """A gateway asks every 15 s; what it was sent by clients would be hard to find among that."""
    HTTP.get(f"{demo.api_base('mlx')}/models", headers={"user-agent": probing.AGENT})
    HTTP.get(f"{demo.api_base('mlx')}/models")
    shown = [HTTP.get(f"{demo.url('control')}/requests{query}").json() for query in ("", "?probes=true")]
    assert [len(one) for one in shown] == [1, 2]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("PUT", "/backends/mlxx/fault", id="switch"),
        pytest.param("DELETE", "/backends/mlxx/fault", id="switch-off"),
        pytest.param("POST", "/backends/mlxx/fault", id="form"),
        pytest.param("POST", "/backends/mlxx/wake", id="wake"),
        pytest.param("GET", "/requests?backend=mlxx", id="requests"),
    ],
)
def test_unknown_backend(demo: DemoThread, method: str, path: str) -> None:
    """A backend that does not exist is a 404 that lists the known ones."""
    content = '{"fault": "429"}' if method == "PUT" else None
    answer = HTTP.request(method, demo.url("control") + path, content=content)
    assert answer.status_code == 404
    assert "no demo backend 'mlxx' (known: mlx, vllm" in answer.json()["error"]
