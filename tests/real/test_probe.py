"""`litellm-homelab probe` on a real mlx_lm.server, and on real OptiLLMs in front of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from litellm_homelab.cli import main
from litellm_homelab.demo.recorder import Recorder
from tests.probe.stand_in import NAMES, UNSEEN
from tests.real.mlx import MlxServer, mlx_server
from tests.real.optillm import optillm_server
from tests.real.recording_proxy import Passing
from tests.real.upstreams import listening

pytestmark = pytest.mark.real

KEY = "gate-of-the-test-0123456789"
WITHOUT = {"n", "response_format json_object", "response_format json_schema", "tools", "tool_choice"}
"""What mlx_lm.server 0.32.2 does not use with this model, whose chat template knows no tools."""
NOT_IN_THE_SDK = {"top_k", "min_p", "repetition_penalty"}
"""What OptiLLM's client takes for an error of its own (facts of both versions: a 500)."""


@dataclass(frozen=True, slots=True)
class Lab:
    """The model server, a recorder before it, and its address there."""

    server: MlxServer
    recorder: Recorder
    between: str


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One for the tests of this file; it writes down what it loads."""
    recorder = Recorder()
    with mlx_server(noting=True) as server:
        root = server.api_base.removesuffix("/v1")
        with listening(Passing("mlx", root, recorder)) as between:
            yield Lab(server, recorder, f"{between}/v1")


def probed(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> dict[str, Any]:
    """What the command prints for programs."""
    assert main(["probe", "--json", *words]) == status
    said = capsys.readouterr()
    assert KEY not in said.out + said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def by_verdict(found: dict[str, Any]) -> dict[str, set[str]]:
    """Names of parameters by verdict."""
    rows = found["parameters"].items()
    return {
        verdict: {name for name, one in rows if one["verdict"] == verdict}
        for verdict in ("accepted", "ignored", "rejected", "not known")
    }


def test_mlx(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """Every use of its sampler is seen, what it does not read is ignored, and nothing else is loaded."""
    found = probed(capsys, lab.server.api_base)
    assert (found["kind"], found["model"], found["problems"]) == ("mlx", lab.server.model, [])
    assert by_verdict(found) == {
        "accepted": NAMES - WITHOUT - UNSEEN,
        "ignored": WITHOUT,
        "rejected": set(),
        "not known": UNSEEN,
    }
    assert "but not before 's'" in found["parameters"]["stop"]["why"]  # it compares tokens
    assert (found["routes"]["/v1/completions"], found["routes"]["/v1/responses"]) == ("yes", "no")
    assert found["facts"]["unknown parameters"] == "let through"
    assert found["key"] == "none needed, any is taken"
    assert lab.server.loaded == {lab.server.model}
    (entry,) = yaml.safe_load(found["entry"])["model_list"]
    assert entry["litellm_params"]["api_base"] == lab.server.api_base


@pytest.mark.parametrize(
    ("version", "approach", "ignored"),
    [
        pytest.param("0.4.0", "none", WITHOUT, id="0.4.0"),
        pytest.param(
            "0.3.12", "moa", WITHOUT | {"stream_options.include_usage"}, id="0.3.12, moa by default"
        ),
    ],
)
def test_optillm(
    lab: Lab,
    version: str,
    approach: str,
    ignored: set[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It hands on what its client knows; each chat is one call behind it, the first one through moa three."""
    monkeypatch.setenv("GATE_KEY", KEY)
    lab.recorder.clear()
    with optillm_server(version, lab.between, "none", KEY, approach=approach) as optillm:
        status = int(approach != "none")
        found = probed(capsys, optillm.api_base, "--key-env", "GATE_KEY", status=status)
    assert found["kind"] == "optillm"
    assert by_verdict(found) == {
        "accepted": NAMES - WITHOUT - UNSEEN - NOT_IN_THE_SDK - ignored,
        "ignored": ignored,
        "rejected": NOT_IN_THE_SDK,
        "not known": UNSEEN,
    }
    assert found["key"] == "needed: 401 without, 401 with a wrong one"
    assert found["parameters"]["stream"]["why"] == "the answer comes in one piece"
    calls = [one for one in lab.recorder.requests() if one.method == "POST"]
    assert len(calls) <= found["calls"] + 2
    assert {(one.json or {}).get("model") for one in calls} == {lab.server.model}
    assert lab.server.loaded == {lab.server.model}
