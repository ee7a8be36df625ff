"""config/optillm/start.sh with real OptiLLMs behind the shipped router.yaml, as docs/optillm.md says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.config.shipped import BY_GROUP, FOLDER
from tests.real.gateway import Gateway, free_port, gateway
from tests.real.optillm import VERSIONS
from tests.real.server import VENVS, running

pytestmark = pytest.mark.real

OPTILLM = FOLDER / "optillm"
BASE = BY_GROUP["boost-base"].upstream_model


@dataclass(frozen=True, slots=True)
class Lab:
    """The shipped gateway with an OptiLLM that start.sh started."""

    gateway: Gateway
    variables: dict[str, str]

    def backend_calls(self) -> list[str]:
        """The models that the demo backends were asked for."""
        return [str((one.json or {}).get("model")) for one in self.gateway.demo.requests()]


@pytest.fixture(scope="module")
def port() -> int:
    """Where OptiLLM will listen."""
    return free_port()


@pytest.fixture(scope="module")
def shipped_gateway(port: int) -> Iterator[Gateway]:
    """The shipped configuration, its OPTILLM_API_BASE moved to a real OptiLLM."""
    with gateway(environ={"OPTILLM_API_BASE": f"http://127.0.0.1:{port}/v1"}) as started:
        yield started


LABS = [*(pytest.param((version, "/v1"), id=version) for version in VERSIONS)]
LABS.append(pytest.param((VERSIONS[0], "/engines/boost-base"), id=f"{VERSIONS[0]}-stock-belt"))


@pytest.fixture(scope="module", params=LABS)
def lab(request: pytest.FixtureRequest, shipped_gateway: Gateway, port: int) -> Iterator[Lab]:
    """Each version in turn, started by start.sh with the gateway's whole environment around it."""
    version, upstream_path = request.param
    path = f"{VENVS / f'optillm-{version}' / 'bin'}:{os.environ['PATH']}"
    variables = {
        **shipped_gateway.environ,
        "PATH": path,
        "OPTILLM_PORT": str(port),
        "OPTILLM_UPSTREAM_API_BASE": f"{shipped_gateway.url}{upstream_path}",
    }
    health = f"http://127.0.0.1:{port}/health"
    with running("start.sh", [OPTILLM / "start.sh"], variables, health=health):
        yield Lab(shipped_gateway, variables)


@pytest.fixture(autouse=True)
def _forget(shipped_gateway: Gateway) -> None:
    shipped_gateway.demo.clear_requests()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("approach", "calls"),
    [
        pytest.param("none", 1, id="none"),
        pytest.param("moa", 3, id="moa"),
        pytest.param("re2&plansearch", 5, id="combined"),
    ],
)
def test_boost(lab: Lab, approach: str, calls: int, stream: bool) -> None:
    """A client's key, boost, OptiLLM, and back to the base model; the answer's headers tell what it cost."""
    answer = lab.gateway.client.post(
        "/v1/chat/completions",
        headers={"Authorization": f"Bearer {lab.variables['OPEN_WEBUI_KEY']}"},
        json={
            "model": "boost",
            "messages": [{"role": "user", "content": "hello"}],
            "optillm_approach": approach,
            "stream": stream,
        },
    )
    assert answer.status_code == 200, answer.text
    assert "@homelab" not in answer.text
    assert lab.backend_calls() == [BASE] * calls
    assert answer.headers["x-homelab-approach"] == approach
    # A stream's headers leave before its first chunk, and OptiLLM has made all its calls by then.
    assert answer.headers["x-homelab-calls"] == str(calls)
    assert int(answer.headers["x-homelab-tokens"]) > 0


def test_warm_up(lab: Lab) -> None:
    """warmup.sh is answered, by way of OptiLLM and the gateway, from the base model."""
    done = subprocess.run(
        [OPTILLM / "warmup.sh"], env=lab.variables, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert '"choices"' in done.stdout
    assert lab.backend_calls() == [BASE]


def test_the_warmup_command(lab: Lab) -> None:
    """`litellm-homelab warmup` does the same; these OptiLLMs are without torch, and `--router` says so."""
    url = f"http://127.0.0.1:{lab.variables['OPTILLM_PORT']}"
    words = (url, "--model=boost-base", "--key-env=OPTILLM_GATE_KEY", "--router")
    loaded, router = _warmup(lab, *words, status=1)
    assert loaded.startswith("boost-base: answered after ")
    assert router.startswith("boost-base (router): not loaded: this OptiLLM has no approach router;")
    assert lab.backend_calls() == [BASE]


def test_the_warmup_command_for_a_gateway(lab: Lab) -> None:
    """The first local handle of each server, and OptiLLM's with one call back."""
    lines = _warmup(lab, lab.gateway.url, "--config", str(FOLDER / "router.yaml"))
    names = [line.partition(":")[0] for line in lines]
    assert {"main", "boost"} <= {*names}
    assert "deep" not in names
    assert len(lab.backend_calls()) == len(names)


def _warmup(lab: Lab, *words: str, status: int = 0) -> list[str]:
    """The lines that the command prints."""
    command = [sys.executable, "-m", "litellm_homelab.cli", "warmup", *words]
    done = subprocess.run(command, env=lab.variables, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_proxy_stays_here(lab: Lab) -> None:
    """Whoever holds the gate key and asks OptiLLM for `proxy` is led to this gateway, not to a cloud."""
    body = {"model": "proxy-boost-base", "messages": [{"role": "user", "content": "hello"}]}
    answer = lab.gateway.client.post(
        f"http://127.0.0.1:{lab.variables['OPTILLM_PORT']}/v1/chat/completions",
        headers={"Authorization": f"Bearer {lab.variables['OPTILLM_GATE_KEY']}"},
        json=body,
    )
    assert answer.status_code == 200, answer.text
    assert lab.backend_calls() == [BASE]
