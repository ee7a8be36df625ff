"""The files of a running gateway change under it; a gateway is asked to end while it answers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml

from litellm_homelab.testing.upstream import Upstreams
from tests.adapter.lane import TEXT, document, group
from tests.faults.table import fault
from tests.real.gateway import START_SECONDS, Process, code_of, end, free_port, start, tail
from tests.real.lane.rig import MASTER_KEY, bearer
from tests.real.upstreams import listening

pytestmark = pytest.mark.real

ENVIRON = {"LITELLM_MASTER_KEY": MASTER_KEY, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
HOOK = {"LITELLM_WORKER_STARTUP_HOOKS": "litellm_homelab:startup"}
"""Loads our parts whatever router.yaml says; without it, a file that names none starts stock LiteLLM."""
REFUSED_SECONDS = 60.0
"""A start that is refused takes a second."""
ENTRY = {"cache_path": "/srv/models/a", "context_length": 8}


@dataclass(slots=True)
class Lab:
    """A gateway with a router.yaml and a registry in `folder`, and the backends behind it."""

    folder: Path
    upstreams: Upstreams
    url: str
    process: Process

    def ask(self) -> int:
        """The status of one request."""
        body = {"model": "main", "messages": TEXT}
        return httpx.post(
            f"{self.url}/v1/chat/completions", json=body, headers=bearer(MASTER_KEY)
        ).status_code

    def another(self) -> tuple[int, str]:
        """Start another gateway on the same files: its exit code, what it said."""
        log = self.folder / "another.log"
        log.write_bytes(b"")
        process = start(self.folder / "router.yaml", free_port(), ENVIRON | HOOK, (), log)
        give_up_at = time.monotonic() + REFUSED_SECONDS
        while (code := code_of(process)) is None and time.monotonic() < give_up_at:
            time.sleep(0.05)
        end(process)
        assert code is not None, tail(log)
        return code, log.read_text(encoding="utf-8", errors="replace")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One gateway for all tests of this file; the last one ends it."""
    folder, upstreams, port = tmp_path_factory.mktemp("lab"), Upstreams(), free_port()
    with listening(upstreams) as root:
        content = document([group("main", api_base=f"{root}{Upstreams.path('main')}/v1")], {}, internal=())
        content["homelab"]["showroom"] |= {"registry": "registry.json", "roots": ["/srv/models"]}
        (folder / "router.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        (folder / "registry.json").write_text(json.dumps({"version": 2, "models": {"main": ENTRY}}))
        log = folder / "litellm.log"
        log.touch()
        process = start(folder / "router.yaml", port, ENVIRON, (), log)
        url, give_up_at = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
        try:
            while not _answers(url):
                assert code_of(process) is None, tail(log)
                assert time.monotonic() < give_up_at, tail(log)
                time.sleep(0.1)
            yield Lab(folder, upstreams, url, process)
        finally:
            end(process)


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}/health/liveliness", timeout=2).status_code == httpx.codes.OK
    return False


def half(text: str) -> str:
    """An editor, or a disk, has written the first half of it."""
    return text[: len(text) // 2]


def nothing(_: str) -> str:
    """It was opened and not written yet."""
    return ""


def other(_: str) -> str:
    """Another program's file is there."""
    return '{"something": "else"}\n'


EMPTY = "Config cannot be None or Empty"
"""LiteLLM's own words (1.108.7); it reads the file first."""


@fault(
    "Configuration",
    "router.yaml or the registry is half-written, emptied or replaced while the gateway runs",
    sees="nothing: the gateway goes on with what it has read",
    lost="nothing; a gateway or worker that starts then refuses, and its log says what is wrong",
    recovers="the next start, once the file is whole",
)
@pytest.mark.parametrize(
    ("name", "damage", "says"),
    [
        ("router.yaml", half, "router.yaml"),
        ("router.yaml", nothing, EMPTY),
        ("router.yaml", other, "router.yaml: homelab: missing or empty"),
        ("registry.json", half, "homelab.showroom.registry: registry.json: "),
        ("registry.json", nothing, "homelab.showroom.registry: registry.json: "),
        ("registry.json", other, "homelab.showroom.registry: registry.json: version: expected 2"),
    ],
)
def test_a_file_changes_under_it(lab: Lab, name: str, damage: Callable[[str], str], says: str) -> None:
    """The running gateway goes on, a new one refuses to start and says why."""
    file = lab.folder / name
    whole = file.read_text(encoding="utf-8")
    file.write_text(damage(whole), encoding="utf-8")
    try:
        assert lab.ask() == 200
        code, said = lab.another()
    finally:
        file.write_text(whole, encoding="utf-8")
    assert code != 0
    assert says in said, said[-3000:]
    assert lab.ask() == 200


@fault(
    "Processes and clocks",
    "SIGTERM with requests under way",
    sees="their whole answers; new connections are refused",
    lost="nothing",
    recovers="the next start",
)
def test_a_gateway_that_is_asked_to_end_answers_first(lab: Lab) -> None:
    """A whole answer and a stream are complete, and then it ends by itself."""
    backend = lab.upstreams.of("main")
    backend.fails("slow", seconds=2)
    before, found = len(backend.requests), {}

    def ask(stream: bool) -> None:
        body = {"model": "main", "messages": TEXT, "stream": stream}
        headers = bearer(MASTER_KEY)
        answer = httpx.post(f"{lab.url}/v1/chat/completions", json=body, headers=headers, timeout=60)
        found[stream] = answer.status_code, "[DONE]" in answer.text

    clients = [threading.Thread(target=ask, args=(stream,)) for stream in (False, True)]
    for client in clients:
        client.start()
    give_up_at = time.monotonic() + 30
    while len(backend.requests) < before + 2 and time.monotonic() < give_up_at:
        time.sleep(0.02)
    os.kill(lab.process.pid, signal.SIGTERM)
    for client in clients:
        client.join(timeout=60)
    assert found == {False: (200, False), True: (200, True)}
    lab.process.wait(timeout=30)
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{lab.url}/health/liveliness", timeout=2)
