"""Every way of naming a model that LiteLLM knows, as a table: what is asked, and what must come of it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import versions

ROUTER = Path(__file__).parent / "routers" / "naming.yaml"
GROUPS = ("main", "plain", "embed", "mlx-demo-7b-q4-base", "rung", "back", "back-embed")
HIDDEN = "mlx-demo-7b-q4-base"
ENVIRON = {
    "main": "MAIN_API_BASE",
    "plain": "PLAIN_API_BASE",
    "embed": "EMBED_API_BASE",
    HIDDEN: "HIDDEN_API_BASE",
    "rung": "RUNG_API_BASE",
    "back": "BACK_API_BASE",
    "back-embed": "BACK_EMBED_API_BASE",
}
"""Which variable of the test's router.yaml says where a group's upstream is."""

_TEXT = [{"role": "user", "content": "hello"}]
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": _TEXT},
    "/v1/completions": {"prompt": "hello"},
    "/v1/responses": {"input": "hello"},
    "/v1/messages": {"messages": _TEXT, "max_tokens": 20},
    "/v1/embeddings": {"input": "hello"},
}
GENERATE = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
NOT_FOUND = "model_not_found"
CLOSED = "route_not_allowed"
TWICE = "invalid_request_error"
MISSING = "invalid_request_error"
"""An empty name is no name: the answer says that `model` is missing."""
NOBODY = ("back", "back-embed", "rung", "nowhere", "alias-back", "alias-hidden")
"""Names that no client may use: two backroom groups, an internal one, none at all, two aliases."""
VARIANTS = (
    "openai/real-back",
    "real-back",
    "id-back",
    "id-main",
    "id-hidden",
    "openai/real-main",
    "real-main",
    "MAIN",
    "Main",
    " main",
    "main ",
    "main\n",
    "ma\u0131n",
    "main\u200b",
    "openai/main",
    "main,back",
    "back,main",
    "main,plain",
    "*",
    "",
    HIDDEN.upper(),
    HIDDEN + " ",
    "openai/" + HIDDEN,
    "m" * 5000,
)
"""Other ways to write a name; none of them is a handle."""


@dataclass(frozen=True, slots=True)
class Case:
    """One request, and what must come of it: the groups that were called, or the refusal's type."""

    id: str
    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    sent_to: tuple[str, ...] = ()
    refused: str | None = None

    @property
    def status(self) -> int:
        """The HTTP status that must come back."""
        return {
            None: 200,
            "model_not_found": 404,
            "param_not_allowed": 400,
            "invalid_request_error": 400,
            "route_not_allowed": 403,
        }[self.refused]


def cases() -> list[Case]:
    """The whole table."""
    named = [*_named_in_the_body(), *_named_elsewhere(), *_named_twice()]
    found = [*_served(), *named, *_steered(), *_encoded(), *_resources()]
    assert len({case.id for case in found}) == len(found), "case ids must be unique"
    return found


def _own(path: str) -> str:
    return "embed" if path == "/v1/embeddings" else "main"


def _served() -> Iterator[Case]:
    for path, body in BODIES.items():
        for stream in (False, True) if path != "/v1/embeddings" else (False,):
            name = _own(path)
            extra = {"stream": True} if stream else {}
            yield Case(
                f"handle {path} stream={stream}",
                "POST",
                path,
                {**body, **extra, "model": name},
                sent_to=(name,),
            )
        if path != "/v1/embeddings":
            yield Case(f"hidden {path}", "POST", path, {**body, "model": HIDDEN}, sent_to=(HIDDEN,))
    for verb in ("generateContent", "streamGenerateContent"):
        for name in ("main", HIDDEN):
            yield Case(f"{name} {verb}", "POST", f"/v1beta/models/{name}:{verb}", GENERATE, sent_to=(name,))
    for path in ("/v1/chat/completions", "/v1/messages"):
        yield Case(
            f"wrong mode {path}",
            "POST",
            path,
            {**BODIES[path], "model": "embed"},
            refused="param_not_allowed",
        )
    body = {**BODIES["/v1/embeddings"], "model": "main"}
    yield Case("wrong mode /v1/embeddings", "POST", "/v1/embeddings", body, refused="param_not_allowed")


def _named_in_the_body() -> Iterator[Case]:
    for path, body in BODIES.items():
        for name in (*NOBODY, *VARIANTS):
            refused = NOT_FOUND if name else MISSING
            yield Case(f"body {path} {_short(name)}", "POST", path, {**body, "model": name}, refused=refused)


def _named_elsewhere() -> Iterator[Case]:
    chat = BODIES["/v1/chat/completions"]
    for name in ("back", "rung", "nowhere", "id-back", "alias-back"):
        for form in ("/engines/{}/chat/completions", "/openai/deployments/{}/chat/completions"):
            path = form.format(name)
            yield Case(f"path {path}", "POST", path, {**chat, "model": "main"}, refused="model_not_found")
        for path, body in BODIES.items():
            yield Case(f"query alone {path} {name}", "POST", f"{path}?model={name}", body, refused=NOT_FOUND)
        for verb in ("generateContent", "streamGenerateContent"):
            path = f"/v1beta/models/{name}:{verb}"
            yield Case(f"{verb} {name}", "POST", path, GENERATE, refused="model_not_found")


def _named_twice() -> Iterator[Case]:
    """Two places that differ are a 400, whichever LiteLLM would take; equal names pass."""
    for path, body in BODIES.items():
        own = _own(path)
        for name in ("back", "rung", "nowhere", "id-back", "plain"):
            named, header = {**body, "model": own}, {"x-litellm-model": name}
            yield Case(f"query {path} {name}", "POST", f"{path}?model={name}", named, refused=TWICE)
            yield Case(f"header {path} {name}", "POST", path, named, header, refused=TWICE)
            extra = {**named, "extra_body": {"model": name}}
            yield Case(f"extra_body {path} {name}", "POST", path, extra, refused="param_not_allowed")
        both = f"{path}?model={own}&model=back"
        yield Case(f"query twice {path}", "POST", both, {**body, "model": own}, refused=TWICE)
        yield Case(
            f"equal {path}",
            "POST",
            f"{path}?model={own}",
            {**body, "model": own},
            {"x-litellm-model": own},
            sent_to=(own,),
        )
    chat = BODIES["/v1/chat/completions"]
    for form in ("/engines/{}/chat/completions", "/openai/deployments/{}/chat/completions"):
        for name in ("back", "plain", "gpt-4o"):
            path, body = form.format("main"), {**chat, "model": name}
            yield Case(f"path over body {path} {name}", "POST", path, body, sent_to=("main",))
        query = form.format("main") + "?model=back"
        yield Case(f"path and query {query}", "POST", query, {**chat, "model": "main"}, refused=TWICE)
    for verb in ("generateContent", "streamGenerateContent"):
        path = f"/v1beta/models/main:{verb}"
        yield Case(f"path over body {verb}", "POST", path, {**GENERATE, "model": "back"}, sent_to=("main",))
    named = {**chat, "model": "models/main"}
    yield Case("prefix of Google's", "POST", "/v1/chat/completions", named, sent_to=("main",))
    named = {**chat, "model": "models/back"}
    yield Case("prefix, backroom", "POST", "/v1/chat/completions", named, refused=NOT_FOUND)


def _steered() -> Iterator[Case]:
    fields: dict[str, Any] = {
        "fallbacks": ["back"],
        "fallbacks dict": [{"main": ["back"]}],
        "fallbacks param": [{"model": "back"}],
        "context_window_fallbacks": [{"main": ["back"]}],
        "content_policy_fallbacks": [{"main": ["back"]}],
        "default_fallbacks": ["back"],
        "context_window_fallback_dict": {"main": "back"},
        "router_settings_override": {"fallbacks": [{"main": ["back"]}]},
    }
    for path, body in BODIES.items():
        for name, value in fields.items():
            steered = {**body, "model": _own(path), name.split()[0]: value}
            yield Case(f"field {path} {name}", "POST", path, steered, refused="param_not_allowed")
    generate = {**GENERATE, "fallbacks": ["back"]}
    path = "/v1beta/models/main:generateContent"
    yield Case("field generateContent fallbacks", "POST", path, generate, refused="param_not_allowed")


def encoded(text: str) -> str:
    """URL-safe base64 without padding, as LiteLLM writes it into ids."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _encoded() -> Iterator[Case]:
    response_id = "resp_" + encoded("litellm:custom_llm_provider:openai;model_id:id-back;response_id:resp_1")
    yield Case("encoded response", "GET", f"/v1/responses/{response_id}", refused="model_not_found")
    yield Case("encoded response delete", "DELETE", f"/v1/responses/{response_id}", refused="model_not_found")
    video_id = "video_" + encoded("litellm:custom_llm_provider:openai;model_id:id-back;video_id:video_1")
    yield Case("encoded video", "GET", f"/v1/videos/{video_id}", refused="model_not_found")
    refused = "invalid_request_error" if versions.VIDEO_IDS_NAME_DEPLOYMENTS else "model_not_found"
    for group in ("back", "hidden"):
        pinned = encoded(f"litellm:custom_llm_provider:main;model_id:;video_id:v;deployment_id:id-{group}")
        path = f"/v1/videos/video_{pinned}"
        yield Case(f"encoded video of {group}", "GET", path, refused=refused)
    body = {**BODIES["/v1/responses"], "model": "main", "previous_response_id": response_id}
    yield Case("encoded previous response", "POST", "/v1/responses", body, refused="param_not_allowed")


def _resources() -> Iterator[Case]:
    """Files and batches are closed, however named: LiteLLM chooses their deployment past its router."""
    for name in ("main", "back"):
        file_id = "file-" + encoded(f"litellm:file-abc;model,{name}")
        batch_id = "batch_" + encoded(f"litellm:batch_abc;model,{name}")
        header = {"x-litellm-model": name}
        for path in (f"/v1/files/{file_id}", f"/v1/files/{file_id}/content", f"/v1/batches/{batch_id}"):
            yield Case(f"encoded {name} {len(path)}", "GET", path, refused=CLOSED)
        yield Case(f"encoded delete {name}", "DELETE", f"/v1/files/{file_id}", refused=CLOSED)
        yield Case(f"encoded cancel {name}", "POST", f"/v1/batches/{batch_id}/cancel", {}, refused=CLOSED)
        for path in ("/v1/batches", "/v1/files", "/v1/files/file-abc", "/v1/batches/batch_abc"):
            yield Case(f"header {path} {name}", "GET", path, None, header, refused=CLOSED)
            yield Case(f"query {path} {name}", "GET", f"{path}?model={name}", refused=CLOSED)
    for path in ("/v1/batches", "/v1/files", "/v1/files/file-abc", "/v1/batches/batch_abc"):
        yield Case(f"nothing on {path}", "GET", path, refused=CLOSED)
        other = f"{path}?custom_llm_provider=azure"
        yield Case(f"provider on {path}", "GET", other, refused=CLOSED)
    yield Case("vector store", "POST", "/v1/vector_stores", {"name": "x"}, refused=CLOSED)
    batch = {"endpoint": "/v1/chat/completions", "completion_window": "24h", "model": "main"}
    batch["input_file_id"] = "file-" + encoded("litellm:file-abc;model,back")
    yield Case("batch over a file of another", "POST", "/v1/batches", batch, refused=CLOSED)


def _short(name: str) -> str:
    return ascii(name if len(name) < 40 else f"{name[:10]}...{len(name)}")
