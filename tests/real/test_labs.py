"""Owner's files of tests/labs on real LiteLLM processes: they start, list, answer, stream and fail over."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from litellm_homelab.testing.upstream import Upstreams
from tests.labs.adopt import LABS, Lab, written
from tests.real.gateway import free_port, litellm
from tests.real.upstreams import listening

MASTER = "sk-lab-master-key"
APP = "sk-lab-app-key-1"
BY_NAME = {lab.file: lab for lab in LABS}


@dataclass(frozen=True)
class Running:
    """A lab's gateway: a client with the key that its clients use, its upstreams, its log."""

    client: httpx.Client
    upstreams: Upstreams
    log: Path

    def chat(self, model: str, text: str = "hello", **fields: object) -> httpx.Response:
        """One chat completion."""
        messages = [{"role": "user", "content": text}]
        body = {"model": model, "messages": messages, **fields}
        return self.client.post("/v1/chat/completions", json=body)


@contextlib.contextmanager
def lab_running(lab: Lab, folder: Path) -> Iterator[Running]:
    """The lab on a real LiteLLM; its machines (192.0.2.x) are paths of one stand-in on loopback."""
    path, upstreams, port = written(lab, folder, ours=True), Upstreams(), free_port()
    with listening(upstreams) as base:
        for file in folder.glob("*.yaml"):
            text = re.sub(r"http://192\.0\.2\.(\d+):\d+", rf"{base}/m\1", file.read_text(encoding="utf-8"))
            file.write_text(text, encoding="utf-8")
        environ = {"LITELLM_MASTER_KEY": MASTER, "LITELLM_LOCAL_MODEL_COST_MAP": "True", **lab.environ}
        environ |= {"LOCAL_API_KEY": "local-1"}
        headers = {"Authorization": f"Bearer {APP if lab.keys else MASTER}"}
        with (
            litellm(path, port, environ) as log,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client,
        ):
            yield Running(client, upstreams, log)


def test_the_operators_lab(tmp_path: Path) -> None:
    """A key of its own lists the handles, asks them, streams, and falls over to the second machine."""
    with lab_running(BY_NAME["operator"], tmp_path) as lab:
        listed = [one["id"] for one in lab.client.get("/v1/models").json()["data"]]
        assert listed == ["qwen3-30b", "gpt-oss-20b"]
        assert lab.chat("qwen3-30b").status_code == 200
        assert "data: [DONE]" in lab.chat("gpt-oss-20b", stream=True).text
        lab.upstreams.of("m10").fails(500)
        assert lab.chat("qwen3-30b").status_code == 200
        calls = [call.backend for call in lab.upstreams.recorder.requests()]
        assert (calls[0], calls[-1]) == ("m10", "m11")
        assert lab.chat("backroom").status_code == 404
        said = lab.log.read_text(errors="replace")
        assert "global_disable_no_log_param: not set to true" in said


def test_a_lab_with_files_of_its_own(tmp_path: Path) -> None:
    """The owner's guardrail and callback run as before."""
    with lab_running(BY_NAME["own_guardrails"], tmp_path) as lab:
        assert lab.chat("house").status_code == 200
        sent = lab.upstreams.recorder.requests()[-1].json
        assert [one["content"] for one in sent["messages"]] == ["house rules", "hello"]
        refused = lab.chat("house", "banana")
        assert refused.status_code == 400
        assert "no fruit" in refused.text


def test_a_lab_whose_models_are_in_the_database(tmp_path: Path) -> None:
    """`model_list: []` starts, says which name it waits for, and serves nothing yet."""
    with lab_running(BY_NAME["database"], tmp_path) as lab:
        assert lab.client.get("/v1/models").json()["data"] == []
        assert lab.chat("later").status_code in {400, 404, 500}
        said = lab.log.read_text(errors="replace")
        assert "'later' is served once a model of LiteLLM's database has that name" in said


@pytest.mark.parametrize("name", ["wildcards", "included"])
def test_labs_that_only_the_real_start_can_show(name: str, tmp_path: Path) -> None:
    """Wildcards and included files: LiteLLM's own loading and ours agree."""
    lab = BY_NAME[name]
    with lab_running(lab, tmp_path) as running:
        listed = [one["id"] for one in running.client.get("/v1/models").json()["data"]]
        assert listed == [*lab.handles]
        local = "ollama/qwen2.5:7b" if name == "wildcards" else "near"
        answer = running.chat(local)
        assert answer.status_code == 200, answer.text
        assert answer.json()["model"] == local
        assert running.chat("openai/anything-else").status_code == 404
