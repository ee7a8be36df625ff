"""The corpus through a real LiteLLM process, and its runner as others run it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from litellm_homelab.testing.mock_proxy import MASTER_KEY
from litellm_homelab.testing.upstream import Upstreams
from tests.corpus import generated, replay, runner
from tests.corpus.case import Case, Outcome, load, problem
from tests.real.gateway import free_port, litellm
from tests.real.upstreams import listening

pytestmark = pytest.mark.real

GROUPS = {"MAIN": "main", "PLAIN": "plain", "BOOST": "boost", "EMBED": "embed", "HIDDEN": "hidden"} | {
    "RUNG": "rung",
    "BASE": "base",
    "BACK": "back",
    "SEARCH": "search-tools",
}


@dataclass(frozen=True, slots=True)
class Real:
    """A real LiteLLM on the corpus' router, with recording upstreams."""

    url: str
    client: httpx.Client
    upstreams: Upstreams

    def ask(self, case: Case) -> Outcome:
        """Send one case."""
        before = self.upstreams.recorder.requests()
        last = before[-1].number if before else 0
        outcome = runner.ask(self.client, case, replay.KEYS)
        calls = [one for one in self.upstreams.recorder.requests() if one.number > last]
        called, sent = tuple(one.backend for one in calls), tuple(map(replay.text, calls))
        return Outcome(outcome.status, outcome.text, called, sent)


@pytest.fixture(scope="module")
def real() -> Iterator[Real]:
    """One LiteLLM process for the whole corpus."""
    upstreams, port = Upstreams(), free_port()
    with listening(upstreams) as base:
        bases = {f"{name}_API_BASE": f"{base}{upstreams.path(group)}/v1" for name, group in GROUPS.items()}
        environ = {**bases, "LITELLM_MASTER_KEY": MASTER_KEY, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        url = f"http://127.0.0.1:{port}"
        with litellm(replay.ROUTER, port, environ), httpx.Client(base_url=url, timeout=60) as client:
            yield Real(url, client, upstreams)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in (*load(), *generated.cases())])
def test_the_gateway_holds(real: Real, case: Case) -> None:
    """The real gateway answers as the file says, and calls no backend that it should not."""
    outcome = real.ask(case)
    assert problem(case, outcome) == "", outcome.text[:500]


def test_others_can_run_it(real: Real, capsys: pytest.CaptureFixture[str]) -> None:
    """The command line tries every case that it has a key for, says how many held, and ends with 0."""
    keys = [f"--key={name}={key}" for name, key in replay.KEYS.items()]
    assert runner.main(["--url", real.url, *keys]) == 0
    number = len(load()) + len(generated.cases())
    said = capsys.readouterr().out
    assert f"{number} tried, 0 got through, 0 not answered as they should be, 0 skipped" in said


def test_the_runner_finds_a_gateway_that_does_not_hold(
    real: Real, capsys: pytest.CaptureFixture[str]
) -> None:
    """With every caller on the master key the roles do not hold, and it says which and ends with 1."""
    keys = [f"--key={name}={MASTER_KEY}" for name in replay.KEYS]
    assert runner.main(["--url", real.url, *keys]) == 1
    assert "name-of-another-caller-0: " in capsys.readouterr().out
