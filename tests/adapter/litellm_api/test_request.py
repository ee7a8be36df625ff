"""Requests as the rules see them, from LiteLLM's dicts."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from litellm_homelab.adapter.litellm_api import request
from litellm_homelab.adapter.litellm_api.request import (
    HEALTH_CHECK_TAG,
    ID_FIELDS,
    asked,
    deployment_id,
    is_health_check,
    read,
)
from tests.formats.test_encoded_ids import container, file, managed_file, response, video


def data(url: str = "http://127.0.0.1:4000/v1/files", body: object = None, **fields: Any) -> dict[str, Any]:
    """LiteLLM's dict in pre-call; `headers` go to the server request."""
    headers = fields.pop("headers", {})
    server = {"url": url, "method": "POST", "headers": headers, "body": body if body is not None else {}}
    return {"proxy_server_request": server, **fields}


def percent(text: str) -> str:
    """A path's text with every character escaped, which LiteLLM reads the same."""
    return "".join(f"%{byte:02X}" for byte in text.encode())


FILES = "http://127.0.0.1:4000/v1/files"


@pytest.mark.parametrize(
    ("given_data", "others"),
    [
        pytest.param(data(model="main"), (), id="a model and nothing else"),
        pytest.param(data(file_id=file("back")), ("back",), id="a file"),
        pytest.param(data(f"{FILES}/{file('back')}/content"), ("back",), id="a file in the path"),
        pytest.param(data(f"{FILES}/{percent(file('back'))}"), ("back",), id="a file in the path, escaped"),
        pytest.param(data(input_file_id=file("back"), model="main"), ("back",), id="a batch of a file"),
        pytest.param(data(previous_response_id=response("id-1"), model="main"), ("id-1",), id="a response"),
        pytest.param(data(video_id=video("id-1")), ("id-1",), id="a video"),
        pytest.param(data(container_id=container("id-1")), ("id-1",), id="a container"),
        pytest.param(data(file_id=managed_file("main,back")), ("main", "back"), id="a managed file"),
        pytest.param(data(f"{FILES}?model=main&model=back"), ("main", "back"), id="the query, twice"),
        pytest.param(data(f"{FILES}?model=ma%69n"), ("main",), id="the query, escaped"),
        pytest.param(data(headers={"X-LiteLLM-Model": "back"}), ("back",), id="the header"),
        pytest.param(data(target_model_names="main, back,,"), ("main", "back"), id="targets as text"),
        pytest.param(data(target_model_names=["main", "back,deep"]), ("main", "back", "deep"), id="targets"),
        pytest.param(
            data(
                f"{FILES}/{file('main')}?model=deep",
                headers={"x-litellm-model": "main"},
                file_id=file("main"),
            ),
            ("main", "deep"),
            id="each name once",
        ),
        pytest.param(
            data(f"{FILES}?model=back", headers={"x-litellm-model": "back"}, model="main"),
            (),
            id="a query that LiteLLM has turned into the model already",
        ),
        pytest.param(data(file_id="file-abc123"), (), id="an ordinary file"),
        pytest.param({"file_id": file("back")}, ("back",), id="without a server"),
    ],
)
def test_every_other_way_of_naming_a_model_is_seen(
    given_data: dict[str, Any], others: tuple[str, ...]
) -> None:
    """Ids, path, query and headers, in the order in which LiteLLM would look."""
    assert read(given_data, "afile_content").others == others


@pytest.mark.parametrize("field", ID_FIELDS)
def test_each_field_that_may_carry_an_id_is_looked_at(field: str) -> None:
    """A name in any of them is judged."""
    assert read({field: file("back")}, "afile_content").others == ("back",)


def test_what_was_asked_for() -> None:
    """The model as LiteLLM will route it, not as the body has it."""
    seen = read(data(model="main", body={"model": "other"}), "acompletion")
    assert (seen.call_type, seen.model, seen.others) == ("acompletion", "main", ())


def test_deployment_ids_become_groups() -> None:
    """What is no deployment id stays a name, and is judged as one."""
    seen = read(data(previous_response_id=response("id-1"), file_id=file("main")), "aresponses")
    assert asked(seen, {"id-1": "back"}.get) == ("main", "back")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.binary(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = (
    "model",
    "proxy_server_request",
    "target_model_names",
    "stream",
    "metadata",
    "litellm_metadata",
    *ID_FIELDS,
)
SERVER = st.dictionaries(st.sampled_from(["url", "headers", "body", "method"]), ANYTHING)
DATA = st.dictionaries(st.sampled_from([*KEYS, "model_info"]), ANYTHING | SERVER)


@given(given_data=DATA, call_type=st.text(max_size=12))
def test_no_request_makes_reading_break(given_data: dict[str, Any], call_type: str) -> None:
    """A client writes most of this dict; reading it neither raises nor changes it."""
    before = repr(given_data)
    seen = read(given_data, call_type)
    assert all(isinstance(name, str) for name in seen.others)
    assert is_health_check(given_data) in (True, False)
    assert isinstance(deployment_id(given_data), str | None)
    assert repr(given_data) == before


@example("", "[")
@given(url=st.text(max_size=60), host=st.text(max_size=20))
def test_no_address_makes_reading_break(url: str, host: str) -> None:
    """Whatever a server lets through as a path and a query, and a client as a Host header."""
    assert isinstance(read(data(f"http://{host}/{url}"), "afile_list").others, tuple)


@given(path=st.binary(max_size=40))
def test_an_id_between_any_other_parts_of_a_path_is_seen(path: bytes) -> None:
    """The id is one part of the path, whatever stands beside it."""
    other = base64.urlsafe_b64encode(path).decode()
    assert "back" in read(data(f"{FILES}/{other}/{file('back')}/{other}"), "afile_content").others


def test_metadata_is_litellms_own() -> None:
    """With a `litellm_metadata` the other one is the client's; a missing one is made."""
    both: dict[str, Any] = {"metadata": {"a": 1}, "litellm_metadata": {"b": 2}}
    assert request.metadata_of(both) is both["litellm_metadata"]
    one: dict[str, Any] = {"metadata": {"a": 1}, "litellm_metadata": None}
    assert request.metadata_of(one) is one["metadata"]
    none: dict[str, Any] = {"metadata": "forged"}
    request.metadata_of(none)["x"] = 1
    assert none["metadata"] == {"x": 1}


@pytest.mark.parametrize(
    ("kwargs", "found"),
    [
        ({"model_info": {"id": "4f0c"}}, "4f0c"),
        ({"model_info": {"id": 7}}, None), ({"model_info": 7}, None),
        ({"model_info": ["id"]}, None), ({}, None), ({"metadata": {"model_info": {"id": "forged"}}}, None),
        ({"litellm_params": {"model_info": {"id": "forged"}}}, None),
    ],
    ids=repr,
)  # fmt: skip
def test_the_chosen_deployment_stands_in_one_place(kwargs: dict[str, Any], found: str | None) -> None:
    """Metadata can be written by clients, top-level `model_info` cannot."""
    assert deployment_id(kwargs) == found


TAGGED = {"tags": [HEALTH_CHECK_TAG]}


@pytest.mark.parametrize(
    ("kwargs", "own"),
    [
        pytest.param({"litellm_metadata": TAGGED}, True, id="tagged"),
        pytest.param({"metadata": TAGGED}, True, id="tagged in metadata"),
        pytest.param({"metadata": TAGGED, "proxy_server_request": {}}, False, id="a client's, with the tag"),
        pytest.param({"metadata": {"tags": HEALTH_CHECK_TAG}}, False, id="text"),
        pytest.param({"metadata": {"tags": []}}, False, id="other"),
        pytest.param({}, False, id="nothing"),
    ],
)
def test_a_health_check_is_litellms_own(kwargs: dict[str, Any], own: bool) -> None:
    """A client's request always has its server request, so it cannot pass for one."""
    assert is_health_check(kwargs) is own
