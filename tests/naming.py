"""Every way of naming a model that LiteLLM knows, as a table: what is asked, and what must come of it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
        return {None: 200, "model_not_found": 404, "param_not_allowed": 400, "route_not_allowed": 403}[
            self.refused
        ]


def cases() -> list[Case]:
    """The whole table."""
    found = [*_served(), *_named_in_the_body(), *_named_elsewhere(), *_steered(), *_encoded(), *_resources()]
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
            yield Case(
                f"body {path} {_short(name)}",
                "POST",
                path,
                {**body, "model": name},
                refused="model_not_found",
            )


def _named_elsewhere() -> Iterator[Case]:
    chat = BODIES["/v1/chat/completions"]
    for name in ("back", "rung", "nowhere", "id-back", "alias-back"):
        for form in ("/engines/{}/chat/completions", "/openai/deployments/{}/chat/completions"):
            path = form.format(name)
            yield Case(f"path {path}", "POST", path, {**chat, "model": "main"}, refused="model_not_found")
        for path, body in BODIES.items():
            if path in {"/v1/messages", "/v1/responses"}:
                continue  # LiteLLM does not read ?model= there
            yield Case(
                f"query {path} {name}",
                "POST",
                f"{path}?model={name}",
                {**body, "model": _own(path)},
                refused="model_not_found",
            )
        for verb in ("generateContent", "streamGenerateContent"):
            path = f"/v1beta/models/{name}:{verb}"
            yield Case(f"{verb} {name}", "POST", path, GENERATE, refused="model_not_found")
    for path in ("/v1/messages", "/v1/responses"):
        body = {**BODIES[path], "model": "main"}
        yield Case(f"query on {path} is ignored", "POST", f"{path}?model=back", body, sent_to=("main",))
    header = {"x-litellm-model": "back"}
    yield Case(
        "header on chat is ignored",
        "POST",
        "/v1/chat/completions",
        {**chat, "model": "main"},
        header,
        sent_to=("main",),
    )


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
    for name in ("back", "rung"):
        file_id = "file-" + encoded(f"litellm:file-abc;model,{name}")
        batch_id = "batch_" + encoded(f"litellm:batch_abc;model,{name}")
        for path in (f"/v1/files/{file_id}", f"/v1/files/{file_id}/content", f"/v1/batches/{batch_id}"):
            yield Case(
                f"encoded {path.split('/')[2]} {name} {len(path)}", "GET", path, refused="model_not_found"
            )
        yield Case(f"encoded delete {name}", "DELETE", f"/v1/files/{file_id}", refused="model_not_found")
        yield Case(
            f"encoded cancel {name}", "POST", f"/v1/batches/{batch_id}/cancel", {}, refused="model_not_found"
        )
    response_id = "resp_" + encoded("litellm:custom_llm_provider:openai;model_id:id-back;response_id:resp_1")
    yield Case("encoded response", "GET", f"/v1/responses/{response_id}", refused="model_not_found")
    yield Case("encoded response delete", "DELETE", f"/v1/responses/{response_id}", refused="model_not_found")
    video_id = "video_" + encoded("litellm:custom_llm_provider:openai;model_id:id-back;video_id:video_1")
    yield Case("encoded video", "GET", f"/v1/videos/{video_id}", refused="model_not_found")
    body = {**BODIES["/v1/responses"], "model": "main", "previous_response_id": response_id}
    yield Case("encoded previous response", "POST", "/v1/responses", body, refused="model_not_found")


def _resources() -> Iterator[Case]:
    header = {"x-litellm-model": "back"}
    path = "/v1/batches"
    yield Case("header on batches", "GET", path, None, header, refused="model_not_found")
    yield Case("query on batches", "GET", f"{path}?model=back", refused="model_not_found")
    yield Case("nothing on batches", "GET", path, refused="route_not_allowed")
    # LiteLLM lists files under the call type of fine-tuning jobs, which is not served.
    yield Case("header on files", "GET", "/v1/files", None, header, refused="route_not_allowed")
    yield Case("nothing on files", "GET", "/v1/files", refused="route_not_allowed")
    yield Case("header on a file", "GET", "/v1/files/file-abc", None, header, refused="model_not_found")
    yield Case("raw file id", "GET", "/v1/files/file-abc", refused="route_not_allowed")
    yield Case("vector store", "POST", "/v1/vector_stores", {"name": "x"}, refused="route_not_allowed")
    batch = {"endpoint": "/v1/chat/completions", "completion_window": "24h", "model": "main"}
    batch["input_file_id"] = "file-" + encoded("litellm:file-abc;model,back")
    yield Case("batch over a file of another", "POST", path, batch, refused="route_not_allowed")


def _short(name: str) -> str:
    return ascii(name if len(name) < 40 else f"{name[:10]}...{len(name)}")
