"""`litellm-homelab verify` on real processes: the demo, a real OptiLLM with faults planted, stock LiteLLM."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.types import Receive, Scope, Send

from litellm_homelab.cli import main
from tests.real.gateway import ROUTER as SHIPPED
from tests.real.gateway import Gateway
from tests.real.lane.relay import Relay
from tests.real.lane.rig import DEMO, GATE_KEY, Rig, rig
from tests.verify.sabotage import KEYS

pytestmark = pytest.mark.real

ROUTER = Path(__file__).parent / "lane" / "router.yaml"
Verify = Callable[..., tuple[int, dict[str, dict[str, Any]]]]


class WayBack(Relay):
    """The relay between OptiLLM and the gateway; it gives OptiLLM's calls another key where one is set."""

    key = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request (ASGI 3)."""
        if self.key:
            headers = [one for one in scope["headers"] if one[0] != b"authorization"]
            scope["headers"] = [*headers, (b"authorization", f"Bearer {self.key}".encode())]
        await super().__call__(scope, receive, send)


@pytest.fixture(scope="module")
def way_back() -> WayBack:
    """Nothing is changed on it at first."""
    return WayBack()


@pytest.fixture(scope="module")
def lane(way_back: WayBack) -> Iterator[Rig]:
    """A real OptiLLM behind `boost`, `wide` and `code`."""
    with rig(ROUTER, optillm="0.4.0", back=way_back) as running:
        yield running


@pytest.fixture
def verify(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Verify:
    """Runs the command; its exit status, and what it says of each check by id and subject."""

    def run(url: str, environ: dict[str, str], *options: str) -> tuple[int, dict[str, dict[str, Any]]]:
        for name in KEYS:
            monkeypatch.delenv(name, raising=False)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        status = main(["verify", url, "--json", *options])
        said = capsys.readouterr()
        assert [
            value for name, value in environ.items() if name in KEYS and value in said.out + said.err
        ] == []
        checks = json.loads(said.out)["checks"]
        return status, {f"{one['id']} {one['subject']}".strip(): one for one in checks}

    return run


def of_lane(
    verify: Verify, lane: Rig, folder: Path, *options: str, left_out: str = "router"
) -> tuple[int, dict[str, dict[str, Any]]]:
    """
    The command on the lane, with its router.yaml and both keys of OptiLLM.

    The approach router is left out of what is expected: this OptiLLM has no torch, and does not load it.
    """
    config = folder / "router.yaml"
    text = yaml.safe_dump(lane.document).replace(f"- {left_out}\n", "")
    config.write_text(text, encoding="utf-8")
    environ = {**lane.environ, "OPTILLM_GATE_KEY": GATE_KEY}
    return verify(lane.url, environ, "--config", str(config), *options)


def failed(checks: dict[str, dict[str, Any]]) -> list[str]:
    """The checks that failed."""
    return [name for name, one in checks.items() if one["verdict"] == "failed"]


def test_the_demo_is_good(verify: Verify, shipped: Gateway) -> None:
    """The shipped configuration as `make run` starts it: everything that applies passes."""
    optillm = shipped.demo.url("optillm")
    status, checks = verify(
        shipped.url, dict(shipped.environ), "--config", str(SHIPPED), "--optillm", optillm
    )
    assert failed(checks) == []
    assert status == 0
    others = [name for name, one in checks.items() if one["verdict"] != "passed"]
    assert others == ["gateway.encrypted", "optillm.router boost"]


def test_a_real_optillm_is_good(verify: Verify, lane: Rig, tmp_path: Path) -> None:
    """Calls come back, its key is asked for, and it is on loopback only."""
    status, checks = of_lane(verify, lane, tmp_path, "--optillm", lane.wire.target)
    assert failed(checks) == []
    assert status == 0
    assert checks["optillm.calls boost"]["seen"] == "moa made 3 calls"
    assert [
        checks[f"optillm-server.{one}"]["verdict"] for one in ("answers", "key", "loopback", "way-back")
    ] == ["passed"] * 4
    assert checks["page.key"]["verdict"] == "not applicable"


def test_a_router_that_is_not_loaded_is_named(verify: Verify, lane: Rig, tmp_path: Path) -> None:
    """OptiLLM takes its name for a part of the model's."""
    status, checks = of_lane(verify, lane, tmp_path, left_out="nothing")
    assert status == 1
    assert failed(checks) == ["optillm.router wide"]
    assert "has not loaded the plugin router" in checks["optillm.router wide"]["do"]


@contextmanager
def optillm_down(lane: Rig) -> Iterator[None]:
    """Nothing listens where OptiLLM was."""
    before, lane.wire.target = lane.wire.target, "http://127.0.0.1:9"
    yield
    lane.wire.target = before


@contextmanager
def a_plain_model(lane: Rig) -> Iterator[None]:
    """`boost` leads to a model server that knows nothing of approaches."""
    model = lane.environ["MAIN_API_BASE"].removesuffix("/v1")
    before, lane.wire.target = lane.wire.target, model
    yield
    lane.wire.target = before


@contextmanager
def another_upstream(lane: Rig) -> Iterator[None]:
    """OptiLLM's calls go to a server that is not this gateway."""
    lane.back.calls.clear()
    lane.back.cap = 0
    yield
    lane.back.cap = None


@contextmanager
def going_round(lane: Rig) -> Iterator[None]:
    """OptiLLM calls back the handle that leads to it."""
    lane.back.rename = lambda name: name.replace("base@", "boost@")
    yield
    lane.back.rename = None


FAULTS = {
    "OptiLLM is down": (optillm_down, "Is OptiLLM running"),
    "boost is a plain model": (a_plain_model, "an OptiLLM, and not a model?"),
    "another upstream": (another_upstream, "--base-url must be this gateway"),
    "a loop": (going_round, "an internal name that is a model"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_on_the_way_is_named(verify: Verify, lane: Rig, tmp_path: Path, fault: str) -> None:
    """The check of the calls behind an answer fails, and says what to look at."""
    planted, advice = FAULTS[fault]
    with planted(lane):
        status, checks = of_lane(verify, lane, tmp_path)
    assert status == 1
    assert "optillm.calls boost" in failed(checks)
    assert {name.partition(" ")[0] for name in failed(checks)} == {"optillm.calls"}
    assert advice in checks["optillm.calls boost"]["do"]


def test_a_wrong_key_of_calls_back_is_named(
    verify: Verify, lane: Rig, way_back: WayBack, tmp_path: Path
) -> None:
    """OptiLLM calls back with a key that the gateway does not know."""
    way_back.key = "sk-old-old-old"
    status, checks = of_lane(verify, lane, tmp_path, "--optillm", lane.wire.target)
    way_back.key = ""
    assert status == 1
    assert "the key of OptiLLM's calls back" in checks["optillm.calls boost"]["seen"]
    assert checks["optillm-server.way-back"]["verdict"] == "failed"


def test_stock_litellm_is_named(verify: Verify) -> None:
    """Without our two lines, on the same file: no gate, no plugin, what is hidden shows."""
    with rig(ROUTER, optillm=DEMO, hooks=False) as lane:
        status, checks = verify(lane.url, dict(lane.environ))
    assert status == 1
    assert {"keys.gate", "plugin.loaded", "handle.answers main", "loop.gateways main"} <= set(failed(checks))
    assert {"listing.details", "keys.pages", "optillm.tag boost"} <= set(failed(checks))
