"""A real mlx_lm.server loads any folder that a request names: none does so through the gateway."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from litellm_homelab.demo.recorder import RecordedRequest, Recorder
from tests.config import shipped as files
from tests.real.asking import ask
from tests.real.gateway import Gateway, free_port, gateway
from tests.real.mlx import MlxServer, mlx_server
from tests.real.optillm import VERSIONS, optillm_server
from tests.real.recording_proxy import Passing
from tests.real.upstreams import listening

BAD: list[dict[str, Any]] = [
    {"temperature": "hot"},
    {"max_tokens": "many"},
    {"top_p": 7},
    {"logit_bias": {"x": "y"}},
    {"stop": 5},
    {"messages": [{"role": "nobody", "content": 5}]},
]
"""Requests that the server, or LiteLLM before it, answers with an error."""


@dataclass(frozen=True, slots=True)
class Lab:
    """A gateway whose `main` and `boost` lead to the server, what passed on the way there, and a decoy."""

    gateway: Gateway
    server: MlxServer
    recorder: Recorder
    decoy: Path


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The shipped configuration, a real OptiLLM and a real mlx_lm.server with a recorder before it."""
    recorder, port = Recorder(), free_port()
    with mlx_server(noting=True) as server:
        decoy = tmp_path_factory.mktemp("decoy") / "another-model"
        shutil.copytree(server.model, decoy)
        root = server.api_base.removesuffix("/v1")
        with listening(Passing("mlx", root, recorder)) as between:
            environ = _environ(server, f"{between}/v1", f"http://127.0.0.1:{port}/v1")
            with gateway(environ=environ) as running:
                keys = running.environ["OPTILLM_UPSTREAM_KEY"], running.environ["OPTILLM_GATE_KEY"]
                with optillm_server(VERSIONS[0], f"{running.url}/v1", *keys, port=port):
                    yield Lab(running, server, recorder, decoy)


def _environ(server: MlxServer, base: str, optillm: str) -> dict[str, str]:
    provider = files.BY_GROUP["main"].model.partition("/")[0]
    model = {"MAIN_MODEL": f"{provider}/{server.model}", "MAIN_API_BASE": base}
    boost = {"BOOST_BASE_MODEL": f"{provider}/{server.model}", "BOOST_BASE_API_BASE": base}
    return {**model, **boost, "OPTILLM_API_BASE": optillm}


STEERING: dict[str, Callable[[str], Any]] = {
    "draft_model": lambda folder: folder,
    "adapters": lambda folder: folder,
    "model": lambda folder: folder,
    "models": lambda folder: [folder],
    "adapter_path": lambda folder: folder,
    "model_path": lambda folder: folder,
    "lora": lambda folder: [{"path": folder}],
    "deployment_id": lambda folder: folder,
}
PLACES: dict[str, Callable[[str, Any], dict[str, Any]]] = {
    "body": lambda name, value: {name: value},
    "extra_body": lambda name, value: {"extra_body": {name: value}},
    "extra_body twice": lambda name, value: {"extra_body": {"extra_body": {name: value}}},
    "optional_params": lambda name, value: {"optional_params": {name: value}},
    "chat_template_kwargs": lambda name, value: {"chat_template_kwargs": {name: value}},
}


SHORT: dict[str, dict[str, Any]] = {
    "chat": {"max_tokens": 2},
    "completions": {"max_tokens": 2},
    "responses": {"max_output_tokens": 2},
    "messages": {"max_tokens": 2},
    "generate": {"generationConfig": {"maxOutputTokens": 2}},
}
"""How each route asks for a short answer."""
PAIRS = [(name, place) for name in STEERING for place in PLACES if (name, place) != ("model", "body")]


@pytest.mark.parametrize("handle", ["main", "boost"])
@pytest.mark.parametrize(("name", "place"), PAIRS)
def test_no_field_makes_it_load_another_folder(lab: Lab, handle: str, name: str, place: str) -> None:
    """On every route, streamed too: the server is sent its own model's name, and loads nothing else."""
    value = STEERING[name](str(lab.decoy))
    for number, route in enumerate(SHORT):
        fields = {**SHORT[route], **PLACES[place](name, value)}
        ask(lab.gateway, route, handle, stream=bool(number % 2), **fields)

    assert {load for load in lab.server.loaded if str(lab.decoy) in load} == set()
    assert [one.path for one in lab.recorder.requests() if _steers(one, lab.decoy)] == []
    assert {(one.json or {}).get("model") for one in lab.recorder.requests()} <= {lab.server.model}


def _steers(request: RecordedRequest, decoy: Path) -> bool:
    body = request.json if isinstance(request.json, dict) else {}
    fields = {name: value for name, value in body.items() if name not in {"messages", "chat_template_kwargs"}}
    return str(decoy) in json.dumps(fields)


@pytest.mark.parametrize("handle", ["main", "boost"])
def test_bad_requests_leave_the_handle_serving(lab: Lab, handle: str) -> None:
    """After six bad requests in a row everybody is served as before."""
    bad = [ask(lab.gateway, "chat", handle, stream=False, **fields).status_code for fields in BAD]
    good = [ask(lab.gateway, route, handle, stream=False, max_tokens=9) for route in ("chat", "completions")]

    assert [answer.status_code for answer in good] == [200, 200], (bad, [one.text[:300] for one in good])


def test_the_server_itself_would_load_it(tmp_path: Path) -> None:
    """Asked directly it loads the decoy: the tests above look at something."""
    with mlx_server(noting=True) as server:
        decoy = tmp_path / "another-model"
        shutil.copytree(server.model, decoy)
        body = {"model": str(decoy), "messages": [{"role": "user", "content": "hello"}], "max_tokens": 2}
        answer = httpx.post(f"{server.api_base}/chat/completions", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        assert str(decoy) in server.loaded
