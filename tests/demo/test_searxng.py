"""The SearXNG stand-in, asked as LiteLLM's own provider asks."""

from __future__ import annotations

import pytest

from litellm_homelab.demo import DemoThread
from tests.demo.client import HTTP


def test_search(demo: DemoThread) -> None:
    """A JSON search has SearXNG's shape and calls itself a demo."""
    found = HTTP.get(f"{demo.url('searxng')}/search", params={"q": "two words", "format": "json"}).json()
    assert (found["query"], found["number_of_results"]) == ("two words", len(found["results"]))
    first = found["results"][0]
    assert first["title"].startswith("[demo searxng] Result 1 for two words")
    assert {"url", "content", "engine", "score"} <= set(first)


def test_next_page(demo: DemoThread) -> None:
    """The second page goes on where the first one ended."""
    params = {"q": "x", "format": "json", "pageno": "2"}
    found = HTTP.get(f"{demo.url('searxng')}/search", params=params).json()
    assert found["results"][0]["title"] == "[demo searxng] Result 6 for x"


@pytest.mark.parametrize(
    ("params", "status"),
    [
        pytest.param({"format": "json"}, 400, id="no-query"),
        pytest.param({"q": "x"}, 403, id="html"),
        pytest.param({"q": "x", "format": "json", "pageno": "0"}, 400, id="page-0"),
    ],
)
def test_refused(demo: DemoThread, params: dict[str, str], status: int) -> None:
    """A search without words, or in a format that is not enabled, is refused."""
    assert HTTP.get(f"{demo.url('searxng')}/search", params=params).status_code == status
