"""The unpacked wheel on PYTHONPATH beside nothing but LiteLLM, as in the official image, which has no pip."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from litellm_homelab.cli.child import ChildProcess
from litellm_homelab.demo.config import DEFAULT_PORTS, DemoConfig, models_from_env
from litellm_homelab.demo.thread import running_demo
from tests.docs.blocks import README, REPOSITORY, blocks
from tests.real import image
from tests.real.gateway import free_port, moved, read_env, with_upstream
from tests.real.server import running

pytestmark = pytest.mark.real

KEY = "sk-a-master-key-for-this-test"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> image.Image:
    """`litellm[proxy]` and nothing else."""
    return image.make(tmp_path_factory.mktemp("bare"), ("proxy",))


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> image.Image:
    """The extras that the official image has."""
    return image.make(tmp_path_factory.mktemp("official"), image.IMAGE_EXTRAS)


def _run(found: image.Image, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [found.bin / "python", *words]
    environ = found.environ(HOME=str(found.unpacked.parent))
    return subprocess.run(
        command,
        cwd=found.unpacked.parent,  # Python searches the folder that it is started in first
        env=environ,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_the_environment_has_no_pip_and_no_package_of_ours(bare: image.Image) -> None:
    """What is tested here is the folder on PYTHONPATH."""
    assert "No module named pip" in _run(bare, "-m", "pip", "--version").stderr
    assert not {"litellm-homelab", "prometheus-client", "prisma", "pytest"} & bare.distributions
    done = _run(bare, "-c", "import litellm_homelab; print(litellm_homelab.__file__)")
    assert done.stdout.startswith(str(bare.unpacked)), done.stderr


def test_the_image_has_what_metrics_and_redis_need(official: image.Image) -> None:
    """`prometheus` of the shipped router.yaml, and `state: redis://`, need no package beside the image's."""
    assert {"prometheus-client", "prisma", "redis"} <= official.distributions


def test_the_commands_run_as_a_module(bare: image.Image) -> None:
    """The archive has no console script: `python -m litellm_homelab.cli` is the same program."""
    done = _run(bare, "-m", "litellm_homelab.cli", "check", REPOSITORY / "config" / "router.yaml", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout) is not None


@pytest.fixture(scope="module")
def started(
    bare: image.Image, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, ChildProcess]]:
    """README's ten lines on `litellm[proxy]` alone: its address and its process."""
    folder, port = tmp_path_factory.mktemp("router"), free_port()
    (folder / "router.yaml").write_text(blocks("yaml", README)[0].text, encoding="utf-8")
    command: list[str | Path] = [bare.bin / "litellm", "--config", folder / "router.yaml"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    environ = bare.environ(LITELLM_MASTER_KEY=KEY, OPENAI_API_KEY="sk-none")
    url = f"http://127.0.0.1:{port}"
    with running("litellm", command, environ, health=f"{url}/health/liveliness") as process:
        yield url, process


def test_the_rules_hold_beside_litellm_alone(started: tuple[str, ChildProcess]) -> None:
    """Without pip, prometheus-client and prisma: handles are listed, the rest is refused."""
    with httpx.Client(base_url=started[0], headers={"Authorization": f"Bearer {KEY}"}, timeout=60) as client:
        listed = [one["id"] for one in client.get("/v1/models").json()["data"]]
        body = {"model": "spare", "messages": [{"role": "user", "content": "hello"}]}
        refused = client.post("/v1/chat/completions", json=body)
    assert listed == ["main", "embed"]
    assert (refused.status_code, refused.json()["error"]["type"]) == (404, "model_not_found")


def test_the_log_says_that_nothing_is_counted(started: tuple[str, ChildProcess]) -> None:
    """One line, since a dashboard that stays empty does not say why."""
    log = started[1].log.read_text(encoding="utf-8")
    assert log.count("homelab: no metrics: prometheus-client is not installed.") == 1


def test_the_shipped_configuration_starts_in_the_image(official: image.Image, tmp_path: Path) -> None:
    """With the image's packages: answers, metrics, and the counters in another folder than router.yaml's."""
    variables = {**read_env(), "HOMELAB_STATE": f"sqlite:///{tmp_path}/counters.db"}
    port = free_port()
    demo_config = DemoConfig.for_tests(models=models_from_env(variables, DEFAULT_PORTS))
    with running_demo(with_upstream(demo_config, port, variables)) as demo:
        command: list[str | Path] = [official.bin / "litellm"]
        command += ["--config", REPOSITORY / "config" / "router.yaml"]
        command += ["--host", "127.0.0.1", "--port", str(port)]
        environ = official.environ(**moved(variables, demo))
        url = f"http://127.0.0.1:{port}"
        with running("litellm", command, environ, health=f"{url}/health/liveliness"):
            headers = {"Authorization": f"Bearer {variables['LITELLM_MASTER_KEY']}"}
            with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
                body = {"model": "boost", "optillm_approach": "moa"}
                body |= {"messages": [{"role": "user", "content": "hello"}]}  # type: ignore[dict-item]
                answer = client.post("/v1/chat/completions", json=body)
                metrics = client.get("/metrics/").text
    assert (answer.status_code, answer.headers["x-homelab-calls"]) == (200, "3"), answer.text
    assert "homelab_attempts_total{" in metrics
    assert (tmp_path / "counters.db").is_file()
