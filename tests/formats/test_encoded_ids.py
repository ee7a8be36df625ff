"""Ids in which LiteLLM hides a model: held against LiteLLM's own encoders and decoders."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from litellm.proxy.openai_files_endpoints.common_utils import (
    decode_model_from_file_id,
    encode_file_id_with_model,
    get_model_id_from_unified_batch_id,
    get_models_from_unified_file_id,
    is_base64_encoded_unified_file_id,
)
from litellm.responses.utils import ResponsesAPIRequestUtils
from litellm.types.utils import SpecialEnums
from litellm.types.videos.utils import decode_video_id_with_provider, encode_video_id_with_provider

from litellm_homelab.formats.encoded_ids import names_in, opaque

NAMES = st.from_regex(r"[a-z0-9][A-Za-z0-9._/-]{0,40}", fullmatch=True).filter(lambda name: name != "None")


def unified(pattern: SpecialEnums, *parts: str) -> str:
    """A managed id as LiteLLM's enterprise hooks make it."""
    return base64.urlsafe_b64encode(pattern.value.format(*parts).encode()).decode().rstrip("=")


def file(name: str) -> str:
    """A file's id as `POST /v1/files` gives it."""
    return str(encode_file_id_with_model("file-abc123", name))


def batch(name: str) -> str:
    """A batch's id as `POST /v1/batches` gives it."""
    return str(encode_file_id_with_model("batch_abc123", name, "batch"))


def managed_file(name: str) -> str:
    """A managed file's id, for the models that it was uploaded to."""
    return unified(SpecialEnums.LITELLM_MANAGED_FILE_COMPLETE_STR, "text/plain", "c4843482", name, "", "")


def managed_batch(name: str) -> str:
    """A managed batch's id, with the deployment that runs it."""
    return unified(SpecialEnums.LITELLM_MANAGED_BATCH_COMPLETE_STR, name, "batch_abc123")


def response(name: str) -> str:
    """A response's id as `POST /v1/responses` gives it."""
    return str(ResponsesAPIRequestUtils._build_responses_api_response_id("openai", name, "resp_abc123"))


def container(name: str) -> str:
    """A container's id, as code interpreter calls name it."""
    return str(ResponsesAPIRequestUtils.build_container_id("openai", name, "cntr_abc123"))


def encrypted_item(name: str) -> str:
    """The id of an output item with encrypted content."""
    return str(ResponsesAPIRequestUtils._build_encrypted_item_id(name, "rs_abc123"))


def video(name: str) -> str:
    """A video's id as `POST /v1/videos` gives it."""
    return str(encode_video_id_with_provider("abc123", "openai", name))


ENCODERS = (file, batch, managed_file, managed_batch, response, container, encrypted_item, video)


@pytest.mark.parametrize("encode", ENCODERS, ids=lambda encode: encode.__name__)
@given(name=NAMES)
def test_a_name_that_litellm_hid_is_found(encode: Callable[[str], str], name: str) -> None:
    """Each of LiteLLM's encoders makes an id from which exactly the name comes back."""
    assert names_in(encode(name)) == (name,)


def test_each_model_of_a_managed_file_is_found() -> None:
    """A managed file names every model that it was uploaded for, and the deployment of its output."""
    encoded = unified(
        SpecialEnums.LITELLM_MANAGED_FILE_COMPLETE_STR, "text/plain", "c484", "main, deep", "file-x", "id-1"
    )
    assert names_in(encoded) == ("main", "deep", "id-1")


def ways(encoded: str) -> st.SearchStrategy[str]:
    """Other spellings of an id that LiteLLM's lenient base64 decoder may read the same."""
    junk = st.sampled_from([".", "!", " ", "%", "resp_", "cntr_", "=", "\u00e9", "~", "_", "-", "x" * 9000])
    cut = st.integers(0, len(encoded))
    return st.lists(st.tuples(cut, junk), max_size=3).map(lambda cuts: torn(encoded, cuts))


def torn(encoded: str, cuts: list[tuple[int, str]]) -> str:
    """The id with junk put in at the given places."""
    for at, junk in sorted(cuts, reverse=True):
        encoded = encoded[:at] + junk + encoded[at:]
    return encoded


def read_by_litellm(encoded: str) -> set[str]:
    """Everything that any decoder of the installed LiteLLM takes for a model or a deployment in an id."""
    unified_id = is_base64_encoded_unified_file_id(encoded)
    found = {
        decode_model_from_file_id(encoded),
        ResponsesAPIRequestUtils.decode_responses_api_response_id(encoded)["model_id"],
        ResponsesAPIRequestUtils.decode_container_id(encoded)["model_id"],
        (ResponsesAPIRequestUtils.decode_encrypted_item_id(encoded) or {}).get("model_id"),
        decode_video_id_with_provider(encoded)["model_id"],
        *(get_models_from_unified_file_id(unified_id) if unified_id else ()),
        get_model_id_from_unified_batch_id(unified_id) if unified_id else None,
    }
    return {name for name in found if name and name.strip()}


@given(st.data())
def test_however_an_id_is_written_what_litellm_reads_is_found(data: st.DataObject) -> None:
    """No spelling gives LiteLLM a model that the rule does not get to see."""
    encode = data.draw(st.sampled_from(ENCODERS))
    encoded = data.draw(ways(encode("back")))
    if "back" in read_by_litellm(encoded):
        assert "back" in names_in(encoded)


@pytest.mark.parametrize(
    ("encoded", "readers"),
    [
        pytest.param("file-" + "!" + file("back")[5:], decode_model_from_file_id, id="junk in front"),
        pytest.param(
            file("back")[:20] + "." * 9000 + file("back")[20:], decode_model_from_file_id, id="long"
        ),
        pytest.param(file("back")[5:], decode_model_from_file_id, id="no prefix"),
        pytest.param(
            response("back")[:20] + "resp_" + response("back")[20:],
            lambda text: ResponsesAPIRequestUtils.decode_responses_api_response_id(text)["model_id"],
            id="a prefix in the middle",
        ),
        pytest.param(
            "resp_" + base64.b64encode(b"anything;back;more").decode(),
            lambda text: ResponsesAPIRequestUtils.decode_responses_api_response_id(text)["model_id"],
            id="no mark",
        ),
    ],
)
def test_spellings_that_litellm_really_reads(encoded: str, readers: Callable[[str], object]) -> None:
    """These reached a decoder of LiteLLM 1.106.2, so the rule must see the name as well."""
    assert readers(encoded) == "back"
    assert "back" in names_in(encoded)


@pytest.mark.parametrize(
    "ordinary",
    [
        *("file-abc123", "batch_67f7bfc50b288190", "resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b"),
        *(
            "chatcmpl-7QyqpwdfhqwajicIEznoc6Q47XAyW",
            "msg_01XFDUDYJgAACzvnptvVoYEL",
            "main",
            "",
            "v1",
            "_",
            "-",
        ),
        *("video_", "cntr_", "=", "a" * 100_000, "caf\u00e9", "\ud800", "mlx-gpt-oss-120b-mxfp4-q4"),
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    ],
    ids=lambda text: text[:30].encode("ascii", "replace").decode() or "empty",
)
def test_an_ordinary_id_carries_nothing(ordinary: str) -> None:
    """Ids of OpenAI, Anthropic and plain words are no encoded ids."""
    assert names_in(ordinary) == ()


@given(st.one_of(st.text(), st.none(), st.integers(), st.binary(), st.lists(st.text()), st.floats()))
@example("\ud800;model,x")
def test_nothing_makes_it_break(value: object) -> None:
    """A client may write anything where an id is expected."""
    assert isinstance(names_in(value), tuple)


@given(data=st.binary(max_size=200))
def test_no_bytes_below_the_base64_make_it_break(data: bytes) -> None:
    """Base64 of anything at all is looked at and left."""
    assert isinstance(names_in("file-" + base64.b64encode(data).decode()), tuple)


@pytest.mark.parametrize("encode", ENCODERS, ids=lambda encode: encode.__name__)
def test_an_opaque_id_carries_nothing_and_stays_the_same(encode: Callable[[str], str]) -> None:
    """It keeps the kind of the id, hides the name, and is the same for every event of a stream."""
    encoded = encode("back")
    hidden = opaque(encoded)
    kind = encoded[: encoded.find("_") + 1 or encoded.find("-") + 1]
    assert names_in(hidden) == ()
    assert hidden.startswith(kind)
    assert hidden == opaque(encoded)
    assert hidden != opaque(encode("other"))
