"""Limits of the demo's clouds: they count and answer like the providers, in the providers' own days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from litellm_homelab.demo import DemoConfig, DemoThread, running_demo
from litellm_homelab.demo.limits import ZONES, LimitSwitch, TierLimit
from litellm_homelab.quotas import learning
from litellm_homelab.quotas.learning import Answered
from litellm_homelab.quotas.observations import State
from litellm_homelab.quotas.windows import Unit
from tests.demo.client import HTTP

EVENING = datetime(2026, 11, 26, 23, 30, tzinfo=UTC).timestamp()
BODY = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
HEADERS = {"authorization": "Bearer demo"}


class Clock:
    """A clock that a test sets."""

    now = EVENING

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return self.now


CLOCK = Clock()


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoThread]:
    """A demo with that clock, and two models."""
    config = DemoConfig(DemoConfig.for_tests().ports, {"cloud": ("m", "other")}, pace=0, clock=CLOCK)
    with running_demo(config) as running:
        yield running


def limit(demo: DemoThread, like: str, requests: int, per: str) -> httpx.Response:
    """Switch a limit on."""
    CLOCK.now = EVENING
    body = {"like": like, "requests": requests, "per": per}
    return HTTP.put(f"{demo.url('control')}/backends/cloud/limit", json=body)


def ask(demo: DemoThread, model: str = "m") -> httpx.Response:
    """One chat."""
    return HTTP.post(
        f"{demo.api_base('cloud')}/chat/completions", json={**BODY, "model": model}, headers=HEADERS
    )


@pytest.mark.parametrize("per", ["minute", "day"])
@pytest.mark.parametrize("like", ZONES)
def test_what_a_reached_limit_answers_is_understood(demo: DemoThread, like: str, per: str) -> None:
    """The third request of two is a 429 that our own reader takes for the end of that window."""
    assert limit(demo, like, 2, per).json()["limit"] == {"like": like, "requests": 2, "per": per}
    answers = [ask(demo) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    last = answers[-1]
    answered = Answered(429, tuple(last.headers.items()), last.content, like)
    found = learning.learn(answered, (), CLOCK.now).observations
    if like == "mistral":
        assert found == ()
    else:
        said = {(one.unit, one.per, one.state, one.limit) for one in found}
        assert (Unit.REQUESTS, per, State.CLOSED, 2) in said


@pytest.mark.parametrize(
    ("like", "per", "hours", "opens"),
    [
        ("groq", "day", 1, True),
        ("openrouter", "day", 1, True),
        ("gemini", "day", 1, False),
        ("gemini", "day", 9, True),
        ("mistral", "minute", 1, True),
    ],
)
def test_a_window_begins_anew(demo: DemoThread, like: str, per: str, hours: int, opens: bool) -> None:
    """At midnight UTC, or of Gemini at midnight in California."""
    limit(demo, like, 1, per)
    assert [ask(demo).status_code for _ in range(2)] == [200, 429]
    CLOCK.now += hours * 3600
    assert ask(demo).status_code == (200 if opens else 429)


@pytest.mark.parametrize(("like", "status"), [("groq", 200), ("gemini", 200), ("openrouter", 429)])
def test_some_count_each_model_for_itself(demo: DemoThread, like: str, status: int) -> None:
    """Groq and Gemini do; OpenRouter counts all free models together."""
    limit(demo, like, 1, "day")
    assert [ask(demo).status_code, ask(demo, "other").status_code] == [200, status]


def test_groq_says_what_is_left(demo: DemoThread) -> None:
    """In headers of every answer, with the time to the reset as Groq writes it."""
    limit(demo, "groq", 3, "day")
    headers = ask(demo).headers
    names = ("limit", "remaining", "reset")
    assert [headers[f"x-ratelimit-{name}-requests"] for name in names] == ["3", "2", "30m0.000s"]


def test_it_can_be_lifted(demo: DemoThread) -> None:
    """And then nothing is counted."""
    limit(demo, "groq", 0, "day")
    assert ask(demo).status_code == 429
    assert HTTP.delete(f"{demo.url('control')}/backends/cloud/limit").json()["limit"] is None
    assert ask(demo).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"like": "groq", "requests": 3},
        {"like": "grok", "requests": 3, "per": "day"},
        {"like": ["groq"], "requests": 3, "per": "day"},
        {"like": "groq", "requests": -1, "per": "day"},
        {"like": "groq", "requests": True, "per": "day"},
        {"like": "groq", "requests": 3, "per": "hour"},
    ],
)
def test_what_is_no_limit_is_refused(demo: DemoThread, body: object) -> None:
    """With a 400 that says what is valid."""
    answer = HTTP.put(f"{demo.url('control')}/backends/cloud/limit", json=body)
    assert answer.status_code == 400
    assert "valid: like: groq" in answer.json()["error"]


def test_days_end_at_local_midnight_when_clocks_change() -> None:
    """The day on which California sets its clocks back has 25 hours."""
    start, end = TierLimit("gemini", 1, "day").window(datetime(2026, 11, 1, 12, tzinfo=UTC))
    assert (end - start).total_seconds() == 25 * 3600


def test_without_a_limit_nothing_is_counted() -> None:
    """No header and no refusal."""
    assert LimitSwitch(CLOCK).take("m") == ({}, None)
