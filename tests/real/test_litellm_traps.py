"""
What the package relies on in stock LiteLLM, as a real process without the package shows it.

Seen on the versions of `tests/versions.py`, which has what differs; another version fails here.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import versions
from tests.real.asking import ask
from tests.real.clients import sse
from tests.real.gateway import START_SECONDS, Gateway, end, free_port, gateway, read_env, start, tail

REFUSALS = 2
"""As many as `allowed_fails` of the traps' router.yaml: none of them may rest the deployment."""
CONFIG = Path(__file__).parent / "traps" / "router.yaml"
Event = dict[str, Any]


class Probes:
    """LiteLLM with the probes, and what they noted since the test began."""

    def __init__(self, running: Gateway, log: Path) -> None:
        self.gateway = running
        self._log = log
        self._skip = len(self.all())

    def all(self) -> list[Event]:
        """Every event since the start."""
        return [json.loads(line) for line in self._log.read_text(encoding="utf-8").splitlines()]

    def seen(self, event: str, **fields: object) -> list[Event]:
        """The events of one kind with these fields, since the test began."""
        own = self.all()[self._skip :]
        return [one for one in own if one["event"] == event and fields.items() <= one.items()]

    def wait(self, event: str, **fields: object) -> None:
        """Until such an event is noted: LiteLLM logs in the background."""
        _until(lambda: bool(self.seen(event, **fields)), 15, f"no {event} {fields}")


def _until(happened: Callable[[], bool], seconds: float, otherwise: str) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Path]]:
    log = tmp_path_factory.mktemp("probes") / "log"
    with gateway(CONFIG, environ={"PROBE_LOG": str(log)}) as running:
        yield running, log


@pytest.fixture
def probes(_running: tuple[Gateway, Path]) -> Iterator[Probes]:
    """The probes' LiteLLM, with nothing noted and no fault switched yet."""
    running, log = _running
    running.demo.clear_requests()
    yield Probes(running, log)
    running.demo.clear_fault()


def test_a_refusal_of_an_attempt_is_final(probes: Probes) -> None:
    """A guardrail exception in the deployment hook: its status, one attempt, no fallback."""
    for _ in range(REFUSALS):
        answer = probes.gateway.chat("refused")
        assert answer.status_code == 404, answer.text
        assert "refused by the probe" in answer.text  # 1.110 has another shape for it

    assert len(probes.seen("attempt", by="Probe")) == REFUSALS
    assert probes.gateway.sent() == []


def test_what_a_refusal_of_an_attempt_rests(probes: Probes) -> None:
    """After more refusals than `allowed_fails` 1.110 lets the deployment rest, and its fallback answers."""
    answers = [probes.gateway.chat("refused").status_code for _ in range(REFUSALS + 1)]

    assert answers[-1] == (200 if versions.REFUSED_404S_REST else 404)
    assert bool(probes.gateway.sent("ollama")) is versions.REFUSED_404S_REST


def test_another_exception_lets_the_fallback_run(probes: Probes) -> None:
    """An HTTPException(404) in the deployment hook does not reach the client: the fallback answers."""
    assert probes.gateway.chat("lost").status_code == 200
    assert probes.gateway.sent("ollama")


def test_an_inherited_pre_call_hook_is_skipped(probes: Probes) -> None:
    """A callback that inherits its pre-call hook is asked per attempt, and not in pre-call."""
    assert probes.gateway.chat("spare").status_code == 200

    assert probes.seen("attempt", by="Heir")
    assert probes.seen("pre-call", by="Probe")
    assert not probes.seen("pre-call", by="Heir")


def test_a_file_beside_the_configuration_is_run_once_per_callback(probes: Probes) -> None:
    """Two callbacks of one file share nothing: the file is run anew for each."""
    assert len([one for one in probes.all() if one["event"] == "loaded"]) == 2


@pytest.mark.parametrize(("user", "model"), [("raw", "stamped"), ("other", "alone")])
def test_the_answers_model_is_written_after_the_hooks(probes: Probes, user: str, model: str) -> None:
    """LiteLLM puts the name asked for over a success hook's, unless it is asked to leave it alone."""
    answer = probes.gateway.chat("alone", user=user)

    assert (answer.status_code, answer.json()["model"]) == (200, model)


@pytest.mark.parametrize(("user", "model"), [("raw", "stamped"), ("other", "spare")])
def test_the_chunks_model_is_written_after_the_hooks(probes: Probes, user: str, model: str) -> None:
    """In a stream that is the group that a fallback ended up at, over what the stream's hook wrote."""
    probes.gateway.demo.fault("vllm", "500", times=1)

    answer = probes.gateway.chat("first", user=user, stream=True)

    assert {chunk["model"] for chunk in sse(answer.text)} == {model}


@pytest.mark.parametrize(
    ("route", "status", "message"),
    [
        ("chat", 418, "given back"),
        ("completions", 400, "changed in its place"),
        ("messages", 400, "changed in its place"),
    ],
)
def test_what_a_failure_hook_gives_back(probes: Probes, route: str, status: int, message: str) -> None:
    """Chat answers with what the hook gives back; completions and messages with the exception there was."""
    probes.gateway.demo.fault("vllm", "400", times=1)

    answer = ask(probes.gateway, route, "alone", stream=False)

    assert (answer.status_code, answer.json()["error"]["message"]) == (status, message)


def test_middleware_cannot_be_added_and_the_stack_can_be_wrapped(probes: Probes) -> None:
    """When callbacks are loaded `add_middleware` raises; a wrapper put around the built stack serves."""
    loaded = [one["add_middleware"] for one in probes.all() if one["event"] == "loaded"]

    assert set(loaded) == {"Cannot add middleware after an application has started"}
    assert probes.gateway.client.get("/health/liveliness").headers["x-probe"] == "wrapped, wrapped"


@pytest.mark.parametrize("route", ["chat", "completions", "responses", "messages"])
def test_a_client_cannot_write_the_chosen_deployment(probes: Probes, route: str) -> None:
    """The top-level `model_info` of an attempt is the router's, whatever the body says."""
    forged = {"id": "forged", "mode": "chat"}
    fields = {"model_info": forged, "metadata": {"model_info": forged, "model_group": "forged"}}

    ask(probes.gateway, route, "spare", stream=False, **fields)

    chosen = {one["chosen"] for one in probes.seen("attempt", by="Probe")}
    assert chosen == {"id-spare"}


def test_a_client_can_keep_itself_out_of_the_log(probes: Probes) -> None:
    """`"no-log": true` suppresses the success event where `global_disable_no_log_param` is not set."""
    for user, no_log in (("hidden", True), ("seen", False)):
        ask(probes.gateway, "chat", "spare", stream=False, user=user, **{"no-log": no_log})

    probes.wait("logged", by="Probe", user="seen")
    assert not probes.seen("logged", user="hidden")


def test_a_backends_404_rests_its_handle_for_everyone(probes: Probes) -> None:
    """
    Why a wrong pairing is refused before routing: its 404s would close the handle.

    The metric that counts it is the one that test_shipped looks at.
    """
    probes.gateway.demo.fault("cloud", "404")
    statuses = [probes.gateway.chat("tired").status_code for _ in range(5)]
    probes.gateway.demo.clear_fault("cloud")

    assert statuses[-1] == probes.gateway.chat("tired").status_code == 429
    lines = probes.gateway.client.get("/metrics/").text.splitlines()
    assert [line for line in lines if line.startswith("litellm_deployment_cooled_down_total{")]


def test_a_lone_deployment_and_allowed_fails(probes: Probes) -> None:
    """Whether a number that is set rests a deployment that is alone in its group and has no fallback."""
    probes.gateway.demo.fault("cloud", "503")
    statuses = [probes.gateway.chat("weary").status_code for _ in range(5)]
    probes.gateway.demo.clear_fault("cloud")

    assert (429 in statuses) == versions.LONE_DEPLOYMENTS_REST


def test_a_callback_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    """LiteLLM does not start without a callback that its configuration names."""
    document = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    document["litellm_settings"]["callbacks"] = ["nowhere.probe"]
    (tmp_path / "router.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")

    (tmp_path / "log").touch()
    process = start(tmp_path / "router.yaml", free_port(), read_env(), (), tmp_path / "log")
    try:
        status = process.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        status = 0
    finally:
        end(process)

    assert status != 0
    assert "nowhere" in tail(tmp_path / "log")
