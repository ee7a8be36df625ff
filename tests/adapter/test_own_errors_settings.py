"""Errors of LiteLLM's own under other settings of the router: each test has a router of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from litellm_homelab.testing import MockProxy
from tests.adapter.failing import CONTENTS, ROUTER, resting
from tests.adapter.litellm_api.test_own_errors import CHAT, UNSUPPORTED


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """LiteLLM writes a traceback for each failure, which takes longer than the failure."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def written(folder: Path, router: dict[str, Any], strict: dict[str, Any]) -> Path:
    """The router.yaml with other settings of the router and of the strict deployment."""
    document = yaml.safe_load(ROUTER.read_text(encoding="utf-8"))
    document["router_settings"] |= router
    entry = next(one for one in document["model_list"] if one["model_name"] == "strict")
    entry["model_info"] |= strict
    path = folder / "router.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def broken(**_: object) -> None:
    """A bug in the code of LiteLLM that prepares a request."""
    raise TypeError("'int' object is not iterable")


@pytest.mark.parametrize(
    ("fault", "word"),
    [pytest.param(False, "logit_bias", id="rejected"), pytest.param(True, "could not prepare", id="broken")],
)
async def test_retries_end_with_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: bool, word: str
) -> None:
    """Whatever the retry policy says; the text of the first attempt is what the client reads."""
    policy = {"BadRequestErrorRetries": 2, "InternalServerErrorRetries": 2}
    config = written(tmp_path, {"num_retries": 2, "retry_policy": policy, "retry_after": 0}, {})
    async with MockProxy(config) as proxy:
        if fault:
            monkeypatch.setattr("litellm.main.get_optional_params", broken)
        answer = await proxy.post(CHAT, {**UNSUPPORTED, "model": "main"} if fault else UNSUPPORTED)
    assert answer.sent_to == []
    assert (answer.status, word in answer.text) == (400, True), answer.text


@pytest.mark.parametrize(
    ("router", "expected"),
    [
        pytest.param({}, (400, []), id="fallbacks"),
        pytest.param(
            {"context_window_fallbacks": [{"strict": ["rung"]}]},
            (200, ["rung"]),
            id="fallbacks for long prompts",
        ),
    ],
)
async def test_a_prompt_that_is_too_long_goes_on_where_the_operator_says_so(
    tmp_path: Path, router: dict[str, Any], expected: tuple[int, list[str]]
) -> None:
    """`context_window_fallbacks` is for that; `fallbacks` is for servers that fail."""
    config = written(tmp_path, {"enable_pre_call_checks": True, **router}, {"max_input_tokens": 20})
    async with MockProxy(config) as proxy:
        answer = await proxy.chat("strict", "word " * 200)
        assert (answer.status, answer.sent_to) == expected, answer.text
        assert (await proxy.chat("strict", "hello")).sent_to == ["strict"]


async def test_a_resting_group_still_goes_on(tmp_path: Path) -> None:
    """The router's 429 for a group that rests is raised before anything is sent, and is no client's error."""
    config = written(tmp_path, {"allowed_fails": 0}, {})
    async with MockProxy(config) as proxy:
        proxy.upstream("main").fails("500")
        await proxy.chat("main")
        assert resting() == ["main"]
        answer = await proxy.post("/v1beta/models/main:generateContent", {"contents": CONTENTS})
        assert (answer.status, answer.sent_to) == (200, ["rung"])
