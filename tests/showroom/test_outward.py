"""The operator's names and addresses are taken out of texts; the names that clients use stay."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from litellm_homelab.showroom.outward import PLACEHOLDER, Scrubber, address_words, model_words

WORD = st.from_regex(r"[a-z][a-z0-9]{0,4}[0-9]([._-][a-z0-9]{1,4}){0,2}", fullmatch=True)
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
SECRETS = {*model_words("openai/org/real-7b"), "rung-1", "4f0c"}


@pytest.mark.parametrize(
    ("text", "after"),
    [
        pytest.param("no model openai/org/real-7b here", "no model upstream here", id="with its provider"),
        pytest.param("model `real-7b` not found", "model `upstream` not found", id="the last part"),
        pytest.param("/srv/models/real-7b is gone", "/srv/models/upstream is gone", id="in a path"),
        pytest.param("real-7b.", "upstream.", id="at the end of a sentence"),
        pytest.param("real-7b-instruct", "real-7b-instruct", id="part of another name"),
        pytest.param("my-real-7b", "my-real-7b", id="end of another name"),
        pytest.param("wrung rung-1", "wrung upstream", id="part of a word"),
        pytest.param(f"POST {ADDRESS}/chat", "POST upstream/chat", id="an address"),
        pytest.param("connect to 10.0.0.7:8080 failed", "connect to upstream failed", id="host and port"),
        pytest.param("host='10.0.0.7', port=8080", "host='upstream', port=8080", id="the host alone"),
        pytest.param("10.0.0.71 and 110.0.0.7", "10.0.0.71 and 110.0.0.7", id="other hosts"),
        pytest.param("groq/real-7b, main", "groq/real-7b, main", id="handles, one around a secret"),
        pytest.param("x-groq/real-7b", "x-groq/upstream", id="no handle"),
        pytest.param("no Real-7B here", "no upstream here", id="in another case"),
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


ORDINARY = Scrubber.of(["spare", "local", "model", "my-group"], ["http://box/v1"], ["main"])


@pytest.mark.parametrize(
    "text",
    [
        "Use a spare model, or a local one.",
        "error: local variable 'x' referenced before assignment",
        "the model is not loaded",
        "Missing required parameter: 'model'.",
        "model: the field is required",
        "spare-time locality",
        "model=main",
    ],
)
def test_an_ordinary_word_in_a_sentence_stays(text: str) -> None:
    """A group may be called like a word that texts are made of."""
    assert ORDINARY(text) == text


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("The model `spare` does not exist", "The model `upstream` does not exist"),
        ("Passed model=spare. cooldown_list", "Passed model=upstream. cooldown_list"),
        ("Group=main\nFallbacks=['spare', 'local']", "Group=main\nFallbacks=['upstream', 'upstream']"),
        ('{"model": "model"}', '{"model": "upstream"}'),
        ("model_group: spare", "model_group: upstream"),
        ("no deployments in group local", "no deployments in group upstream"),
        ("my-group", "upstream"),
    ],
)  # fmt: skip
def test_an_ordinary_word_is_taken_out_where_it_is_a_name(text: str, after: str) -> None:
    """Quoted, or after what LiteLLM and servers write before a name."""
    assert ORDINARY(text) == after
