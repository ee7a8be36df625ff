"""Values of documented fields that name an address, a store, a tool server or another model."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.fields import addresses
from litellm_homelab.fields.values import problem

METADATA_SERVICE = "http://169.254.169.254/latest/meta-data/"
PUBLIC = "https://example.com/cat.png"


def content(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    """One user message with some parts."""
    return [{"role": "user", "content": list(parts)}]


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1\0.example.org/a.png",
        "http://example\0.org/",
        *(METADATA_SERVICE, "http://127.0.0.1:4000/v1/models", "http://localhost/x", "http://[::1]/"),
        *("http://10.0.0.1/", "https://192.168.1.20/cam.jpg", "http://172.16.0.9/", "http://100.64.0.1/"),
        *("http://0x7f.1/", "http://2130706433/", "http://0177.0.0.1/", "http://[::ffff:127.0.0.1]/"),
        *(
            "http://0.0.0.0/",
            "http://nas/x",
            "http://nas.local/x",
            "http://x.localhost",
            "http://router.lan/",
        ),
        *(
            "http://metadata.google.internal/",
            "HTTP://LOCALHOST/",
            " http://127.0.0.1/",
            "http://localhost./",
        ),
        *(
            "http://user@127.0.0.1/",
            "http://[fd00::1]/",
            "http://[fe80::1%25eth0]/",
            "http:///x",
            "http://[/",
        ),
        *(
            "file:///etc/passwd",
            "FILE:///etc/passwd",
            "ftp://example.com/x",
            "gs://bucket/x",
            "s3://bucket/x",
        ),
        *("//127.0.0.1/x", "http://example.com\\@127.0.0.1/", "gopher://example.com/", "http://224.0.0.1/"),
    ],
)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    """In any spelling that resolvers read; the operator's buckets are not public either."""
    assert addresses.problem(address) is not None


@pytest.mark.parametrize(
    "address",
    [
        *(PUBLIC, "http://93.184.216.34/x", "https://[2606:2800:220:1::1]/", "HTTPS://EXAMPLE.COM/x"),
        *("data:image/png;base64,iVBORw0KGgo=", "file-abc123", "files/abc", "iVBORw0KGgo=", ""),
        *("https://generativelanguage.googleapis.com/v1beta/files/abc", "https://user:pass@example.com/x"),
    ],
)
def test_public_addresses_data_and_ids_pass(address: str) -> None:
    """Remote images are ordinary for clients of vision models."""
    assert addresses.problem(address) is None


@given(st.text())
def test_any_text_is_an_answer(text: str) -> None:
    """No text makes the check raise."""
    for check in (addresses.problem, addresses.of_a_tool_server):
        found = check(text)
        assert found is None or found


@pytest.mark.parametrize(
    ("name", "make"),
    [
        pytest.param(
            "messages", lambda url: content({"type": "image_url", "image_url": {"url": url}}), id="chat"
        ),
        pytest.param("messages", lambda url: content({"type": "image_url", "image_url": url}), id="as text"),
        pytest.param(
            "messages", lambda url: content({"type": "video_url", "video_url": {"url": url}}), id="video"
        ),
        pytest.param(
            "messages", lambda url: content({"type": "file", "file": {"file_id": url}}), id="file id"
        ),
        pytest.param(
            "messages", lambda url: content({"type": "file", "file": {"file_data": url}}), id="file data"
        ),
        pytest.param("messages", lambda url: {"content": {"image_url": url}}, id="no list"),
        pytest.param(
            "messages",
            lambda url: content({"type": "image", "source": {"type": "url", "url": url}}),
            id="Anthropic",
        ),
        pytest.param(
            "messages",
            lambda url: content(
                {
                    "type": "tool_result",
                    "content": [{"type": "document", "source": {"type": "url", "url": url}}],
                }
            ),
            id="inside a tool's result",
        ),
        pytest.param("input", lambda url: content({"type": "input_image", "image_url": url}), id="responses"),
        pytest.param("input", lambda url: content({"type": "input_file", "file_url": url}), id="input_file"),
        pytest.param(
            "input",
            lambda url: [
                {"type": "function_call_output", "output": [{"type": "input_image", "image_url": url}]}
            ],
            id="an output",
        ),
        pytest.param("contents", lambda url: [{"parts": [{"fileData": {"fileUri": url}}]}], id="Gemini"),
        pytest.param("contents", lambda url: {"parts": [{"file_data": {"file_uri": url}}]}, id="snake case"),
        pytest.param("document", lambda url: {"type": "document_url", "document_url": url}, id="OCR"),
        pytest.param("image", lambda url: url, id="image edit"),
        pytest.param("input_reference", lambda url: {"image_url": url}, id="video"),
        pytest.param(
            "input_references",
            lambda url: [{"type": "image_url", "image_url": {"url": url}}],
            id="videos after several images",
        ),
        pytest.param(
            "frame_images",
            lambda url: [{"type": "image_url", "image_url": {"url": url}, "frame_type": "first_frame"}],
            id="a video's first frame",
        ),
    ],
)
def test_addresses_in_content(name: str, make: Any) -> None:
    """Wherever an API puts them; where the gateway or the server would fetch from this network is refused."""
    assert problem(name, make(PUBLIC)) is None
    for address in (METADATA_SERVICE, "file:///etc/passwd", "http://localhost:11434/api/tags"):
        assert problem(name, make(address)) is not None


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param(content({"type": "text", "text": METADATA_SERVICE}), id="text"),
        pytest.param([{"role": "user", "content": METADATA_SERVICE}], id="plain text"),
        pytest.param(
            [
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "input": {"url": "http://localhost:3000"}}],
                }
            ],
            id="an argument of a tool",
        ),
        pytest.param(
            [
                {
                    "role": "assistant",
                    "tool_calls": [{"function": {"arguments": '{"url": "http://localhost"}'}}],
                }
            ],
            id="arguments as text",
        ),
        pytest.param("hello", id="no messages"),
        pytest.param([1, None, "x", ["y"]], id="odd items"),
    ],
)
def test_text_and_arguments_pass(messages: Any) -> None:
    """A coding client talks of addresses all the time."""
    assert problem("messages", messages) is None


@pytest.mark.parametrize(
    ("tool", "place"),
    [
        pytest.param({"type": "mcp", "server_url": "litellm_proxy"}, "[0].server_url", id="own server"),
        pytest.param(
            {"type": "mcp", "server_url": "litellm_proxy/mcp/a"}, "[0].server_url", id="by its name"
        ),
        pytest.param(
            {"type": "mcp", "server_url": "https://x.example/mcp/a"}, "[0].server_url", id="by its path"
        ),
        pytest.param({"type": "mcp", "server_url": "http://127.0.0.1/"}, "[0].server_url", id="local"),
        pytest.param({"type": "mcp", "server_url": 5}, "[0].server_url", id="no text"),
        pytest.param(
            {"type": "mcp", "function": {}, "server_url": "litellm_proxy"}, "[0].server_url", id="in disguise"
        ),
        pytest.param({"type": "mcp_server", "url": "http://nas/"}, "[0].url", id="interactions"),
        pytest.param({"type": "file_search", "vector_store_ids": ["v"]}, "[0].vector_store_ids", id="store"),
        pytest.param(
            {"type": "function", "vector_store_ids": ["v"]}, "[0].vector_store_ids", id="store, disguised"
        ),
        pytest.param({"type": "advisor_20260301", "model": "back"}, "[0].model", id="advisor"),
        pytest.param({"type": "advisor_20260301", "api_base": "x"}, "[0].api_base", id="advisor elsewhere"),
        pytest.param({"type": "image_generation", "model": "x"}, "[0].model", id="image model"),
        pytest.param(
            {"fileSearch": {"fileSearchStoreNames": ["x"]}},
            "[0].fileSearch.fileSearchStoreNames",
            id="Gemini's store",
        ),
        pytest.param({"retrieval": {"vertexRagStore": {}}}, "[0].retrieval", id="Vertex"),
        pytest.param(
            {"type": "namespace", "tools": [{"type": "mcp", "server_url": "litellm_proxy"}]},
            "[0].server_url",
            id="namespace",
        ),
    ],
)
def test_tools_that_reach_elsewhere(tool: dict[str, Any], place: str) -> None:
    """Another model, a store, or a tool server that the gateway itself would contact."""
    found = problem("tools", [tool])
    assert found is not None
    assert found.place == place


@pytest.mark.parametrize(
    "tool",
    [
        {
            "type": "function",
            "function": {"name": "f", "parameters": {"properties": {"model": {}, "url": {}}}},
        },
        {"name": "f", "input_schema": {"properties": {"vector_store_ids": {}}}},
        {"type": "custom", "name": "f"},
        {"functionDeclarations": [{"name": "f"}]},
        {"type": "web_search", "filters": {"allowed_domains": ["example.com"]}},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 5},
        {"type": "code_interpreter", "container": {"type": "auto"}},
        {"type": "mcp", "server_label": "x", "server_url": "https://mcp.example.com/sse"},
        {"googleSearch": {}},
        {"type": "computer_use_preview", "display_width": 1},
    ],
)
def test_ordinary_tools_pass(tool: dict[str, Any]) -> None:
    """Functions of the client's own, with parameters of any name, and what a provider runs itself."""
    assert problem("tools", [tool]) is None


@pytest.mark.parametrize(
    ("name", "value", "bad"),
    [
        pytest.param("moderation", {"model": "x"}, True, id="moderation by a model"),
        pytest.param("moderation", "low", False, id="moderation of images"),
        pytest.param("guardrails", ["pii"], False, id="guardrails"),
        pytest.param("guardrails", [{"pii": {"extra_body": {}}}], True, id="guardrails with parameters"),
        pytest.param("container", {"skills": [{"skill_id": "litellm_skill_1"}]}, True, id="LiteLLM's skill"),
        pytest.param("container", {"skills": [{"skill_id": "pptx", "type": "anthropic"}]}, False, id="skill"),
        pytest.param("config", {"httpOptions": {"baseUrl": "x"}}, True, id="Google's address"),
        pytest.param(
            "config", {"tools": [{"retrieval": {"vertexRagStore": {}}}]}, True, id="tools in config"
        ),
        pytest.param("config", {"temperature": 1}, False, id="config"),
        pytest.param(
            "mcp_servers", [{"type": "url", "url": "https://mcp.example.com/sse"}], False, id="public"
        ),
        pytest.param("mcp_servers", [{"type": "url", "url": "http://127.0.0.1/"}], True, id="local"),
        pytest.param("file", "/etc/passwd", True, id="a path"),
        pytest.param("file", "../../etc/passwd", True, id="a relative path"),
        pytest.param("file", "A" * 5000, False, id="base64"),
        pytest.param("image", ["data:image/png;base64,AA=="], False, id="images"),
        pytest.param("file", object(), False, id="an upload"),
    ],
)
def test_other_values(name: str, value: object, bad: bool) -> None:
    """Each as its field's documentation has it."""
    assert (problem(name, value) is not None) is bad


def test_parts_are_followed_to_a_depth() -> None:
    """And no further: a request that nests more is refused."""
    part: dict[str, Any] = {"type": "text"}
    for _ in range(200):
        part = {"content": [part]}
    assert problem("messages", [part]) is not None
