"""What leaves for the client: models renamed, ids made opaque, operator's names scrubbed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from litellm_homelab.encoded_ids import names_in
from litellm_homelab.showroom.outward import (
    ENVELOPES,
    ID_KEYS,
    LISTS,
    MODEL_KEYS,
    PLACEHOLDER,
    Scrubber,
    address_words,
    model_words,
    restamped,
)
from tests.test_encoded_ids import encrypted_item, file, response

LOOKED_AT = MODEL_KEYS | ID_KEYS | ENVELOPES | LISTS
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted(LOOKED_AT)) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
BODY = st.dictionaries(st.sampled_from(sorted(LOOKED_AT)) | st.text(max_size=8), JSON, max_size=6)


@pytest.mark.parametrize(
    ("body", "after"),
    [
        pytest.param({"model": "up", "choices": []}, {"model": "main", "choices": []}, id="chat"),
        pytest.param({"modelVersion": "up"}, {"modelVersion": "main"}, id="gemini"),
        pytest.param(
            {"type": "message_start", "message": {"id": "msg_1", "model": "up"}},
            {"type": "message_start", "message": {"id": "msg_1", "model": "main"}},
            id="anthropic event",
        ),
        pytest.param(
            {"type": "response.created", "response": {"model": "up", "output": []}},
            {"type": "response.created", "response": {"model": "main", "output": []}},
            id="responses event",
        ),
        pytest.param(
            {"output": [{"id": "msg_1", "content": "model: up"}, "text"]},
            {"output": [{"id": "msg_1", "content": "model: up"}, "text"]},
            id="items without anything to hide",
        ),
        pytest.param(
            {"data": [{"id": "up", "model": "up"}]}, {"data": [{"id": "up", "model": "up"}]}, id="a listing"
        ),
        pytest.param(
            {"choices": [{"message": {"model": "said by the model"}}], "usage": {"model": "x"}},
            {"choices": [{"message": {"model": "said by the model"}}], "usage": {"model": "x"}},
            id="what the model said",
        ),
        pytest.param({"model": None}, {"model": None}, id="no model"),
        pytest.param({"model": ""}, {"model": ""}, id="an empty model"),
        pytest.param({"model": {"nested": "up"}}, {"model": {"nested": "up"}}, id="a model that is no text"),
        pytest.param({"id": file("main")}, {"id": file("main")}, id="a file id that names the handle only"),
        pytest.param({}, {}, id="nothing"),
    ],
)
def test_each_format_names_the_handle(body: dict[str, Any], after: dict[str, Any]) -> None:
    """The model is renamed where a format has it, and nowhere else."""
    assert restamped(body, "main") == after


@pytest.mark.parametrize("key", sorted(ID_KEYS))
def test_an_id_that_carries_a_deployment_becomes_opaque(key: str) -> None:
    """Wherever an id stands that a client sees, it carries nothing; the same id stays the same."""
    body = restamped(
        {key: response("id-of-a-deployment"), "output": [{"id": encrypted_item("id-1")}]}, "main"
    )
    assert names_in(body[key]) == names_in(body["output"][0]["id"]) == ()
    assert body[key].startswith("resp_")
    assert body == restamped({key: response("id-of-a-deployment"), "output": body["output"]}, "main")


@given(body=BODY, handle=st.text(min_size=1, max_size=8) | st.none())
def test_other_values_are_left_alone(body: dict[str, Any], handle: str | None) -> None:
    """Keys without a meaning keep their values, no key comes or goes, the input is not touched."""
    before = repr(body)
    after = restamped(body, handle)
    assert list(after) == list(body)
    assert {k: v for k, v in after.items() if k not in LOOKED_AT} == {
        k: v for k, v in body.items() if k not in LOOKED_AT
    }
    assert repr(body) == before


@given(body=BODY, handle=st.text(min_size=1, max_size=8) | st.none())
def test_twice_is_once(body: dict[str, Any], handle: str | None) -> None:
    """Restamping what is restamped changes nothing."""
    once = restamped(body, handle)
    assert restamped(once, handle) == once


@given(body=BODY)
def test_afterwards_only_the_handle_is_named(body: dict[str, Any]) -> None:
    """At every place that a format has for the model stands the handle, or nothing."""
    after = restamped(body, "main")
    for place in (after, *(after[key] for key in ENVELOPES if isinstance(after.get(key), dict))):
        assert {place.get(key) for key in MODEL_KEYS if isinstance(place.get(key), str)} <= {"main", ""}


# --- scrubbing -----------------------------------------------------------------------------------------

WORD = st.from_regex(r"[a-z][a-z0-9]{0,5}([._-][a-z0-9]{1,4}){0,2}", fullmatch=True)
NAME = st.lists(WORD, min_size=1, max_size=3).map("/".join)
AROUND = st.sampled_from([" ", "'", '"', "`", "(", ") ", ", ", ": ", "=", "\n", ". ", "[", "]", "{", "/ "])


@given(data=st.data(), secrets=st.sets(NAME, min_size=1, max_size=5), public=st.sets(NAME, max_size=5))
def test_no_secret_stays_and_every_public_name_does(
    data: st.DataObject, secrets: set[str], public: set[str]
) -> None:
    """However secrets and handles are mixed and whatever stands between them, only handles are left."""
    secrets -= public
    assume(secrets and PLACEHOLDER not in secrets | public)
    scrub = Scrubber.of(secrets, (), public)
    words = data.draw(st.lists(st.sampled_from(sorted(secrets | public)), min_size=1, max_size=8))
    gaps = [data.draw(AROUND) for _ in words]
    text = "".join(gap + word for gap, word in zip(gaps, words, strict=True))
    expected = "".join(
        gap + (word if word in public else PLACEHOLDER) for gap, word in zip(gaps, words, strict=True)
    )
    assert scrub(text) == expected
    assert scrub(expected) == expected


ADDRESS = "http://10.0.0.7:8080/v1"
SECRETS = {*model_words("openai/org/real-7b"), "rung", "4f0c"}


@pytest.mark.parametrize(
    ("text", "after"),
    [
        pytest.param("no model openai/org/real-7b here", "no model upstream here", id="with its provider"),
        pytest.param("model `real-7b` not found", "model `upstream` not found", id="the last part"),
        pytest.param("/srv/models/real-7b is gone", "/srv/models/upstream is gone", id="in a path"),
        pytest.param("real-7b.", "upstream.", id="at the end of a sentence"),
        pytest.param("real-7b-instruct", "real-7b-instruct", id="part of another name"),
        pytest.param("my-real-7b", "my-real-7b", id="end of another name"),
        pytest.param("wrung rung", "wrung upstream", id="part of a word"),
        pytest.param(f"POST {ADDRESS}/chat", "POST upstream/chat", id="an address"),
        pytest.param("connect to 10.0.0.7:8080 failed", "connect to upstream failed", id="host and port"),
        pytest.param("host='10.0.0.7', port=8080", "host='upstream', port=8080", id="the host alone"),
        pytest.param("10.0.0.71 and 110.0.0.7", "10.0.0.71 and 110.0.0.7", id="other hosts"),
        pytest.param("groq/real-7b, main", "groq/real-7b, main", id="handles, one around a secret"),
        pytest.param("x-groq/real-7b", "x-groq/upstream", id="no handle"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_texts_of_upstreams(text: str, after: str) -> None:
    """What error texts look like, before and after."""
    scrub = Scrubber.of(SECRETS, address_words(ADDRESS + "/"), {"main", "groq/real-7b"})
    assert scrub(text) == after


def test_without_secrets_every_text_stays() -> None:
    """A router with nothing but handles has nothing to hide, an empty name is none."""
    assert Scrubber.of(["", "main"], [], ["main"])("main and else") == "main and else"


@given(address=st.text(max_size=30), model=st.text(max_size=30), text=st.text(max_size=60))
def test_no_configuration_makes_scrubbing_break(address: str, model: str, text: str) -> None:
    """An operator may write anything as an address or a model."""
    assert isinstance(Scrubber.of(model_words(model), address_words(address), ())(text), str)
