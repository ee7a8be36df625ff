"""What an Ollama receives as `keep_alive`, over stock LiteLLM."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from litellm_homelab.testing import MockProxy
from tests.adapter.lane import TEXT, document, group, proxy_on

OLLAMA = "http://127.0.0.1:11434"
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": TEXT},
    "/v1/messages": {"messages": TEXT, "max_tokens": 9},
    "/v1/responses": {"input": "hello"},
    "/v1/completions": {"prompt": "hello"},
}
DONE = {"model": "m", "created_at": "2026-11-26T18:00:00Z", "done": True, "done_reason": "stop"}
CHAT = {**DONE, "message": {"role": "assistant", "content": "Hello."}}
GENERATE = {**DONE, "response": "Hello."}
EMBEDDED = {"model": "m", "embeddings": [[0.1, 0.2]], "prompt_eval_count": 1}


def config() -> dict[str, Any]:
    """Handles on an Ollama, by both providers; one without the setting; one elsewhere that falls back."""
    bare: dict[str, Any] = {"api_base": OLLAMA, "use_chat_completions_api": None}
    models = [
        group("fast", "ollama_chat/fast", **bare),
        group("deep", "ollama/deep", **bare),
        group("plain", "ollama_chat/plain", **bare),
        group("embed", "ollama/embed", **bare),
        group("main"),
        group("pair", "ollama_chat/pair", 0, **bare),
    ]
    models[3]["model_info"]["mode"] = "embedding"
    found = document(models, {}, internal=("pair",), fallbacks={"main": ["pair"]})
    found["homelab"]["keep_alive"] = {"fast": -1, "deep": "0", "embed": "1h", "pair": "30m"}
    found["homelab"]["fields"] = {"keep_alive": "pass"}
    return found


def answers(proxy: MockProxy, name: str, *, stream: bool) -> None:
    """The stand-in of a group answers like Ollama."""
    one = {"deep": GENERATE, "embed": EMBEDDED}.get(name, CHAT)
    kind = {"content-type": "application/x-ndjson"} if stream else None
    proxy.upstream(name).says(json.dumps(one).encode() + b"\n", headers=kind)


def received(proxy: MockProxy, name: str) -> dict[str, Any]:
    """The last body that a stand-in got; LiteLLM also asks Ollama about a model (`/api/show`)."""
    bodies: list[dict[str, Any]] = [one.json for one in proxy.upstream(name).requests]
    return [one for one in bodies if "model" in one][-1]


@pytest.mark.parametrize("clients", [{}, {"keep_alive": "9h"}], ids=["", "the client sends one"])
async def test_each_handle_has_its_own(tmp_path: Path, clients: dict[str, str]) -> None:
    """On every route, streamed or not; a client's own never takes its place."""
    async with proxy_on(tmp_path, config()) as proxy:
        for name, expected in (("fast", -1), ("deep", 0)):
            for path, body in BODIES.items():
                for stream in (False, True):
                    answers(proxy, name, stream=stream)
                    answer = await proxy.post(path, {"model": name, "stream": stream, **body, **clients})
                    assert answer.status == 200, (path, stream, answer.text)
                    sent = received(proxy, name)
                    assert (sent["model"], sent["keep_alive"]) == (name, expected), (path, stream)
                    assert "keep_alive" not in sent["options"]


async def test_embeddings_too(tmp_path: Path) -> None:
    """LiteLLM shows their bodies to no hook."""
    async with proxy_on(tmp_path, config()) as proxy:
        answers(proxy, "embed", stream=False)
        asked = {"model": "embed", "input": "hello", "keep_alive": "9h"}
        assert (await proxy.post("/v1/embeddings", asked)).status == 200
        assert received(proxy, "embed")["keep_alive"] == "1h"


async def test_a_handle_without_it_says_nothing(tmp_path: Path) -> None:
    """Ollama's own time holds, or what a client sends where the operator lets the field pass."""
    async with proxy_on(tmp_path, config()) as proxy:
        answers(proxy, "plain", stream=False)
        await proxy.chat("plain")
        assert "keep_alive" not in received(proxy, "plain")
        await proxy.chat("plain", keep_alive="9h")
        assert received(proxy, "plain")["keep_alive"] == "9h"


async def test_a_rung_has_its_own(tmp_path: Path) -> None:
    """The setting is that of the group that is asked: no other server of the chain gets it."""
    async with proxy_on(tmp_path, config()) as proxy:
        proxy.upstream("main").fails(500)
        answers(proxy, "pair", stream=False)
        assert (await proxy.chat("main")).status == 200
        assert "keep_alive" not in received(proxy, "main")
        assert received(proxy, "pair")["keep_alive"] == "30m"
