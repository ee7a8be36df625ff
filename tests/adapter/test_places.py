"""Where a request's names are found: repeated JSON keys, forms as they pass."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.adapter.middleware import model_names
from litellm_homelab.adapter.middleware.forms import FormReader


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('{"model": "a"}', ("a",)),
        ("{}", ()),
        ('{"model": "a", "model": "b"}', ("a", "b")),
        ('{"model": "a", "mod\\u0065l": "b"}', ("a", "b")),
        ('{"\\u006dodel": "a", "\\u006d\\u006F\\u0064\\u0065\\u006C": "b"}', ("a", "b")),
        ('{"model": "a", "tools": [{"model": "b"}], "extra_body": {"model": "c"}}', ("a",)),
        ('{"messages": [{"content": "\\"model\\": \\"b\\""}], "model": "a"}', ("a",)),
        ('{"a": "model", "b": "model", "model": "c"}', ("c",)),
        ('{"a": {"model": 1, "model": 2}}', ()),
        ('{"model": null, "model": ["x"]}', (None, ["x"])),
    ],
)
def test_every_value_of_the_key_model_is_found(body: str, found: tuple[object, ...]) -> None:
    """At the top of the object only, however the key is written."""
    assert model_names.in_json(body.encode(), orjson.loads(body)) == found


@given(
    st.lists(st.tuples(st.sampled_from(["model", "Model", "m", "messages"]), st.text() | st.none())),
    st.sampled_from([(", ", ": "), (",", ":")]),
)
def test_as_many_values_as_keys(pairs: list[tuple[str, str | None]], separators: tuple[str, str]) -> None:
    """What is found is what Python's own reader sees of the key, in order, however compact the body is."""
    comma, colon = separators
    body = "{" + comma.join(f"{json.dumps(name)}{colon}{json.dumps(value)}" for name, value in pairs) + "}"
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:  # a lone surrogate, which LiteLLM mends
        return
    assert model_names.in_json(body.encode(), document) == tuple(
        value for name, value in pairs if name == "model"
    )


BOUNDARY = "x-the-boundary"
FORM = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="model"\r\n\r\nmain\r\n'
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
    f'Content-Type: audio/wav\r\n\r\nRIFF name="model"\r\n\r\nother\r\n'
    f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="model[]"\r\n\r\nback\r\n'
    f"--{BOUNDARY}--\r\n"
).encode()


@pytest.mark.parametrize("size", [1, 7, 64, 4096])
def test_a_multipart_forms_fields_are_read_as_they_pass(size: int) -> None:
    """Whatever the chunks; files are no fields, and what they hold is none."""
    fields = FormReader(f"multipart/form-data; boundary={BOUNDARY}")
    for start in range(0, len(FORM), size):
        fields.feed(FORM[start : start + size])
    fields.end()
    assert fields.found == [("model", "main"), ("model[]", "back")]


def test_an_urlencoded_forms_fields_are_read() -> None:
    """Repeated ones too."""
    fields = FormReader("application/x-www-form-urlencoded")
    fields.feed(b"model=main&mod")
    fields.feed(b"el=back&prompt=a%20cat")
    fields.end()
    assert fields.found == [("model", "main"), ("model", "back"), ("prompt", "a cat")]


@pytest.mark.parametrize("kind", ["", "multipart/form-data", "multipart/mixed; boundary=x", "audio/wav", ";"])
def test_other_bodies_have_no_fields(kind: str) -> None:
    """No boundary, no form."""
    fields = FormReader(kind)
    fields.feed(FORM)
    fields.end()
    assert fields.found == []


@given(st.binary(max_size=200))
def test_a_broken_form_is_nobodys_exception(body: bytes) -> None:
    """LiteLLM answers it with a 400; here it is read as far as it goes."""
    fields = FormReader(f"multipart/form-data; boundary={BOUNDARY}")
    fields.feed(body)
    fields.end()
