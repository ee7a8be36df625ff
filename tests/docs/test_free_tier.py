"""docs/free-tier.md is walked as it is written: on the demo to its 429, and over the reset."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from litellm_homelab.demo.config import DEFAULT_PORTS, DemoConfig, models_from_env
from litellm_homelab.demo.thread import DemoThread, running_demo
from tests.docs.blocks import REPOSITORY, blocks
from tests.docs.test_readme import documents, keeps
from tests.real.gateway import free_port, litellm, moved, read_env, with_ports
from tests.stepped import STEPPED, ahead_of_midnight, set_ahead

PAGE = REPOSITORY / "docs" / "free-tier.md"


@dataclass
class Walk:
    """A gateway on the shipped files with the page's quota, its demo, and one clock for both."""

    folder: Path
    demo: DemoThread
    port: int
    clock: Path
    environ: dict[str, str] = field(repr=False)
    base: float
    """How far the clock was set ahead at the start."""

    def run(self, text: str) -> list[Any]:
        """Run a shell block as a reader would; only the ports are others. Its answers, from JSON."""
        ports = {backend: self.demo.port(backend) for backend in DEFAULT_PORTS}
        script = with_ports(text, ports).replace("127.0.0.1:4000", f"127.0.0.1:{self.port}")
        command = ["bash", "-eu", "-c", script]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return [*documents(done.stdout)]

    def step(self, seconds: float) -> None:
        """Set the clock of both so far ahead of the start."""
        set_ahead(self.clock, self.base + seconds)


@contextmanager
def walking(folder: Path) -> Iterator[Walk]:
    """Do what the page says before `make run`, and run it."""
    shutil.copytree(REPOSITORY / "config", folder / "config", ignore=shutil.ignore_patterns("env.local"))
    (block,) = blocks("yaml", PAGE)
    router = folder / "config" / "router.yaml"
    document = yaml.safe_load(router.read_text(encoding="utf-8"))
    del document["homelab"]["quotas"]["groq-llama"]
    document["homelab"]["quotas"] |= yaml.safe_load(block.text)["homelab"]["quotas"]
    router.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    clock, port, variables = folder / "clock", free_port(), read_env()
    base = ahead_of_midnight(datetime.now(UTC))  # a walk over midnight would be given its requests back
    set_ahead(clock, base)
    ahead = lambda: time.time() + float(clock.read_text(encoding="utf-8"))  # noqa: E731
    models = models_from_env(variables, DEFAULT_PORTS)
    config = DemoConfig(DemoConfig.for_tests().ports, models, pace=0, clock=ahead)
    with running_demo(config) as demo:
        variables = moved(variables, demo)
        lines = "".join(f"{name}={value}\n" for name, value in variables.items())
        (folder / "config" / "env.local").write_text(lines, encoding="utf-8")
        stepped = {"STEPPED_CLOCK": str(clock), "PYTHONPATH": str(STEPPED)}
        with litellm(router, port, {**variables, **stepped}):
            own = {"PATH": "/usr/local/bin:/usr/bin:/bin", **variables}
            yield Walk(folder, demo, port, clock, own, base)


@pytest.mark.real
def test_the_page_is_walked_to_its_429_and_over_the_reset(tmp_path: Path) -> None:
    """Three requests are answered and the fourth is refused without a call; a day later it is answered."""
    limit, use_up, seen = (block.text for block in blocks("bash", PAGE))
    (promise,) = (json.loads(block.text) for block in blocks("json", PAGE))
    with walking(tmp_path) as walk:
        (switched,) = walk.run(limit)
        assert switched["limit"] == {"like": "groq", "requests": 3, "per": "day"}
        *served, refused = walk.run(use_up)
        assert ["error" in answer for answer in served] == [False] * 3
        assert keeps(refused, promise), refused
        (requests,) = walk.run(seen)
        assert len(requests) == 3
        key = {"Authorization": f"Bearer {walk.environ['LITELLM_MASTER_KEY']}"}
        url = f"http://127.0.0.1:{walk.port}/v1/chat/completions"
        body = {"model": "groq/llama-3.3-70b-versatile", "messages": [{"role": "user", "content": "Hello"}]}
        answer = httpx.post(url, json=body, headers=key, timeout=60)
        assert answer.status_code == 429
        walk.step(float(answer.headers["retry-after"]) - 60)
        assert httpx.post(url, json=body, headers=key, timeout=60).status_code == 429
        walk.step(float(answer.headers["retry-after"]) + 1)
        assert httpx.post(url, json=body, headers=key, timeout=60).status_code == 200
        assert len(walk.demo.requests("cloud")) == 4
