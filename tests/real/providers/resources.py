"""Attacks on what has an id or a tool's name: files, batches, responses, videos, search."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from litellm_homelab.demo.recorder import RecordedRequest
from tests.real.providers.routes import Request
from tests.real.providers.target import TOKEN

NAMES = ("openai-back-chat", "azure-far-chat", "mistral-spare-chat")
"""Groups that no client may reach: behind the same address, elsewhere, and a fallback's."""
HANDLE = "openai-chat"
LINE = json.dumps(
    {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": NAMES[0]}}
)


@dataclass(frozen=True, slots=True)
class Resource:
    """One attack; `answers` where an answer of 200 is harmless if no upstream saw what it should not."""

    id: str
    request: Request
    answers: bool = True


def resources(evil: str) -> list[Resource]:
    """All of them, some naming the client's own address."""
    made = [*_ids(), *_raw(), *_files(evil), *_batches(evil), *_inside(), *_search(evil)]
    assert len({one.id for one in made}) == len(made)
    return made


def wrong(call: RecordedRequest) -> str:
    """What is wrong with a call that a resource's request led to; empty where nothing is."""
    where = f"{call.backend} got {call.method} {call.path}?{call.query}"
    text = f"{where} {' '.join(f'{name}: {value}' for name, value in call.headers.items())}"
    whole = text + call.content.decode("utf-8", "replace")
    if call.backend in {"far", "spare", "trap"}:
        return f"{where}: no handle's"
    if any(
        word in whole for word in ("-back-", "-far-", "-spare-", "sk-cloud", "sk-master", "sk-client", TOKEN)
    ):
        return f"{where}: names what is not a handle's"
    if ".." in call.path or "%2e" in call.path.lower() or "//" in call.path:
        return f"{where}: a path of the client's choosing"
    return ""


# --- ids ---------------------------------------------------------------------------------------------


def _coded(text: str, prefix: str, *, padded: bool = False) -> str:
    code = base64.urlsafe_b64encode(text.encode()).decode()
    return prefix + (code if padded else code.rstrip("="))


def encoded(name: str) -> dict[str, tuple[str, str]]:
    """LiteLLM's encoded ids that lead to a group: the path of the resource, and the id."""
    own = f"litellm:custom_llm_provider:openai;model_id:id-{name};"
    unified = (
        f"litellm_proxy:application/json;unified_id,x;target_model_names,{name};llm_output_file_id,file_1;"
    )
    return {
        "file": ("files", _coded(f"litellm:file_1;model,{name}", "file-")),
        "unified file": ("files", _coded(unified + f"llm_output_file_model_id,id-{name}", "")),
        "batch": ("batches", _coded(f"litellm:batch_1;model,{name}", "batch_")),
        "unified batch": ("batches", _coded(f"litellm_proxy;model_id:id-{name};llm_batch_id:batch_1", "")),
        "response": ("responses", _coded(f"{own}response_id:resp_1", "resp_")),
        "response by provider": (
            "responses",
            _coded(f"litellm:custom_llm_provider:azure;model_id:{name};response_id:../x", "resp_"),
        ),
        "video": ("videos", _coded(f"{own}video_id:video_1", "video_", padded=True)),
        "container": ("containers", _coded(f"{own}container_id:container_1", "cntr_", padded=True)),
    }


SUBS = {
    "files": (("GET", ""), ("DELETE", ""), ("GET", "/content")),
    "batches": (("GET", ""), ("POST", "/cancel")),
    "responses": (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")),
    "videos": (("GET", ""), ("GET", "/content"), ("POST", "/remix")),
    "containers": (("GET", ""), ("DELETE", "")),
}


def _ids() -> Iterator[Resource]:
    for name in NAMES:
        for what, (kind, identifier) in encoded(name).items():
            for method, sub in SUBS[kind]:
                body = {"prompt": "hello"} if method == "POST" else None
                plain = Request(method, f"/v1/{kind}/{identifier}{sub}", body)
                title = f"{what} of {name}: {method}{sub}"
                yield Resource(title, plain, answers=False)
                yield Resource(f"{title}, ?model=", plain.asked(("model", HANDLE)), answers=False)
                yield Resource(f"{title}, header", plain.headed(("x-litellm-model", HANDLE)), answers=False)


def _raw() -> Iterator[Resource]:
    """Ids as the upstream gave them, and ids that are paths."""
    for kind, subs in SUBS.items():
        for method, sub in subs:
            for identifier in (
                "x_1",
                "..%2f..%2fadmin",
                "%2e%2e%2fadmin",
                f"x%3fy={TOKEN}",
                "..%5cadmin",
                "x%23y",
            ):
                body = {"prompt": "hello"} if method == "POST" else None
                plain = Request(method, f"/v1/{kind}/{identifier}{sub}", body)
                title = f"{kind} {identifier}: {method}{sub}"
                yield Resource(title, plain, answers=False)
                yield Resource(f"{title}, ?model=", plain.asked(("model", HANDLE)))
                yield Resource(f"{title}, back", plain.asked(("model", NAMES[0])), answers=False)
                provider = plain.asked(("model", HANDLE), ("custom_llm_provider", "azure"))
                yield Resource(f"{title}, provider", provider)


# --- files and batches -------------------------------------------------------------------------------


def _files(evil: str) -> Iterator[Resource]:
    upload = Request(
        "POST", "/v1/files", form=(("purpose", "batch"),), files=(("file", "x.jsonl", LINE.encode()),)
    )
    listing = Request("GET", "/v1/files")
    for title, request in (
        ("plain", upload),
        ("model", upload.fields({"model": NAMES[0]})),
        ("two models", upload.fields({"model": HANDLE}).headed(("x-litellm-model", NAMES[0]))),
        ("target_model_names", upload.fields({"target_model_names": NAMES[0]})),
        ("target_model_names twice", upload.fields({"target_model_names": f"{HANDLE}, {NAMES[0]}"})),
        ("provider", upload.fields({"custom_llm_provider": "azure"})),
        ("base", upload.fields({"model": HANDLE, "api_base": evil, "api_key": TOKEN})),
        (
            "litellm_metadata",
            upload.fields({"model": HANDLE, "litellm_metadata": json.dumps({"api_base": evil})}),
        ),
        (
            "brackets",
            upload.fields({"litellm_metadata[model_group]": NAMES[0], "expires_after[anchor]": TOKEN}),
        ),
        ("name is a path", replace(upload, files=(("file", "../../x", LINE.encode()),))),
        ("listing", listing),
        ("listing of a provider", listing.asked(("custom_llm_provider", "azure"))),
        ("listing of a backroom model", listing.asked(("model", NAMES[0]))),
        ("listing with a header", listing.headed(("x-litellm-model", NAMES[0]))),
        ("listing of targets", listing.asked(("target_model_names", NAMES[0]))),
        ("provider's path", Request("GET", "/azure/v1/files")),
        ("provider's path to one", Request("GET", "/openai/v1/files/file_1")),
        ("purpose", listing.asked(("model", HANDLE), ("purpose", TOKEN))),
    ):
        yield Resource(f"files: {title}", request)


def _batches(evil: str) -> Iterator[Resource]:
    fields = {"input_file_id": "file_1", "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    made = Request("POST", "/v1/batches", fields)
    one = Request("GET", "/v1/batches/batch_1")
    for title, request in (
        ("made", made),
        ("of a model", made.fields({"model": NAMES[0]})),
        ("of an encoded file", made.fields({"input_file_id": encoded(NAMES[0])["file"][1]})),
        ("of a unified file", made.fields({"input_file_id": encoded(NAMES[0])["unified file"][1]})),
        ("elsewhere", made.fields({"model": HANDLE, "api_base": evil, "custom_llm_provider": "openai"})),
        ("listing", Request("GET", "/v1/batches")),
        ("listing of a provider", Request("GET", "/v1/batches", query=(("custom_llm_provider", "azure"),))),
        ("listing of targets", Request("GET", "/v1/batches", query=(("target_model_names", NAMES[0]),))),
        ("one of a handle", one.asked(("model", "mistral-chat"))),
        ("one of a handle, by header", one.headed(("x-litellm-model", "azure-chat"))),
        ("one of two", one.asked(("model", HANDLE)).headed(("x-litellm-model", NAMES[0]))),
        ("one with a body", replace(one, body={"model": NAMES[0]}).asked(("model", HANDLE))),
        ("provider's path", Request("GET", "/azure/v1/batches/batch_1")),
        ("provider's path, cancel", Request("POST", "/openai/v1/batches/batch_1/cancel", {})),
    ):
        yield Resource(f"batches: {title}", request)


# --- ids inside a body, and search -------------------------------------------------------------------


def _inside() -> Iterator[Resource]:
    talk = Request("POST", "/v1/responses", {"model": HANDLE, "input": "hello"})
    chat = Request("POST", "/v1/chat/completions", {"model": HANDLE})
    for name in NAMES:
        ids = encoded(name)
        response, file = ids["response"][1], ids["unified file"][1]
        item = _coded(f"litellm:model_id:id-{name};item_id:x", "encitem_")
        part = {"type": "file", "file": {"file_id": file}}
        for title, request in (
            ("previous_response_id", talk.fields({"previous_response_id": response})),
            ("item_reference", talk.fields({"input": [{"type": "item_reference", "id": item}]})),
            (
                "encrypted content",
                talk.fields(
                    {
                        "input": [
                            {
                                "type": "reasoning",
                                "id": item,
                                "summary": [],
                                "encrypted_content": f"litellm_enc:{_coded(f'model_id:id-{name}', '')};x",
                            }
                        ]
                    }
                ),
            ),
            (
                "input_file",
                talk.fields(
                    {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": file}]}]}
                ),
            ),
            ("file part", chat.fields({"messages": [{"role": "user", "content": [part]}]})),
            ("conversation", talk.fields({"conversation": response})),
            (
                "container",
                talk.fields({"tools": [{"type": "code_interpreter", "container": ids["container"][1]}]}),
            ),
        ):
            yield Resource(f"{title} of {name}", request)


def _search(evil: str) -> Iterator[Resource]:
    web = Request("POST", "/v1/search/web", {"query": "hello"})
    named = Request("POST", "/v1/search", {"search_tool_name": "web", "query": "hello"})
    for title, request in (
        ("base", web.fields({"api_base": evil, "api_key": TOKEN})),
        ("provider", web.fields({"search_provider": "tavily", "custom_llm_provider": "tavily"})),
        ("model", web.fields({"model": NAMES[0]})),
        ("extra_body", web.fields({"extra_body": {"api_base": evil, "engines": TOKEN}})),
        ("engines", web.fields({"engines": TOKEN, "url": evil, "x": TOKEN})),
        ("headers", web.fields({"headers": {"x": TOKEN}, "extra_headers": {"x": TOKEN}})),
        ("another tool", named.fields({"search_tool_name": NAMES[0]})),
        ("two tools", web.fields({"search_tool_name": "other"})),
        ("tool is a list", named.fields({"search_tool_name": ["web", "other"]})),
        ("tool is an address", named.fields({"search_tool_name": evil})),
        ("query parameters", web.asked(("api_base", evil), ("search_provider", "tavily"))),
        ("path", Request("POST", "/v1/search/web%2f..%2fx", {"query": "hello"})),
        ("domain filter", web.fields({"search_domain_filter": [TOKEN]})),
        (
            "litellm_params",
            web.fields({"litellm_params": {"api_base": evil}, "search_tools": [{"api_base": evil}]}),
        ),
    ):
        yield Resource(f"search: {title}", request)
