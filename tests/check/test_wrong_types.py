"""Settings of a kind that LiteLLM does not expect: `check` and `init` say what is wrong, and never break."""

from __future__ import annotations

import contextlib
import copy
import json
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_homelab.adopt import drafts
from litellm_homelab.check import names as check_names
from litellm_homelab.check.names import known_litellm
from litellm_homelab.check.run import CheckRequest, check_file

NAMES: Final[dict[str, Any]] = json.loads(
    (Path(check_names.__file__).parent / "litellm.json").read_text(encoding="utf-8")
)
ODD: Final[list[Any]] = [
    *(None, True, 5, -1.5, "", "word", [], [5], [["x"]], [{}], [{"a": 1}], [{"a": {"b": 1}}, "x"]),
    *({}, {"a": 1}, {1: "x", "a": 2}, {"a": [1]}),
]
KNOWN: Final = known_litellm({}, "1.108.7")
SECTIONS: Final = ("litellm_settings", "router_settings", "general_settings")
GOOD: Final[dict[str, Any]] = {
    "homelab": {"showroom": {"handles": ["main"]}},
    "model_list": [
        {
            "model_name": "main",
            "litellm_params": {
                "model": "openai/m",
                "api_base": "http://127.0.0.1:8000/v1",
                "api_key": "none",
            },
            "model_info": {},
        },
        {"model_name": "main", "litellm_params": {"model": "openai/m", "api_key": "none"}},
    ],
    "litellm_settings": {"callbacks": ["litellm_homelab.plugin"]},
    "router_settings": {},
    "general_settings": {"custom_auth": "litellm_homelab.gate"},
}


def place(document: dict[str, Any], section: str) -> dict[str, Any]:
    """Where settings of a section are."""
    if section in {"litellm_params", "model_info"}:
        found: dict[str, Any] = document["model_list"][0][section]
        return found
    return document if section == "sections" else document[section]


def goes_through(folder: Path, document: dict[str, Any]) -> None:
    """Neither command raises anything but the ValueError that `init` prints."""
    path = folder / "router.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    check_file(CheckRequest(path), {})
    without = {name: value for name, value in document.items() if name != "homelab"}
    path.write_text(yaml.safe_dump(without), encoding="utf-8")
    with contextlib.suppress(ValueError):
        drafts.adopt(path, drafts.Wishes((), ()), {}, KNOWN)


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("section", [*SECTIONS, "litellm_params", "model_info", "sections"])
def test_every_setting_of_a_section_at_a_time(tmp_path: Path, section: str, odd: object) -> None:
    """All of them with the same value."""
    document = copy.deepcopy(GOOD)
    given = {name: odd for name in NAMES[section] if name not in {"model", "model_list", "homelab", "*"}}
    place(document, section).update(given)
    goes_through(tmp_path, document)


@given(
    section=st.sampled_from([*SECTIONS, "litellm_params", "model_info", "sections"]),
    data=st.data(),
)
@settings(max_examples=150)
def test_a_few_settings(tmp_path_factory: pytest.TempPathFactory, section: str, data: st.DataObject) -> None:
    """So that what one of them stops does not hide another."""
    known = sorted({*NAMES[section]} - {"homelab"})
    chosen = data.draw(st.dictionaries(st.sampled_from(known), st.sampled_from(ODD), max_size=5))
    document = copy.deepcopy(GOOD)
    place(document, section).update(chosen)
    goes_through(tmp_path_factory.mktemp("odd"), document)


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize(
    "entry", ["fallbacks", "context_window_fallbacks", "optional_pre_call_checks", "model_group_alias"]
)
def test_lists_of_odd_things(tmp_path: Path, entry: str, odd: object) -> None:
    """A list or a mapping of the right kind with the wrong things in it."""
    document = copy.deepcopy(GOOD)
    document["router_settings"][entry] = (
        {"main": odd} if entry == "model_group_alias" else [odd, {"main": odd}]
    )
    document["credential_list"] = [{"credential_name": odd}]
    document["litellm_settings"]["custom_provider_map"] = [{"provider": odd}]
    document["general_settings"]["pass_through_endpoints"] = [odd, {"path": odd}]
    goes_through(tmp_path, document)
