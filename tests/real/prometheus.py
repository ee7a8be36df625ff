"""A real Prometheus that scrapes a real gateway with the files of deploy/prometheus."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.deploy.prometheus import FOLDER
from tests.real.gateway import Gateway, end, free_port

SECONDS = 60
"""How long to wait for a start, or for a value."""


@dataclass(slots=True)
class Prometheus:
    """A running Prometheus."""

    url: str
    client: httpx.Client = field(repr=False)

    def query(self, expr: str) -> list[dict[str, Any]]:
        """An instant query: `{"metric": {...}, "value": [time, text]}` of each series, NaN aside."""
        answer = self.client.get("/api/v1/query", params={"query": expr})
        assert answer.status_code == 200, f"{expr}: {answer.text}"
        return [one for one in answer.json()["data"]["result"] if one["value"][1] != "NaN"]

    def labels(self, name: str) -> list[set[str]]:
        """The names of the labels of each series called `name`."""
        answer = self.client.get("/api/v1/series", params={"match[]": name})
        return [set(one) for one in answer.json()["data"]]

    def wait_for(self, expr: str) -> None:
        """Wait until a query gives something."""
        deadline = time.monotonic() + SECONDS
        while not self.query(expr):
            assert time.monotonic() < deadline, f"no data after {SECONDS} s: {expr}"
            time.sleep(0.5)


@contextlib.contextmanager
def prometheus(gateway: Gateway, folder: Path) -> Iterator[Prometheus]:
    """Run Prometheus on a copy of deploy/prometheus in `folder` that scrapes `gateway` every second."""
    config = _configured(gateway, folder)
    port = free_port()
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--web.listen-address=127.0.0.1:{port}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            _wait_until_ready(process, client, folder / "prometheus.log")
            yield Prometheus(f"http://127.0.0.1:{port}", client)
    finally:
        end(process)


def _configured(gateway: Gateway, folder: Path) -> Path:
    copy = Path(shutil.copytree(FOLDER, folder / "prometheus"))
    config = copy / "prometheus.yml"
    document = yaml.safe_load(config.read_text(encoding="utf-8"))
    document["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (scrape,) = document["scrape_configs"]
    scrape["static_configs"] = [{"targets": [gateway.url.removeprefix("http://")]}]
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    key = copy / scrape["authorization"]["credentials_file"]
    key.write_text(gateway.environ["PROMETHEUS_KEY"], encoding="utf-8")
    return config


def _wait_until_ready(process: subprocess.Popen[bytes], client: httpx.Client, log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if client.get("/-/ready").status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"Prometheus is not ready:\n{log.read_text(errors='replace')}")
