"""Ways round a gateway, each a change of an ordinary request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from tests.real.providers.fields import FIELDS, Field
from tests.real.providers.routes import PNG, Request
from tests.real.providers.target import TOKEN, Target

Change = Callable[[Request, Target], Request | None]


@dataclass(frozen=True, slots=True)
class Attack:
    """
    One way round: `change` makes it of an ordinary request, or gives None where it does not fit.

    `core` ones are tried on every provider. `content` ones carry their values where the API has room for
    them, so that they may arrive: what counts is whether the gateway itself acts on them. `refused` ones
    name the model in two ways that differ, and are a 4xx on every route whose path is not the name.
    """

    id: str
    kind: str
    change: Change
    core: bool = False
    content: bool = False
    refused: bool = False


def attacks() -> list[Attack]:
    """All of them."""
    found = [*_fields(), *_names(), *_headers(), *_bodies(), *_contents()]
    assert len({one.id for one in found}) == len(found)
    return found


# --- a field, wherever one can stand ----------------------------------------------------------------


def _fields() -> Iterator[Attack]:
    for field in FIELDS:
        for place, put in PLACES.items():
            kind = "second-body" if "extra_body" in place else field.kind
            core = field.core and place in {"body", "extra_body"}
            # OpenAI's own metadata goes upstream as it is; only what LiteLLM makes of it counts.
            content = place == "metadata"
            yield Attack(f"{field.id} in {place}", kind, _putting(field, put), core, content)


def _putting(field: Field, put: Callable[[Request, str, Any], Request | None]) -> Change:
    return lambda request, target: put(request, field.name, field.value(target))


def _in_body(request: Request, name: str, value: Any) -> Request:
    return request.fields({name: value})


def _in(*outer: str) -> Callable[[Request, str, Any], Request]:
    def put(request: Request, name: str, value: Any) -> Request:
        inner: Any = {name: value}
        for key in reversed(outer[1:]):
            inner = {key: inner}
        return request.fields({outer[0]: inner})

    return put


def _as_text(outer: str) -> Callable[[Request, str, Any], Request]:
    return lambda request, name, value: request.fields({outer: json.dumps({name: value})})


def _in_query(request: Request, name: str, value: Any) -> Request:
    return request.asked((name, quote(_flat(value), safe="")))


def _in_header(request: Request, name: str, value: Any) -> Request | None:
    text = _flat(value)
    if not name.isascii() or not text.isascii() or "\n" in text:
        return None
    plain = name.replace("_", "-")
    return request.headed((f"x-litellm-{plain}", text), (f"llm-{plain}", text), (f"x-{plain}", text))


def _in_brackets(request: Request, name: str, value: Any) -> Request | None:
    if request.form is None:
        return None
    text = _flat(value)
    added = (
        (f"{name}[]", text),
        (f"metadata[{name}]", text),
        (f"extra_body[{name}]", text),
        (f"litellm_params[{name}]", text),
    )
    return replace(request, form=(*request.form, *added))


def _escaped(request: Request, name: str, value: Any) -> Request | None:
    """As a JSON key with an escape in it, and twice: first harmless."""
    if request.body is None:
        return None
    written = f"\\u{ord(name[0]):04x}{name[1:]}"
    text = json.dumps(dict(request.body))[:-1]
    content = f'{text}, "{name}": null, "{written}": {json.dumps(value)}}}'
    return replace(request, content=content.encode()).headed(("content-type", "application/json"))


def _flat(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


PLACES: Mapping[str, Callable[[Request, str, Any], Request | None]] = {
    "body": _in_body,
    "extra_body": _in("extra_body"),
    "extra_body twice": _in("extra_body", "extra_body"),
    "extra_body as text": _as_text("extra_body"),
    "metadata": _in("metadata"),
    "litellm_metadata": _in("litellm_metadata"),
    "litellm_params": _in("litellm_params"),
    "optional_params": _in("optional_params"),
    "options": _in("options"),
    "query": _in_query,
    "header": _in_header,
    "brackets": _in_brackets,
    "escapes": _escaped,
}
"""Where a field can stand."""


# --- the name of the model, in other places and other ways -------------------------------------------


def _names() -> Iterator[Attack]:
    for name, change in NAMES.items():
        yield Attack(f"name: {name}", "reading", change, core=True, refused=name not in ELSEWHERE)
    for what, write in SPELLINGS.items():
        yield Attack(f"spelling: {what}", "name", _spelt(write))


def _spelt(write: Callable[[Target], Any]) -> Change:
    return lambda request, target: _renamed(request, target, write(target))


def _renamed(request: Request, target: Target, name: Any) -> Request | None:
    """With another name in the place of the handle's."""
    if request.form is not None:
        others = tuple(pair for pair in request.form if pair[0] != "model")
        return replace(request, form=(("model", _flat(name)), *others))
    if request.body is not None and "model" in request.body:
        return replace(request, body={**request.body, "model": name})
    if isinstance(name, str) and target.handle in request.path:
        return replace(request, path=request.path.replace(target.handle, quote(name, safe="")))
    return None


def _twice_in_json(request: Request, target: Target, *, first: bool) -> Request | None:
    if request.body is None:
        return None
    text, back = json.dumps(dict(request.body)), json.dumps(target.back)
    content = f'{{"model": {back}, {text[1:]}' if first else f'{text[:-1]}, "model": {back}}}'
    return replace(request, content=content.encode()).headed(("content-type", "application/json"))


def _form_model(request: Request, name: str, *, first: bool) -> Request | None:
    if request.form is None:
        return None
    pair = (("model", name),)
    return replace(request, form=(*pair, *request.form) if first else (*request.form, *pair))


def _as_form(request: Request, target: Target) -> Request | None:
    """What should be JSON, as a form whose model is a backroom one."""
    if request.body is None:
        return None
    pairs = tuple((name, _flat(value)) for name, value in request.body.items() if name != "model")
    return replace(request, body=None, form=(("model", target.back), *pairs))


NAMES: Mapping[str, Change] = {
    "query": lambda r, t: r.asked(("model", t.back)),
    "query, upstream's": lambda r, t: r.asked(("model", t.model(t.back))),
    "query twice, last": lambda r, t: r.asked(("model", t.handle), ("model", t.back)),
    "query twice, first": lambda r, t: r.asked(("model", t.back), ("model", t.handle)),
    "header": lambda r, t: r.headed(("x-litellm-model", t.back)),
    "header twice, last": lambda r, t: r.headed(("x-litellm-model", t.handle), ("x-litellm-model", t.back)),
    "header twice, first": lambda r, t: r.headed(("x-litellm-model", t.back), ("x-litellm-model", t.handle)),
    "header with a comma": lambda r, t: r.headed(("x-litellm-model", f"{t.handle}, {t.back}")),
    "header elsewhere": lambda r, t: r.headed(("x-litellm-model", t.far)),
    "header and query": lambda r, t: r.headed(("x-litellm-model", t.handle)).asked(("model", t.back)),
    "body twice, last": lambda r, t: _twice_in_json(r, t, first=False),
    "body twice, first": lambda r, t: _twice_in_json(r, t, first=True),
    "form twice, last": lambda r, t: _form_model(r, t.back, first=False),
    "form twice, first": lambda r, t: _form_model(r, t.back, first=True),
    "form list": lambda r, t: None if r.form is None else replace(r, form=(*r.form, ("model[]", t.back))),
    "a form in the place of JSON": _as_form,
    "engine": lambda r, t: r.fields(
        {"engine": t.back, "deployment": t.back, "model_name": t.back, "model_id": t.back}
    ),
    "target_model_names": lambda r, t: r.fields({"target_model_names": t.back}),
    "query provider": lambda r, t: r.asked(("custom_llm_provider", "openai")),
    "header provider": lambda r, t: r.headed(
        ("custom-llm-provider", "openai"), ("x-litellm-provider", "openai")
    ),
    "path and query": lambda r, t: replace(r, path=f"/openai/deployments/{t.handle}/chat/completions").asked(
        ("model", t.back)
    ),
    "path and body": lambda r, t: replace(r, path=f"/engines/{t.back}/chat/completions"),
    "dots": lambda r, t: replace(r, path=f"/engines/{t.handle}/../{t.back}/chat/completions"),
    "escaped dots": lambda r, t: replace(r, path=f"/engines/{t.handle}%2f..%2f{t.back}/chat/completions"),
    "generate path and query": lambda r, t: replace(
        r, path=f"/v1beta/models/{t.handle}:generateContent"
    ).asked(("model", t.back)),
}
"""The model named in two places, or in another place than the API's own."""

ELSEWHERE = frozenset(
    {"engine", "target_model_names", "query provider", "header provider", "form list", "dots", "escaped dots"}
    | {"path and query", "path and body", "generate path and query"}
)
"""Those of `NAMES` that name no model where the route has one, or that go to a path that is the name."""

SPELLINGS: Mapping[str, Callable[[Target], Any]] = {
    "backroom": lambda t: t.back,
    "elsewhere": lambda t: t.far,
    "upstream's": lambda t: f"{t.provider}/{t.model(t.back)}",
    "own upstream's": lambda t: f"{t.provider}/{t.model(t.handle)}",
    "bare upstream's": lambda t: t.model(t.back),
    "deployment id": lambda t: f"id-{t.back}",
    "list": lambda t: [t.handle, t.back],
    "comma": lambda t: f"{t.handle},{t.back}",
    "path": lambda t: f"{t.handle}/../{t.back}",
    "models/ twice": lambda t: f"models/models/{t.back}",
    "capitals": lambda t: t.back.upper(),
    "blank": lambda t: f" {t.back}",
    "NUL": lambda t: f"{t.back}\x00",
    "zero width": lambda t: f"{t.back}\u200b",
    "query behind": lambda t: f"{t.handle}?model={t.back}",
    "fragment": lambda t: f"{t.handle}#{t.back}",
    "object": lambda t: {"id": t.back},
    "address": lambda t: f"huggingface/{t.evil}",
    "address alone": lambda t: t.evil,
    "other provider": lambda t: f"hosted_vllm/{t.model(t.handle)}",
    "fine tune": lambda t: f"ft:{t.back}",
    "assistant": lambda t: f"openai/assistants/{t.back}",
    "responses bridge": lambda t: f"openai/responses/{t.model(t.back)}",
}
"""Other names in the place of the handle's."""


# --- headers and paths -------------------------------------------------------------------------------


def _headers() -> Iterator[Attack]:
    for name, change in HEADERS.items():
        yield Attack(f"header: {name}", "reading", change)


def _host(target: Target) -> str:
    return target.evil.split("/")[2]


HEADERS: Mapping[str, Change] = {
    "host": lambda r, t: r.headed(("host", _host(t))),
    "forwarded": lambda r, t: r.headed(
        ("x-forwarded-host", _host(t)),
        ("x-forwarded-proto", "https"),
        ("forwarded", f"host={_host(t)}"),
        ("x-forwarded-prefix", f"/{TOKEN}"),
    ),
    "original url": lambda r, t: r.headed(
        ("x-original-url", "/health"), ("x-rewrite-url", "/health"), ("x-http-method-override", "GET")
    ),
    "provider's own": lambda r, t: r.headed(
        ("openai-organization", TOKEN),
        ("openai-project", TOKEN),
        ("anthropic-beta", TOKEN),
        ("openai-beta", TOKEN),
    ),
    "keys": lambda r, t: r.headed(
        ("api-key", t.key(t.back)), ("x-api-key", t.key(t.back)), ("x-goog-api-key", t.key(t.back))
    ),
    "routing": lambda r, t: r.headed(
        ("x-litellm-tags", TOKEN),
        ("x-litellm-num-retries", "9"),
        ("x-litellm-timeout", "0.0001"),
        ("x-litellm-stream-timeout", "0.0001"),
    ),
    "timeout": lambda r, t: r.headed(("x-litellm-timeout", "0.0001")),
    "base": lambda r, t: r.headed(
        ("x-litellm-api-base", t.evil), ("x-litellm-api-key", t.key(t.back)), ("api-base", t.evil)
    ),
    "mcp": lambda r, t: r.headed(
        ("x-mcp-servers", TOKEN), ("x-mcp-auth", TOKEN), ("x-mcp-access-groups", TOKEN)
    ),
    "trace": lambda r, t: r.headed(
        ("traceparent", f"00-{'a' * 32}-{'b' * 16}-01"), ("baggage", f"x={TOKEN}"), ("cookie", f"x={TOKEN}")
    ),
    "user agent": lambda r, t: r.headed(
        ("user-agent", TOKEN), ("referer", TOKEN), ("http-referer", TOKEN), ("x-title", TOKEN)
    ),
    "pass": lambda r, t: r.headed(("x-pass-authorization", f"Bearer {t.key(t.back)}"), ("x-pass-x", TOKEN)),
    "trailing slash": lambda r, t: replace(r, path=r.path + "/").asked(("model", t.back)),
    "two slashes": lambda r, t: replace(r, path="/" + r.path).asked(("model", t.back)),
    "escaped path": lambda r, t: replace(r, path=r.path.replace("/v1", "/%76%31", 1)).asked(
        ("model", t.back)
    ),
    "semicolon": lambda r, t: replace(r, path=f"{r.path};x={TOKEN}").asked(("model", t.back)),
    "api-version": lambda r, t: r.asked(("api-version", TOKEN)),
    "query of Google": lambda r, t: r.asked(("key", t.key(t.back)), ("api_base", t.evil)),
}
"""Headers and paths that something on the way might obey."""


# --- bodies ------------------------------------------------------------------------------------------


def _bodies() -> Iterator[Attack]:
    for name, change in BODIES.items():
        yield Attack(f"body: {name}", "second-body" if "extra_body" in name else "reading", change, core=True)


def _utf16(request: Request, target: Target) -> Request | None:
    if request.body is None:
        return None
    text = json.dumps({**request.body, "deployment_id": TOKEN})
    return replace(request, content=text.encode("utf-16")).headed(
        ("content-type", "application/json; charset=utf-16")
    )


def _urlencoded(request: Request, target: Target) -> Request | None:
    if request.body is None:
        return None
    pairs = "&".join(
        f"{name}={quote(_flat(value))}" for name, value in request.body.items() if name != "model"
    )
    content = f"model={target.handle}&model={target.back}&{pairs}".encode()
    return replace(request, content=content).headed(("content-type", "application/x-www-form-urlencoded"))


BODIES: Mapping[str, Change] = {
    "extra_body names a model": lambda r, t: r.fields({"extra_body": {"model": t.model(t.back)}}),
    "extra_body of a list": lambda r, t: r.fields({"extra_body": [["model", t.model(t.back)]]}),
    "extra_body in extra_body": lambda r, t: r.fields(
        {"extra_body": {"extra_body": {"model": t.model(t.back)}}}
    ),
    "extra_body as text": lambda r, t: r.fields({"extra_body": json.dumps({"model": t.model(t.back)})}),
    "extra_body in litellm_params": lambda r, t: r.fields(
        {"litellm_params": {"extra_body": {"model": t.model(t.back)}}}
    ),
    "extra_body in metadata": lambda r, t: r.fields({"metadata": {"extra_body": {"model": t.model(t.back)}}}),
    "extra_body escaped": lambda r, t: _escaped(r, "extra_body", {"model": t.model(t.back)}),
    "extra_body capitals": lambda r, t: r.fields(
        {"Extra_Body": {"model": t.model(t.back)}, "extraBody": {"model": t.model(t.back)}}
    ),
    "extra_body and stream": lambda r, t: r.fields(
        {"extra_body": {"model": t.model(t.back), "stream": True, "options": {"model": t.model(t.back)}}}
    ),
    "utf-16": _utf16,
    "urlencoded": _urlencoded,
}
"""A body inside the body, and bodies in other writings."""


# --- values that name an address ---------------------------------------------------------------------


def _contents() -> Iterator[Attack]:
    for name, change in CONTENTS.items():
        yield Attack(f"content: {name}", "deny-list", change, core=True, content=True)


def _message(part: Any) -> Change:
    def change(request: Request, target: Target) -> Request | None:
        filled = json.loads(json.dumps(part).replace("EVIL", target.evil))
        if request.body is None:
            return None
        if "messages" in request.body:
            return replace(
                request, body={**request.body, "messages": [{"role": "user", "content": [filled]}]}
            )
        if "input" in request.body and filled.get("type", "").startswith("input_"):
            return replace(request, body={**request.body, "input": [{"role": "user", "content": [filled]}]})
        return None

    return change


def _added(**fields: Any) -> Change:
    return lambda request, target: request.fields(json.loads(json.dumps(fields).replace("EVIL", target.evil)))


def _google(part: Any) -> Change:
    def change(request: Request, target: Target) -> Request | None:
        if request.body is None or "contents" not in request.body:
            return None
        filled = json.loads(json.dumps(part).replace("EVIL", target.evil))
        return replace(request, body={**request.body, "contents": [{"role": "user", "parts": [filled]}]})

    return change


_MCP = {"type": "mcp", "server_label": "x", "server_url": "EVIL/mcp", "require_approval": "never"}
_URL = {"type": "url", "url": "EVIL/x.png"}
CONTENTS: Mapping[str, Change] = {
    "image_url": _message({"type": "image_url", "image_url": {"url": "EVIL/x.png"}}),
    "image_url as text": _message({"type": "image_url", "image_url": "EVIL/x.png"}),
    "image_url of a file": _message({"type": "image_url", "image_url": {"url": "file:///etc/hostname"}}),
    "input_image": _message({"type": "input_image", "image_url": "EVIL/x.png"}),
    "input_file": _message({"type": "input_file", "file_url": "EVIL/x.pdf"}),
    "file": _message({"type": "file", "file": {"file_id": "EVIL/x.pdf", "format": "application/pdf"}}),
    "audio": _message({"type": "input_audio", "input_audio": {"data": "EVIL/x.wav", "format": "wav"}}),
    "video_url": _message({"type": "video_url", "video_url": {"url": "EVIL/x.mp4"}}),
    "document": _message({"type": "document", "source": _URL}),
    "image source": _message({"type": "image", "source": _URL}),
    "fileData": _google({"fileData": {"fileUri": "EVIL/x.png", "mimeType": "image/png"}}),
    "file_data": _google({"file_data": {"file_uri": "EVIL/x.png", "mime_type": "image/png"}}),
    "mcp tool": _added(tools=[_MCP]),
    "mcp tool of the gateway": _added(tools=[{**_MCP, "server_url": "litellm_proxy/mcp/x"}]),
    "mcp servers": _added(mcp_servers=[{"type": "url", "url": "EVIL/mcp", "name": "x"}]),
    "file_search": _added(tools=[{"type": "file_search", "vector_store_ids": ["vs_1"]}]),
    "vector_store_ids": _added(vector_store_ids=["vs_1"]),
    "web_search": _added(tools=[{"type": "web_search_preview"}], web_search_options={}),
    "code_interpreter": _added(tools=[{"type": "code_interpreter", "container": {"type": "auto"}}]),
    "connector": _added(
        tools=[{"type": "mcp", "server_label": "x", "connector_id": "connector_gmail", "authorization": "x"}]
    ),
    "image by address": lambda r, t: (
        None
        if r.form is None
        else replace(
            r,
            files=(),
            form=(*r.form, ("image", t.evil), ("file", t.evil), ("url", t.evil), ("image_url", t.evil)),
        )
    ),
    "file of another name": lambda r, t: (
        None if r.form is None else replace(r, files=(("file", "../../x", PNG), ("image[]", t.evil, PNG)))
    ),
}
"""Content that a gateway might fetch, and tools, stores and files that it might ask."""
