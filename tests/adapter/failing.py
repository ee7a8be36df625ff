"""Questions on every kind of route, for tests of what happens when an upstream fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from litellm.proxy import proxy_server

from litellm_homelab.adapter.litellm_api import router_members
from litellm_homelab.testing import Answer, MockProxy

ROUTER = Path(__file__).parents[1] / "routers" / "failures.yaml"
TEXT = [{"role": "user", "content": "hello"}]
CONTENTS = [{"role": "user", "parts": [{"text": "hello"}]}]
JSON: dict[str, tuple[str, str, dict[str, Any]]] = {
    "chat": ("main", "/v1/chat/completions", {"messages": TEXT}),
    "chat, streamed": ("main", "/v1/chat/completions", {"messages": TEXT, "stream": True}),
    "completions": ("main", "/v1/completions", {"prompt": "hello"}),
    "responses": ("main", "/v1/responses", {"input": "hello"}),
    "responses, streamed": ("main", "/v1/responses", {"input": "hello", "stream": True}),
    "messages": ("main", "/v1/messages", {"messages": TEXT, "max_tokens": 5}),
    "messages, streamed": ("main", "/v1/messages", {"messages": TEXT, "max_tokens": 5, "stream": True}),
    "generate": ("main", "/v1beta/models/main:generateContent", {"contents": CONTENTS}),
    "generate, streamed": ("main", "/v1beta/models/main:streamGenerateContent", {"contents": CONTENTS}),
    "another provider": ("strict", "/v1/chat/completions", {"messages": TEXT}),
    "embeddings": ("embed", "/v1/embeddings", {"input": "hello"}),
    "images": ("draw", "/v1/images/generations", {"prompt": "hello"}),
    "speech": ("speak", "/v1/audio/speech", {"input": "hello", "voice": "x"}),
    "rerank": ("sort", "/v1/rerank", {"query": "hello", "documents": ["x"]}),
    "moderations": ("look", "/v1/moderations", {"input": "hello"}),
}
ROUTES = (*JSON, "transcriptions")
"""Every kind of route: (handle, path, body), and one that takes a form."""
CHAINED = tuple(route for route in ROUTES if route != "moderations")
"""LiteLLM 1.106.2 asks no fallback for moderations."""


def handle_of(route: str) -> str:
    """The group that a route's question goes to first."""
    return JSON[route][0] if route in JSON else "hear"


async def ask(proxy: MockProxy, route: str, **fields: object) -> Answer:
    """Ask the handle of a route."""
    if route not in JSON:
        form = {"model": "hear", **fields}
        return await proxy.request(
            "POST", "/v1/audio/transcriptions", data=form, files={"file": ("a.wav", b"RIFF0000")}
        )
    model, path, body = JSON[route]
    return await proxy.post(path, {"model": model, **body, **fields})


def resting() -> list[str]:
    """The groups of the deployments that LiteLLM's router lets rest."""
    router: Any = proxy_server.llm_router
    groups = {one["model_info"]["id"]: one["model_name"] for one in router_members.model_list(router)}
    return sorted(groups[deployment] for deployment in router_members.resting(router))


@contextmanager
def changed(folder: Path, **router_settings: object) -> Iterator[Path]:
    """The router.yaml with other `router_settings`."""
    document = yaml.safe_load(ROUTER.read_text(encoding="utf-8"))
    document["router_settings"] |= router_settings
    path = folder / "router.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    yield path
