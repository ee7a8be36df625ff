"""`litellm-homelab warmup`: its exit status, its lines, and where keys come from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from litellm_homelab.cli import main
from tests.probe.listening import listening

KEY = "k9-of-the-test-0123456789"
ROUTER = {
    "homelab": {"showroom": {"handles": ["main", "cloud"]}},
    "model_list": [
        {
            "model_name": "main",
            "litellm_params": {
                "model": "lm_studio/tide",
                "api_base": "http://127.0.0.1:9/v1",
                "api_key": "none",
            },
        },
        {"model_name": "cloud", "litellm_params": {"model": "groq/llama", "api_key": "none"}},
    ],
    "litellm_settings": {"callbacks": ["litellm_homelab.plugin"]},
    "general_settings": {
        "master_key": "os.environ/LITELLM_MASTER_KEY",
        "custom_auth": "litellm_homelab.gate",
    },
}


class Server:
    """A gateway or a model server; it answers for each model that it lists."""

    def __init__(self) -> None:
        self.models = ["tide"]
        self.asked: list[tuple[str, str, Any]] = []
        """(path, key, body) of each request."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """One request."""
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if request.method == "GET":
            return httpx.Response(200, json={"data": [{"id": one} for one in self.models]})
        body = json.loads(request.content)
        self.asked.append((request.url.path, key, body))
        if body["model"] not in self.models:
            return httpx.Response(404, json={"error": {"message": "no such model"}})
        return httpx.Response(200, json={"choices": [{"index": 0, "message": {"content": "OK"}}]})


@pytest.fixture
def server() -> Server:
    """One with a model."""
    return Server()


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    """Its address."""
    with listening(server) as found:
        yield found


def test_the_only_model_of_a_server(server: Server, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It needs no name, and the request is tiny."""
    assert main(["warmup", url]) == 0
    assert capsys.readouterr().out.startswith("tide: answered after 0.")
    (path, key, body) = server.asked[0]
    assert (path, key, body["max_tokens"]) == ("/v1/chat/completions", "", 8)


def test_several_models_need_names(server: Server, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """To load all of them would push each other out; `--all` does."""
    server.models = ["tide", "sea"]
    assert main(["warmup", url]) == 2
    assert "lists 2 models" in capsys.readouterr().err
    assert main(["warmup", url, "--model", "sea"]) == 0
    assert main(["warmup", url, "--all"]) == 0
    assert [body["model"] for _, _, body in server.asked] == ["sea", "tide", "sea"]


def test_one_that_is_not_loaded_is_status_1(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With the server's words."""
    assert main(["warmup", url, "--model", "tide", "--model", "nope"]) == 1
    said = capsys.readouterr().out
    assert "\nnope: not loaded: 404: no such model; this name is not known there" in said


def test_the_classifier(
    server: Server, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One more request, with the approach in it; the key is in a header and nowhere else."""
    monkeypatch.setenv("GATE_KEY", KEY)
    assert main(["warmup", url, "--model", "tide", "--router", "--key-env", "GATE_KEY"]) == 0
    assert [body.get("optillm_approach") for _, _, body in server.asked] == [None, "router"]
    assert {key for _, key, _ in server.asked} == {KEY}
    said = capsys.readouterr()
    assert "tide (router): answered" in said.out
    assert KEY not in said.out + said.err


def test_the_local_handles_of_a_router_yaml(
    server: Server,
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Through the gateway of that file, with its master key; clouds are left out."""
    server.models = ["main"]
    path = tmp_path / "router.yaml"
    path.write_text(json.dumps(ROUTER), encoding="utf-8")
    env = tmp_path / "env"
    env.write_text(f"PORT={url.rpartition(':')[2]}\nLITELLM_MASTER_KEY=sk-{KEY}-abcdefgh\n", encoding="utf-8")
    monkeypatch.delenv("LITELLM_MASTER_KEY", raising=False)
    assert main(["warmup", "--config", str(path), "--env", str(env)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("main: answered")
    assert said.err == "note: left out: cloud: not on a server of your own\n"
    assert [(key, body["model"]) for _, key, body in server.asked] == [(f"sk-{KEY}-abcdefgh", "main")]
    assert main(["warmup", "--config", str(path)]) == 2
    assert "the variable that contains the key is not set" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([], id="nothing"),
        pytest.param(["ftp://box"], id="another scheme"),
        pytest.param([f"http://{KEY}@box"], id="a key in the address"),
        pytest.param(["http://box", "--key-env", KEY], id="a key in the place of a name"),
        pytest.param(["--config", "none.yaml", "--key-env", "HOME"], id="no file"),
        pytest.param(["http://box", "--env", "none.env"], id="no env file"),
        pytest.param(["http://127.0.0.1:9", "--seconds", "0.2"], id="no connection"),
    ],
)
def test_what_cannot_be_used_is_status_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One line on standard error, without the key."""
    assert main(["warmup", *words]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n"), KEY in said.err) == ("", 1, False)


def test_time_that_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """What was not answered until then is not loaded."""
    with listening(lambda _: httpx.Response(503, json={"error": "loading"})) as url:
        assert main(["warmup", url, "--model", "tide", "--seconds", "1"]) == 1
    assert capsys.readouterr().out == "tide: not loaded: 503: loading\n"
