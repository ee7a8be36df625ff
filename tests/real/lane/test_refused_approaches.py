"""Approaches that a handle does not allow never reach a real OptiLLM."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_homelab.optillm.catalogue import CATALOGUE
from tests.real.asking import ask
from tests.real.lane.conftest import ROUTER
from tests.real.lane.rig import Rig, read

pytestmark = pytest.mark.real

LISTED = read(ROUTER)["homelab"]["optillm"]["boost"]["approaches"]
WHOLE_OR_STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
MALFORMED = (
    *(
        "nope",
        "MOA",
        " moa",
        "moa ",
        "auto",
        "",
        "none-x",
        "moa-dear",
        "none&re2",
        "re2|",
        "&",
        "re2&moa|bon",
    ),
    *("re2,moa", "re2\nmoa", "moa" * 2000, None, 3, ["moa"], {"moa": 1}),
)


@pytest.mark.parametrize("place", ["body", "extra_body"])
@pytest.mark.parametrize("approach", [*sorted(CATALOGUE.keys() - set(LISTED)), *MALFORMED], ids=repr)
def test_a_refused_approach_never_reaches_optillm(current: Rig, approach: object, place: str) -> None:
    """What a handle does not list, or OptiLLM would bend into something else, is a 400 and nothing more."""
    named: dict[str, Any] = {"optillm_approach": approach}
    answer = current.chat("boost", **(named if place == "body" else {"extra_body": named}))

    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["param"]) == (
        400,
        "approach_not_allowed",
        "optillm_approach",
    )
    assert current.optillm_calls == []
    assert current.backend_calls() == []


@WHOLE_OR_STREAMED
@pytest.mark.parametrize("route", ["completions", "responses", "messages", "generate"])
def test_a_refused_approach_is_refused_on_every_route(current: Rig, route: str, stream: bool) -> None:
    """No other route leads round the rule."""
    answer = ask(current, route, "boost", stream=stream, optillm_approach="executecode")

    assert answer.status_code == 400
    assert "executecode is not allowed here" in answer.text
    assert current.optillm_calls == []


def test_two_approaches_at_once_are_refused(current: Rig) -> None:
    """Two places that differ are refused, though both are allowed: OptiLLM's order is not the client's."""
    answer = current.chat("boost", optillm_approach="re2", extra_body={"optillm_approach": "moa"})

    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "approach_not_allowed")
    assert current.optillm_calls == []


def test_a_dear_combination_is_refused_before_any_call(current: Rig) -> None:
    """An estimate above `max_calls` is a 422, and OptiLLM is not asked."""
    answer = current.chat("boost", optillm_approach="|".join(["re2"] * 40))

    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "fanout_exceeded")
    assert current.optillm_calls == []


def test_a_prefix_is_no_name_where_it_is_not_allowed(current: Rig) -> None:
    """`moa-boost` exists only with `prefixes: true`."""
    answer = current.chat("moa-boost")

    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "model_not_found")
    assert current.optillm_calls == []
