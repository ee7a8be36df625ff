"""Which headers LiteLLM's source names, in every way in which it reads one."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_homelab.adapter.litellm_api import headers_read, unreviewed
from litellm_homelab.fields.lists import reviewed


@pytest.mark.parametrize(
    ("source", "name"),
    [
        pytest.param('request.headers.get("x-steer-to")', "x-steer-to", id="get"),
        pytest.param('headers.get(\n    "X-Steer-To",\n)', "x-steer-to", id="get-on-two-lines"),
        pytest.param("headers['steer-to']", "steer-to", id="item-without-x"),
        pytest.param('dict(request.headers).get("steer-to")', "steer-to", id="copied-first"),
        pytest.param('_safe_get_request_headers(request).get("x-steer-to")', "x-steer-to", id="helper"),
        pytest.param('if "steer-to" in request.headers:', "steer-to", id="in"),
        pytest.param('if "steer-to" not in headers:', "steer-to", id="not-in"),
        pytest.param("def f(steer_to: str | None = Header(None)):", "steer-to", id="fastapi"),
        pytest.param(
            'def f(a: str = Header(default=None, alias="Steer-To")):', "steer-to", id="fastapi-alias"
        ),
        pytest.param('STEER_HEADER: Final = "steer-to"', "steer-to", id="constant"),
        pytest.param('_HEADERS: Final = frozenset({"a-b",\n    "steer-to"})', "steer-to", id="collection"),
        pytest.param('name.startswith("x-steer-")', "x-steer-", id="prefix"),
        pytest.param('if k.lower() == "litellm-steer-to":', "litellm-steer-to", id="compared"),
    ],
)
def test_a_header_is_found(source: str, name: str) -> None:
    """However LiteLLM writes it."""
    assert name in set(headers_read.in_source(source.encode()))


def test_a_tree_is_searched_but_for_what_reads_no_request(tmp_path: Path) -> None:
    """Modules below any folder, not those of providers."""
    for folder, name in (("proxy/deep", "x-seen"), ("llms/any", "x-unseen")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "module.py").write_text(f'NAME = "{name}"')
    assert set(headers_read.in_folder(tmp_path)) == {"x-seen"}


def test_the_installed_litellm_is_searched() -> None:
    """A search that finds nothing would find nothing new either."""
    assert {
        "x-litellm-timeout",
        "x-litellm-model",
        "custom-llm-provider",
        "user-agent",
    } <= headers_read.names()
    assert len(headers_read.names()) > 300


@pytest.mark.parametrize(
    ("name", "is_closed"),
    [
        pytest.param("x-litellm-steer-to", True, id="litellms-own-put-together-at-run-time"),
        pytest.param("x-planted", True, id="named-by-the-source"),
        pytest.param("x-planted-kind-anything", True, id="begins-as-the-source-compares"),
        pytest.param("x-opened", False, id="homelab.fields-opens-it"),
        pytest.param("x-of-an-app", False, id="litellm-does-not-know-it"),
        pytest.param("cookie", False, id="http-itself"),
        pytest.param("authorization", False, id="reviewed"),
        pytest.param("x-litellm-timeout", False, id="reviewed-and-dropped-elsewhere"),
    ],
)
def test_what_nobody_has_reviewed_is_closed(
    monkeypatch: pytest.MonkeyPatch, name: str, is_closed: bool
) -> None:
    """A name that this LiteLLM's source has and no list; what LiteLLM does not know passes."""
    planted = headers_read.names() | {"x-planted", "x-planted-kind-", "x-opened", "cookie"}
    monkeypatch.setattr(headers_read, "names", lambda: planted)
    assert unreviewed.closed_headers({"x-opened": "pass", "x-planted": "drop"})(name) is is_closed


def test_a_header_is_on_one_list() -> None:
    """No header has two verdicts."""
    lists = reviewed()
    every = [*lists.headers_passed, *lists.headers_refused, *lists.headers_dropped, *lists.headers_known]
    assert len(every) == len(set(every))
