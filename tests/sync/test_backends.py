"""A registry that is drafted from what servers list."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from litellm_homelab.sync import backends
from litellm_homelab.sync.sources import read_registry

ROUTER = """\
model_list:
  - {model_name: a, litellm_params: {model: lm_studio/a, api_base: 'http://127.0.0.1:1/v1', api_key: k}}
  - {model_name: again, litellm_params: {model: lm_studio/b, api_base: 'http://127.0.0.1:1/v1', api_key: k}}
  - {model_name: boost, litellm_params: {model: lm_studio/a, api_base: 'http://127.0.0.1:9/v1'}}
  - {model_name: far, litellm_params: {model: openai/gpt-4o, api_base: 'https://api.example.com/v1'}}
  - {model_name: named, litellm_params: {model: lm_studio/a, api_base: 'http://192.168.0.7/v1'}}
  - {model_name: unset, litellm_params: {model: lm_studio/a, api_base: os.environ/NOT_SET}}
homelab:
  optillm: {boost: {approaches: [moa]}}
  backends: {away: {at: ['http://192.168.0.7/v1'], kind: cloud}}
"""
SERVERS: dict[str, dict[str, Any]] = {
    "vLLM": {
        "GET /v1/models": {"data": [{"id": "m", "max_model_len": 4096, "root": "/srv/m", "owned_by": "vllm"}]}
    },
    "llama.cpp": {"GET /v1/models": {"data": [{"id": "m", "meta": {"n_ctx_train": 4096}}]}},
    "LM Studio": {
        "GET /v1/models": {"data": [{"id": "m", "object": "model"}]},
        "GET /api/v0/models": {"data": [{"id": "m", "max_context_length": 4096}]},
    },
    "Ollama": {
        "GET /v1/models": {"data": [{"id": "m", "owned_by": "library"}]},
        "POST /api/show": {"model_info": {"qwen3.context_length": 4096, "qwen3.block_count": 5}},
    },
    "another": {"GET /v1/models": {"data": [{"id": "m"}, {"no": "id"}, 5]}},
}


class FakeServer:
    """Answers with what is written for a path, and 404 for any other."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def client(self) -> httpx.Client:
        """A client whose every request comes here."""
        return httpx.Client(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url} {request.headers.get('authorization')}")
        found = self.answers.get(f"{request.method} {request.url.path}")
        return httpx.Response(200, json=found) if found is not None else httpx.Response(404)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_of_each_kind_is_read(kind: str, tmp_path: Path) -> None:
    """With its model's length where it tells one; only servers of the home are asked, each with its key."""
    path = tmp_path / "router.yaml"
    path.write_text(ROUTER)
    server = FakeServer(SERVERS[kind])
    draft, _, failed = backends.drafted(path, {}, server.client())
    entry = draft["models"].pop("m")
    assert entry.get("context_length") == (None if kind == "another" else 4096)
    assert entry["api_base"] == "http://127.0.0.1:1/v1"
    assert (draft, failed) == ({"version": 2, "models": {}}, ())
    assert server.asked[0] == "GET http://127.0.0.1:1/v1/models Bearer k"
    assert {one.split()[1].partition("/v1")[0].partition("/api")[0] for one in server.asked} == {
        "http://127.0.0.1:1"
    }


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        pytest.param("http://127.0.0.1:1", True, id="another server"),
        pytest.param("http://127.0.0.1:9/v1/", False, id="OptiLLM, with a slash"),
        pytest.param("http://LOCALHOST:9", False, id="OptiLLM, by another name"),
        pytest.param("http://192.168.0.7:80/v1", False, id="a cloud, with its port"),
        pytest.param("http://192.168.0.7/v1/below", False, id="below a cloud"),
    ],
)
def test_what_is_left_out_is_known_by_where_it_leads(written: str, asked: bool, tmp_path: Path) -> None:
    """However its address is written: OptiLLM would ask this gateway, and a cloud costs money."""
    path = tmp_path / "router.yaml"
    path.write_text(ROUTER.replace("http://127.0.0.1:1/v1", written))
    server = FakeServer(SERVERS["vLLM"])
    backends.drafted(path, {}, server.client())
    assert bool(server.asked) is asked


def test_a_server_with_two_spellings_is_asked_once(tmp_path: Path) -> None:
    """And its models are not said to be at two servers."""
    path = tmp_path / "router.yaml"
    path.write_text(ROUTER.replace("http://127.0.0.1:1/v1", "http://localhost:1/", 1))
    server = FakeServer(SERVERS["vLLM"])
    _, notes, _ = backends.drafted(path, {}, server.client())
    assert len(server.asked) == 1
    assert not [one for one in notes if "too" in one]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(httpx.Response(401), "it answers 401: set the api_key of 'a'", id="a wrong key"),
        pytest.param(httpx.Response(404), "it answers 404 to GET /v1/models: check the api_base", id="404"),
        pytest.param(httpx.Response(200, text="<html>"), "is not a list of models: check", id="a page"),
        pytest.param(httpx.Response(200, text="[" * 100_000), "is not a list of models: check", id="deep"),
    ],
)
def test_a_server_that_is_there_is_not_to_be_started(
    answer: httpx.Response, said: str, tmp_path: Path
) -> None:
    """The advice is about what is wrong: its key, its address, what it is."""
    path = tmp_path / "router.yaml"
    path.write_text(ROUTER)
    client = httpx.Client(transport=httpx.MockTransport(lambda _: answer))
    _, _, failed = backends.drafted(path, {}, client)
    assert said in failed[0]
    assert "start it" not in failed[0]


def test_a_draft_can_be_synchronised(tmp_path: Path) -> None:
    """`sync --registry` reads what `--from-backends` prints."""
    path = tmp_path / "router.yaml"
    path.write_text(ROUTER)
    draft, _, _ = backends.drafted(path, {}, FakeServer(SERVERS["vLLM"]).client())
    (tmp_path / "draft.json").write_text(json.dumps(draft))
    assert read_registry(tmp_path / "draft.json")["m"].path == "/srv/m"


@pytest.mark.parametrize(
    "answers", [{}, {"GET /v1/models": "text"}, {"GET /v1/models": {"data": 5}}], ids=["404", "text", "data"]
)
def test_a_server_that_does_not_answer_well_breaks_nothing(answers: dict[str, Any], tmp_path: Path) -> None:
    """The draft has no model of it, and a failure is named."""
    path = tmp_path / "router.yaml"
    path.write_text(ROUTER)
    draft, _, failed = backends.drafted(path, {}, FakeServer(answers).client())
    assert draft["models"] == {}
    assert len(failed) == (0 if answers else 1)
