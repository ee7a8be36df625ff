"""`python -m bench` from end to end; what its numbers are is nobody's business here."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from bench import hooks, taps, wrk
from bench.entry.results import Row
from bench.router import LANE, PLAIN
from tests.real.gateway import REPOSITORY
from tests.real.upstreams import listening

pytestmark = pytest.mark.real

SECONDS = 900
"""A quick run takes one minute on two idle cores; it starts LiteLLM fifteen times, the entry twice more."""
UNITS = {"us", "ms", "s", "1/s", "%", "ratio", "calls"}
ALWAYS = ("gate", "door", "edge", "pre-call", "attempt answered", "wire")
"""Steps of any request; there are more."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """What a quick run prints."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--json"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def figures(
    document: dict[str, Any], section: str, what: str = "", **fields: str
) -> Iterator[dict[str, Any]]:
    """The figures of a section whose names begin with `what` and whose fields or parameters are these."""
    for one in document["figures"]:
        seen = {**one["parameters"], "hooks": one["hooks"]}
        if one["section"] == section and one["what"].startswith(what) and fields.items() <= seen.items():
            yield one


def test_every_figure_says_what_it_is(document: dict[str, Any]) -> None:
    """Each section is there; each figure has its unit, its spread and how it was measured."""
    found = document["figures"]
    assert {one["section"] for one in found} == {"hooks", "lane", "load", "start", "loop"}
    for one in found:
        assert one["unit"] in UNITS
        assert one["hooks"] in {"on", "off", "-"}
        assert len(one["how"]) > 20
        assert one["n"] >= 1
        assert one["least"] <= one["median"] <= one["most"]


def test_the_machine_is_named(document: dict[str, Any]) -> None:
    """A number without it says nothing."""
    machine = document["machine"]
    assert machine["cores"] >= 1
    assert all(machine[name] for name in ("date", "cpu", "system", "python", "litellm", "litellm_homelab"))


@pytest.mark.parametrize("size", ["1 KB", "1 MB"])
@pytest.mark.parametrize("handle", [PLAIN, LANE])
def test_every_hook_was_timed_in_a_request(document: dict[str, Any], handle: str, size: str) -> None:
    """LiteLLM called them; together they are the chain, which is flat or not, and a part of the whole."""
    asked = {"handle": handle, "prompt": size}
    for step in ALWAYS:
        (one,) = figures(document, "hooks", step, **asked)
        assert one["least"] > 0
    chains = [*figures(document, "hooks", hooks.CHAIN, **asked)]
    assert [one["parameters"].get("handles") for one in chains] == ["10", "200", "10", None]
    assert [one["aim"]["of"] for one in chains] == ["p99", "p99", "p99", "median"]
    direct = [*figures(document, "hooks", hooks.ALONE, **asked)]
    assert [one["parameters"].get("handles") for one in direct] == ["10", "200", None]
    whole = {one["hooks"]: one for one in figures(document, "hooks", taps.WHOLE, **asked)}
    assert set(whole) == {"on", "off", "-"}
    assert chains[0]["most"] < whole["on"]["most"]


def test_load_is_compared_in_pairs(document: dict[str, Any]) -> None:
    """Both sides answered at one connection and at eight; the loss is there, with its aim."""
    for connections in ("1", "8"):
        sides = {
            one["hooks"]: one
            for one in figures(document, "load", "requests per second", connections=connections)
        }
        assert sides["on"]["least"] > 0
        assert sides["off"]["least"] > 0
        assert (sides["-"]["unit"], sides["-"]["n"]) == ("%", sides["on"]["n"])
        assert sides["-"]["most"] < 100
        assert sides["-"]["reached"] in {True, False}


def test_start_up_is_compared_in_pairs(document: dict[str, Any]) -> None:
    """Seconds on and off, and their difference."""
    on, off, longer = figures(document, "start")
    assert (on["hooks"], off["hooks"]) == ("on", "off")
    assert longer["median"] == pytest.approx(on["median"] - off["median"])


def test_a_loop_ends_at_its_first_return(document: dict[str, Any]) -> None:
    """One run of OptiLLM with the hooks, as many as the relay lets through without."""
    runs = {one["hooks"]: one["most"] for one in figures(document, "loop", "runs of OptiLLM")}
    assert runs["on"] == 1
    assert runs["off"] > 20 - 1


def test_the_entry_for_a_public_benchmark_runs(tmp_path: Path) -> None:
    """Both gateways answer, with the plugin and without; what is printed and written has a row for each."""
    command = [sys.executable, "-m", "bench", "entry", "--concurrency", "1", "--seconds", "1"]
    done = subprocess.run(
        [*command, "--rounds", "1", "--output", str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    names, *rows = [line.split(",") for line in done.stdout.splitlines()]
    assert names == [*Row.__slots__]
    assert [row[:2] for row in rows] == [["litellm-python", "1"], ["litellm-homelab", "1"]]
    assert all(float(row[2]) > 0 for row in rows)
    assert (tmp_path / "overhead_comparison.csv").read_text(encoding="utf-8").count("\n") == 3


@pytest.mark.parametrize("status", [401, 500, 503])
def test_a_load_that_is_refused_is_no_measurement(tmp_path: Path, status: int) -> None:
    """An error, reported as one of wrk's, ends the benchmark."""
    body = tmp_path / "body.json"
    body.write_text("{}", encoding="utf-8")
    with listening(Response(status_code=status)) as url, pytest.raises(wrk.LoadFailed, match="status"):
        wrk.run(url, body, connections=1, seconds=1)
