"""A quota over real workers: exact, also when one of them is killed, and over a restart."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import yaml

from litellm_homelab.testing.upstream import Upstreams
from tests.adapter.lane import TEXT, document, group
from tests.real.gateway import free_port, litellm
from tests.real.lane.rig import PATIENCE
from tests.real.upstreams import listening

pytestmark = pytest.mark.real

KEY = "sk-master-of-quotas"
LIMIT, CLIENTS = 300, 32
SERVED, REFUSED = 200, 429


def workers(port: int) -> Iterator[int]:
    """The worker processes of the gateway on a port: children that were spawned with its environment."""
    for folder in Path("/proc").iterdir():
        try:
            command = (folder / "cmdline").read_bytes()
            environ = (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # no process, or one that has just ended
            continue
        if b"spawn_main" in command and f"PORT={port}".encode() in environ:
            yield int(folder.name)


def ask(url: str) -> int:
    """One request's status; 0 where its worker was killed."""
    headers = {"Authorization": f"Bearer {KEY}"}
    body = {"model": "cloud", "messages": TEXT}
    try:
        return httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=60).status_code
    except httpx.HTTPError:
        return 0


def ask_until_refused(url: str, half: threading.Event, upstreams: Upstreams) -> int:
    """Ask again and again; how often the answer was neither served nor refused."""
    lost = 0
    while (status := ask(url)) != REFUSED:
        lost += status != SERVED
        if len(upstreams.of("cloud").requests) > LIMIT // 2:
            half.set()
    return lost


def test_the_backend_sees_the_quota_and_no_more(tmp_path: Path) -> None:
    """32 clients, two workers of which one is killed halfway, then a restart: never one request too many."""
    upstreams, port = Upstreams(), free_port()
    with listening(upstreams) as root:
        models = [group("cloud", api_base=f"{root}{Upstreams.path('cloud')}/v1")]
        callbacks = ("prometheus", "litellm_homelab.plugin")
        state = f"sqlite:///{tmp_path / 'state.db'}"
        content = document(models, {}, internal=(), callbacks=callbacks, state=state)
        window = {"requests": LIMIT, "per": "month"}
        content["homelab"]["quotas"] = {"free": {"groups": ["cloud"], "windows": [window]}}
        (tmp_path / "router.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        (tmp_path / "samples").mkdir()
        environ = {
            "LITELLM_MASTER_KEY": KEY,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "samples"),
        }
        url, half = f"http://127.0.0.1:{port}", threading.Event()
        with litellm(tmp_path / "router.yaml", port, environ, ("--num_workers", "2", *PATIENCE)):
            with ThreadPoolExecutor(CLIENTS) as pool:
                asking = [pool.submit(ask_until_refused, url, half, upstreams) for _ in range(CLIENTS)]
                assert half.wait(120)
                os.kill(next(workers(port)), signal.SIGKILL)
                lost = sum(one.result(240) for one in asking)
            seen = len(upstreams.of("cloud").requests)
            metrics = httpx.get(f"{url}/metrics/", headers={"Authorization": f"Bearer {KEY}"}, timeout=60)
        assert seen <= LIMIT
        assert seen >= LIMIT - CLIENTS
        assert lost <= CLIENTS
        assert 'homelab_quota_limit{quota="free",window="requests/month"} 300.0' in metrics.text
        with litellm(tmp_path / "router.yaml", port, environ, ("--num_workers", "2", *PATIENCE)):
            statuses = [ask(url) for _ in range(CLIENTS)]
        assert len(upstreams.of("cloud").requests) <= LIMIT
        assert statuses[-1] == REFUSED or seen < LIMIT
