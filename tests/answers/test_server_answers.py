"""Answers in the shape of four servers: what says where they come from is gone, the rest is there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.answers import leaving
from tests.answers.hostile import Hostile

BASE: dict[str, Any] = {
    "id": "chatcmpl-zq",
    "object": "chat.completion",
    "created": 1,
    "model": "zqorg/zqmodel",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "The sky is blue."}}
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
}
MORE: dict[str, dict[str, Any]] = {
    "vLLM": {"system_fingerprint": "vllm-zq-tp1", "kv_transfer_params": {"zq": "zq"}, "service_tier": "zq"},
    "Ollama": {"system_fingerprint": "fp_ollama_zq"},
    "OpenRouter": {"provider": "zqprovider", "system_fingerprint": "zq", "native_finish_reason": "zq"},
    "Groq": {
        "system_fingerprint": "fp_zq",
        "service_tier": "zq",
        "x_groq": {"id": "req_zq"},
        "usage_breakdown": {"zq": "zq"},
    },
}
"""What each adds to OpenAI's fields; written from their documented fields, with `zq` for what identifies."""


@pytest.mark.parametrize("server", MORE)
def test_a_servers_own_fields_do_not_leave(server: str) -> None:
    """The model's words and the usage arrive; nothing that holds `zq` does."""
    body = json.dumps({**BASE, **MORE[server]}).encode()
    answer = Hostile("/v1/chat/completions", 200, {"content-type": "application/json"}, body, False, [])
    status, output = leaving.left(answer)
    assert status == 200
    assert "The sky is blue." in output
    assert '"total_tokens":7' in output.replace(" ", "")
    assert "zq" not in output
