"""What the filter makes of a stream's beginning and end, of packed bodies, and of guardrails' errors."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from starlette.types import Message

from litellm_homelab.access.table import Route
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.middleware.answer_filter import AnswerFilter
from litellm_homelab.adapter.outcome import Level
from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.formats import sse

SSE = {"content-type": "text/event-stream"}
JSON = {"content-type": "application/json"}


OVERLOADED = "overloaded_error"


def scrub(text: str) -> str:
    """These tests' secret is SECRET."""
    return text.replace("SECRET", "upstream")


async def left(
    *chunks: bytes,
    path: str = "/v1/chat/completions",
    status: int = 200,
    headers: dict[str, str],
    record: RequestContext | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """What leaves: status, headers, body."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    record = record or RequestContext()
    record.route, record.asked = Route("POST", path), "main"
    leaving = AnswerFilter(record, send, scrub, lambda _: None)
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await leaving({"type": "http.response.start", "status": status, "headers": raw})
    for chunk in chunks:
        await leaving({"type": "http.response.body", "body": chunk, "more_body": True})
    await leaving({"type": "http.response.body", "body": b""})
    head = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], head, b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize(
    ("path", "event", "before", "status"),
    [
        ("/v1/chat/completions", {"error": {"message": "SECRET", "code": 429}}, 200, 429),
        ("/v1/chat/completions", {"error": {"message": "SECRET", "type": "x", "code": None}}, 503, 503),
        ("/v1/messages", {"type": "error", "error": {"type": OVERLOADED, "message": "SECRET"}}, 200, 529),
        ("/v1/responses", {"type": "error", "code": "server_error", "message": "SECRET"}, 200, 500),
    ],
)  # fmt: skip
async def test_an_error_before_anything_else_is_a_json_error(
    path: str, event: dict[str, Any], before: int, status: int
) -> None:
    """The SDKs find its status, code and text."""
    stream = b"data: " + json.dumps(event).encode() + b"\n\ndata: [DONE]\n\n"
    got, head, body = await left(stream, path=path, status=before, headers=SSE)
    assert (got, head["content-type"], head["content-length"]) == (status, "application/json", str(len(body)))
    assert json.loads(body)["error"]["message"] == "upstream"


async def test_an_error_after_something_stays_an_event() -> None:
    """What has begun goes on as a stream."""
    first = b'data: {"model":"SECRET","choices":[{"delta":{"content":"hi"}}]}\n\n'
    status, _, body = await left(first, b'data: {"error":{"message":"SECRET"}}\n\n', headers=SSE)
    assert status == 200
    assert body == first.replace(b"SECRET", b"main") + b'data: {"error":{"message":"upstream"}}\n\n'


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
async def test_an_event_without_end_ends_the_stream_with_an_error(path: str) -> None:
    """The rest is not read; the client is told."""
    huge = b'data: {"x":"' + b"y" * (sse.LONGEST_FRAME + 1)
    status, _, body = await left(b'data: {"type":"ping"}\n\n', huge, b"zzz", path=path, headers=SSE)
    assert status == 200
    assert b"too long" in body
    assert b"yyy" not in body
    assert b"zzz" not in body


async def test_a_packed_answer_is_unpacked_rewritten_and_packed() -> None:
    """LiteLLM packs inside of this filter."""
    packed = gzip.compress(json.dumps({"model": "SECRET", "system_fingerprint": "SECRET"}).encode())
    _, head, body = await left(packed, headers={**JSON, "content-encoding": "gzip"})
    assert json.loads(gzip.decompress(body)) == {"model": "main"}
    assert head["content-length"] == str(len(body))


async def test_a_guardrails_mapping_stays_one() -> None:
    """Its texts are cleaned, its fields stay."""
    record = RequestContext(guardrail=True)
    said = {
        "error": {"message": "blocked", "provider_specific_fields": {"policy": {"why": "SECRET", "score": 1}}}
    }
    _, _, body = await left(json.dumps(said).encode(), status=400, headers=JSON, record=record)
    inner = {"policy": {"why": "upstream", "score": 1}}
    assert json.loads(body) == {"error": {"message": "blocked", "provider_specific_fields": inner}}


async def test_a_refusal_of_ours_stays_as_it_is() -> None:
    """Word for word, whatever names are in it."""
    record = RequestContext()
    refusal = Refuse(RefusalType.MODEL_NOT_FOUND, "The model 'SECRET' does not exist")
    record.outcome.refuse("showroom", refusal, Level.ATTEMPT)
    said = {"error": {"message": "The model 'SECRET' does not exist", "type": "model_not_found"}}
    _, _, body = await left(json.dumps(said).encode(), status=404, headers=JSON, record=record)
    assert json.loads(body) == said


async def test_an_answer_that_cannot_be_read_is_not_passed_on() -> None:
    """It could say anything."""
    status, _, body = await left(b'{"model": "SECRET"', headers=JSON)
    assert status == 502
    assert b"could not be read" in body


CHAT = {"id": "chatcmpl-7", "object": "chat.completion", "created": 1, "model": "main"}
MESSAGE = {"role": "assistant", "content": "hi"}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
RECORDED: dict[str, dict[str, Any]] = {
    "vLLM": {
        "service_tier": None, "system_fingerprint": "vllm-0.11-H100", "prompt_logprobs": None,
        "kv_transfer_params": None,
        "choices": [{"index": 0, "message": {**MESSAGE, "reasoning_content": None}, "stop_reason": None}],
    },
    "Ollama": {"system_fingerprint": "fp_ollama", "choices": [{"index": 0, "message": MESSAGE}]},
    "OpenRouter": {
        "provider": "SomeCloud", "system_fingerprint": None,
        "choices": [{"index": 0, "native_finish_reason": "stop", "message": {**MESSAGE, "reasoning": None}}],
        "usage": {**USAGE, "cost": 0.1, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.1}},
    },
    "Groq": {
        "x_groq": {"id": "req_7"}, "service_tier": "on_demand", "usage_breakdown": None,
        "choices": [{"index": 0, "message": MESSAGE, "logprobs": None, "finish_reason": "stop"}],
        "usage": {**USAGE, "queue_time": 0.1, "prompt_time": 0.1, "completion_time": 0.1, "total_time": 0.3},
    },
    "LM Studio": {"stats": {"tokens_per_second": 9}, "model_info": {"arch": "x"}, "runtime": {"name": "y"}},
    "llama.cpp": {"timings": {"prompt_n": 1}, "__verbose": {"generation_settings": {"model": "z"}}},
}  # fmt: skip


@pytest.mark.parametrize("server", RECORDED)
async def test_recorded_answers_keep_what_clients_read(server: str) -> None:
    """Shapes of real servers, written anew: the API's fields and the content stay, the rest goes."""
    said: dict[str, Any] = {**CHAT, "model": "SECRET", **RECORDED[server]}
    _, _, body = await left(json.dumps(said).encode(), headers=JSON)
    got = json.loads(body)
    assert set(got) - {"choices", "usage", "prompt_logprobs"} == set(CHAT)
    assert got["model"] == "main"
    for before, after in zip(said.get("choices", []), got.get("choices", []), strict=True):
        assert after == {key: value for key, value in before.items() if key != "native_finish_reason"}
    assert got.get("usage") == (USAGE if "usage" in said else None)
