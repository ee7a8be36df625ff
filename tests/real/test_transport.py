"""The last line: what leaves a real LiteLLM is the chosen deployment's, whatever a callback made of it."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.real import hostile
from tests.real.anyapi import AnyApi, Seen
from tests.real.asking import ROUTES, ask
from tests.real.gateway import free_port, litellm
from tests.real.upstreams import listening

pytestmark = pytest.mark.real

CONFIG = Path(__file__).parents[1] / "routers" / "transport.yaml"
BASES = {
    "OPENAI": "/openai/v1",
    "LM": "/lm/v1",
    "MISTRAL": "/mistral/v1",
    "OLLAMA": "/ollama",
    "OPENROUTER": "/openrouter/api/v1",
    "VLLM": "/vllm/v1",
    "AZURE": "/azure",
    "GEMINI": "/gemini",
    "RUNG": "/rung/v1",
}
CHAT = {
    "openai": "/openai/",
    "lm_studio": "/lm/",
    "mistral": "/mistral/",
    "ollama": "/ollama/",
    "ollama_text": "/ollama/",
    "openrouter": "/openrouter/",
    "hosted_vllm": "/vllm/",
    "azure": "/azure/",
    "gemini": "/gemini",
    "groq": "/groq/",
}
"""Handles of mode chat, and where their upstreams are."""


@dataclass(frozen=True, slots=True)
class Rig:
    """A running gateway with the hostile callback, and the backend that all deployments are."""

    client: httpx.Client
    backend: AnyApi
    base: str
    file: Path
    log: Path

    def post(self, path: str, body: object) -> httpx.Response:
        """POST JSON."""
        return self.client.post(path, json=body)

    def change(self, changes: Mapping[str, Any]) -> None:
        """What the hostile callback does from now on."""
        self.file.write_text(json.dumps(changes))

    def calls(self) -> list[Seen]:
        """What the backend received since the last look."""
        seen, self.backend.seen = self.backend.seen, []
        return [one for one in seen if not one.path.endswith("/api/show")]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One process for all of this module's tests."""
    folder, backend = tmp_path_factory.mktemp("config"), AnyApi()
    document = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    document["litellm_settings"]["callbacks"].append("hostile_callback.hostile")
    # Some tests make the backend fail; what rests after that is tests/real/test_cooldown.py's subject.
    document.setdefault("router_settings", {})["disable_cooldowns"] = True
    (folder / "router.yaml").write_text(yaml.safe_dump(document))
    shutil.copy(hostile.__file__, folder / "hostile_callback.py")
    file, port, key = folder / "changes.json", free_port(), f"sk-{secrets.token_urlsafe(16)}"
    file.write_text("{}")
    with listening(backend) as base:
        environ = {f"{name}_BASE": base + path for name, path in BASES.items()}
        environ |= {"GROQ_API_BASE": f"{base}/groq/v1", "LITELLM_MASTER_KEY": key, hostile.FILE: str(file)}
        environ |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        headers = {"Authorization": f"Bearer {key}"}
        with (
            litellm(folder / "router.yaml", port, environ) as log,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client,
        ):
            yield Rig(client, backend, base, file, log)


@pytest.fixture(autouse=True)
def _calm(rig: Rig) -> Iterator[None]:
    rig.change({})
    rig.calls()
    yield
    rig.change({})
    rig.backend.fail = None


# --- what passes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("handle", CHAT)
def test_ordinary_requests_pass(rig: Rig, handle: str, route: str, stream: bool) -> None:
    """Every provider on every chat route reaches its own upstream, once."""
    answer = ask(rig, route, handle, stream=stream)
    seen = rig.calls()
    assert answer.status_code == 200, answer.text
    assert "policy_error" not in answer.text
    assert [one.path.startswith(CHAT[handle]) for one in seen] == [True], seen


_FILE = {"file": ("a.wav", b"RIFF0000", "audio/wav")}
_IMAGE = {"image": ("a.png", b"\x89PNG\r\n\x1a\n", "image/png")}
OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    **{f"embeddings of {name}": ("/v1/embeddings", {"json": {"model": name, "input": "hello"}})
       for name in ("embed-openai", "embed-vllm", "embed-ollama", "embed-lm")},
    "images": ("/v1/images/generations", {"json": {"model": "image", "prompt": "a cat"}}),
    "images of azure": ("/v1/images/generations", {"json": {"model": "image-azure", "prompt": "a cat"}}),
    "images edits": ("/v1/images/edits", {"data": {"model": "image", "prompt": "a cat"}, "files": _IMAGE}),
    "speech": ("/v1/audio/speech", {"json": {"model": "speech", "input": "hello", "voice": "alloy"}}),
    "transcriptions": ("/v1/audio/transcriptions", {"data": {"model": "hearing"}, "files": _FILE}),
    "rerank": ("/v1/rerank", {"json": {"model": "rank", "query": "q", "documents": ["a"]}}),
    "moderations": ("/v1/moderations", {"json": {"model": "moderate", "input": "hello"}}),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_other_routes_pass(rig: Rig, name: str) -> None:
    """Embeddings, images, audio, rerank and moderations, forms with files too."""
    path, kwargs = OTHERS[name]
    answer = rig.client.post(path, **kwargs)
    assert (answer.status_code, len(rig.calls())) == (200, 1), answer.text


# --- what does not ----------------------------------------------------------------------------------

CHANGES: dict[str, dict[str, Any]] = {
    "address": {"api_base": "BASE/elsewhere/v1"},
    "another group's address": {"api_base": "BASE/rung/v1"},
    "path": {"api_base": "BASE/openai/v1/../admin"},
    "key": {"api_key": "sk-of-somebody"},
    "model": {"model": "openai/real-other"},
    "model below the body": {"extra_body": {"model": "real-other"}},
    "draft model": {"extra_body": {"draft_model": "/etc"}},
    "header": {"extra_headers": {"authorization": "Bearer sk-of-somebody"}},
    "second header": {"extra_headers": {"x-api-key": "sk-of-somebody"}},
    "query": {"extra_query": {"provider": "evil"}},
    "account": {"organization": "org-of-somebody"},
    "deployment_id": {"deployment_id": "../../admin/any?x="},
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("route", ["chat", "completions", "messages", "responses", "generate"])
@pytest.mark.parametrize("name", CHANGES)
def test_what_a_later_callback_changes_does_not_leave(rig: Rig, name: str, route: str, stream: bool) -> None:
    """A changed address, key, account or model: no call, no retry, no fallback, and the client gets a 503."""
    rig.change({key: _based(value, rig.base) for key, value in CHANGES[name].items()})
    answer = ask(rig, route, "openai", stream=stream)
    seen = rig.calls()
    strange = [one for one in seen if _is_strange(one)]
    assert strange == []
    if not seen:  # some routes drop what they do not know, and send the deployment's own
        assert answer.status_code == 503, answer.text
        assert "gateway" in answer.text
    else:
        assert (answer.status_code, len(seen)) == (200, 1)


def _based(value: Any, base: str) -> Any:
    return value.replace("BASE", base) if isinstance(value, str) else value


def _is_strange(one: Seen) -> bool:
    """Whether a call has anything that is not the `openai` deployment's."""
    return (
        not one.path.startswith("/openai/v1/")
        or one.headers.get("authorization") != "Bearer sk-own-openai"
        or "x-api-key" in one.headers
        or "openai-organization" in one.headers
        or bool(one.query)
        or one.json.get("model") != "real-openai"
        or "draft_model" in one.json
    )


def test_a_refused_call_cools_nothing_down_and_is_counted(rig: Rig) -> None:
    """Six refused calls in a row, then the handle serves at once; the metric has the rule's name."""
    rig.change({"api_base": f"{rig.base}/elsewhere/v1"})
    for _ in range(6):
        assert ask(rig, "chat", "openai", stream=False).status_code == 503
    rig.change({})
    rig.calls()
    assert ask(rig, "chat", "openai", stream=False).status_code == 200
    assert [one.path for one in rig.calls()] == ["/openai/v1/chat/completions"]
    metrics = rig.client.get("/metrics/").text
    assert (
        'homelab_refusals_total{caller="master",handle="openai",rule="transport",type="policy_error"}'
        in metrics
    )
    assert "homelab transport rule refused a call for openai: its path" in rig.log.read_text()


def test_a_failing_upstream_still_falls_back(rig: Rig) -> None:
    """The operator's own fallback is no foreign address."""
    rig.backend.fail = 500
    ask(rig, "chat", "openai", stream=False)
    assert {one.path.split("/")[1] for one in rig.calls()} == {"openai", "rung"}


# --- one request, one name --------------------------------------------------------------------------

TWICE: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {"model": "openai", "messages": [{"role": "user", "content": "x"}]}),
    "completions": ("/v1/completions", {"model": "openai", "prompt": "x"}),
    "responses": ("/v1/responses", {"model": "openai", "input": "x"}),
    "messages": (
        "/v1/messages",
        {"model": "openai", "messages": [{"role": "user", "content": "x"}], "max_tokens": 9},
    ),
    "embeddings": ("/v1/embeddings", {"model": "embed-openai", "input": "x"}),
}
FORMS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "transcriptions": ("/v1/audio/transcriptions", {"model": "hearing"}, _FILE),
    "images edits": ("/v1/images/edits", {"model": "image", "prompt": "a cat"}, _IMAGE),
}


def _is_refused(rig: Rig, answer: httpx.Response) -> bool:
    error = answer.json()["error"]
    named = "two different models" in error["message"] and error["type"] == "invalid_request_error"
    return answer.status_code == 400 and named and rig.calls() == []


@pytest.mark.parametrize("other", ["rung", "nowhere", "lm_studio"])
@pytest.mark.parametrize("name", TWICE)
def test_a_model_named_twice_is_refused(rig: Rig, name: str, other: str) -> None:
    """In the query, the header, a second header, a second JSON key: a 400 before any call."""
    path, body = TWICE[name]
    own = str(body["model"])
    headers = [("x-litellm-model", own), ("x-litellm-model", other)]
    text = json.dumps(body)
    raw = {"content": text[:-1] + f', "model": "{other}"}}', "headers": {"content-type": "application/json"}}
    escaped = {**raw, "content": f'{{"mod\\u0065l": "{other}", {text[1:]}'}
    tried: list[tuple[str, dict[str, Any]]] = [
        (f"{path}?model={other}", {"json": body}),
        (f"{path}?model={own}&model={other}", {"json": body}),
        (path, {"json": body, "headers": {"X-LiteLLM-Model": other}}),
        (path, {"json": body, "headers": headers}),
        (path, {"json": body, "headers": headers[::-1]}),
        (path, raw),
        (path, escaped),
    ]
    wrong = [one for one in tried if not _is_refused(rig, rig.client.post(one[0], **one[1]))]
    assert wrong == []


@pytest.mark.parametrize("other", ["rung", "nowhere", "lm_studio"])
@pytest.mark.parametrize("name", TWICE)
def test_a_model_in_extra_body_is_refused(rig: Rig, name: str, other: str) -> None:
    """It would replace the one that was judged, at whatever depth: a 400 that names the field, no call."""
    path, body = TWICE[name]
    for inside in ({"model": other}, {"extra_body": {"model": other}}):
        answer = rig.client.post(path, json={**body, "extra_body": inside})
        assert answer.status_code == 400, answer.text
        assert "extra_body" in answer.json()["error"]["message"]
        assert rig.calls() == []


@pytest.mark.parametrize("other", ["rung", "nowhere", "openai"])
@pytest.mark.parametrize("name", FORMS)
def test_a_model_named_twice_with_a_form_is_refused(rig: Rig, name: str, other: str) -> None:
    """A second field, a bracketed one, the query, the header."""
    path, fields, files = FORMS[name]
    more: list[tuple[str, dict[str, Any]]] = [
        (path, {"data": {**fields, "model": [fields["model"], other]}}),
        (path, {"data": {**fields, "model": [other, fields["model"]]}}),
        (path, {"data": {**fields, "model[0]": other}}),
        (f"{path}?model={other}", {"data": fields}),
        (path, {"data": fields, "headers": {"x-litellm-model": other}}),
    ]
    wrong = [one for one in more if not _is_refused(rig, rig.client.post(one[0], files=files, **one[1]))]
    assert wrong == []


@pytest.mark.parametrize("name", FORMS)
def test_a_list_of_models_in_a_form_reaches_nothing(rig: Rig, name: str) -> None:
    """LiteLLM itself fails on some routes when `model` and `model[]` are both there; no call leaves."""
    path, fields, files = FORMS[name]
    answer = rig.client.post(path, data={**fields, "model[]": "rung"}, files=files)
    assert (answer.status_code >= 400, rig.calls()) == (True, []), answer.text


def test_equal_names_pass(rig: Rig) -> None:
    """The same name in every place is one name."""
    path, body = TWICE["chat"]
    answer = rig.client.post(
        f"{path}?model=openai",
        json={**body, "model": "models/openai"},
        headers={"x-litellm-model": "openai"},
    )
    assert answer.status_code == 200, answer.text
    assert [one.json["model"] for one in rig.calls()] == ["real-openai"]


@pytest.mark.parametrize("named", ["real-mistral", "mistral-large", "mistral"])
def test_a_model_below_extra_body_reaches_no_other_model(rig: Rig, named: str) -> None:
    """Mistral's requests are merged with `extra_body`: a model in it is refused, its own name too."""
    body = {**TWICE["chat"][1], "model": "mistral", "extra_body": {"model": named}}
    answer = rig.post("/v1/chat/completions", body)
    assert (answer.status_code, rig.calls()) == (400, []), answer.text


@pytest.mark.parametrize("path", ["/v1/files", "/v1/batches", "/v1/files/file-abc", "/v1/batches/batch_abc"])
@pytest.mark.parametrize("how", ["?model=openai", "?custom_llm_provider=azure", ""])
def test_files_and_batches_are_closed(rig: Rig, path: str, how: str) -> None:
    """LiteLLM would ask the first `openai/` deployment for an id that names none."""
    answer = rig.client.get(path + how, headers={"x-litellm-model": "openai"})
    assert (answer.status_code, rig.calls()) == (403, []), answer.text
