"""The lists against the installed LiteLLM: every name that it takes from a request has been reviewed."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any, get_type_hints

import litellm
import pytest
from litellm.types.images.main import ImageEditOptionalRequestParams, ImageEditRequestParams
from litellm.types.llms.openai import ResponsesAPIOptionalRequestParams
from litellm.types.videos.main import VideoCreateOptionalRequestParams

from litellm_homelab import TESTED_LITELLM
from litellm_homelab.adapter.litellm_api import parameters as litellm_params
from litellm_homelab.fields.lists import reviewed
from litellm_homelab.fields.rule import Fields, Verdict

LISTS = reviewed()
ROUTES_OF = {
    "chat": "acompletion",
    "completions": "atext_completion",
    "embeddings": "aembedding",
    "responses": "aresponses",
    "messages": "anthropic_messages",
    "generate": "agenerate_content",
    "image_generation": "aimage_generation",
    "image_edit": "aimage_edit",
    "speech": "aspeech",
    "transcription": "atranscription",
    "moderation": "amoderation",
    "rerank": "arerank",
    "ocr": "aocr",
    "search": "asearch",
    "files": "acreate_file",
    "batches": "acreate_batch",
    "videos": "avideo_generation",
    "containers": "acreate_container",
}
"""The function that LiteLLM calls for each API, which the walk must have found."""
OPTIONAL: tuple[Any, ...] = (
    ResponsesAPIOptionalRequestParams,
    ImageEditOptionalRequestParams,
    ImageEditRequestParams,
    VideoCreateOptionalRequestParams,
)
"""LiteLLM's own lists of what it passes on."""


def unknown(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters that are on no list, with the functions that take them."""
    return {name: functions for name, functions in parameters.items() if not LISTS.knows(name)}


def test_every_parameter_of_the_installed_litellm_is_on_a_list() -> None:
    """A new LiteLLM with a new parameter fails here, until somebody has said what becomes of it."""
    assert unknown(dict(litellm_params.parameters())) == {}, (
        "review these: fields/litellm.toml, documented.toml"
    )


@pytest.mark.parametrize("params", OPTIONAL, ids=lambda params: params.__name__)
def test_every_optional_parameter_is_on_a_list(params: type) -> None:
    """What LiteLLM passes on for a route has been reviewed, too."""
    assert unknown(dict.fromkeys(get_type_hints(params))) == {}


def test_the_walk_finds_the_function_of_every_route() -> None:
    """A walk that finds nothing would find nothing new either."""
    functions = litellm_params.entry_functions()
    missing = [name for name in ROUTES_OF.values() if f"litellm.{name}" not in functions]
    assert missing == []
    assert {"Router.acompletion", "Router.aembedding", "litellm.interactions.acreate"} <= functions.keys()
    assert len(functions) > 150


def _planted(source: Callable[..., Any]) -> Callable[..., Any]:
    """A copy of a function with one parameter more, as a new LiteLLM might have it."""

    def copy(model: str, messages: object, steer_to: str | None = None, **kwargs: object) -> None: ...

    copy.__name__ = source.__name__
    copy.__module__ = source.__module__
    return copy


@pytest.mark.parametrize("function", ["acompletion", "aresponses", "anthropic_messages", "aembedding"])
def test_a_planted_parameter_is_found(monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    """A parameter that a patched LiteLLM takes and no list has makes the check above fail."""
    monkeypatch.setattr(litellm, function, _planted(getattr(litellm, function)))
    assert unknown(dict(litellm_params.parameters())) == {"steer_to": (f"litellm.{function}",)}


def test_a_planted_router_method_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A method that a new Router has is found by the walk, not by its name."""
    method = types.FunctionType(_planted(litellm.acompletion).__code__, globals(), "anew_call")
    method.__module__ = "litellm.router"
    monkeypatch.setattr(litellm.Router, "anew_call", method, raising=False)
    assert unknown(dict(litellm_params.parameters())) == {"steer_to": ("Router.anew_call",)}


def test_an_unreviewed_parameter_is_refused_at_run_time() -> None:
    """A LiteLLM newer than the lists opens nothing by itself; a name that nobody knows is dropped."""
    rule = Fields(litellms=frozenset({"steer_to"}))
    assert rule.field("chat", "steer_to")[0] is Verdict.REFUSE
    assert rule.field("chat", "nobody_knows_this")[0] is Verdict.DROP


def test_the_lists_name_the_versions_they_were_checked_with() -> None:
    """Every tested LiteLLM is one that the lists were compared with."""
    assert set(TESTED_LITELLM) <= set(LISTS.versions)
