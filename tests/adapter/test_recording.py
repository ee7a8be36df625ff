"""The meter of the process: silent, or shown where LiteLLM's `/metrics/` looks."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY

from litellm_homelab.adapter import context, recording
from litellm_homelab.adapter.recording import meter, timed
from litellm_homelab.metrics.labels import Labels

LABELS = Labels(groups=("main",))


@pytest.fixture(autouse=True)
def _silent() -> Iterator[None]:
    recording.forget()
    yield
    recording.forget()


def attempts() -> float | None:
    """Attempts at main that answered, as `/metrics/` shows them."""
    labels = {"handle": "main", "target": "main", "outcome": "answered"}
    return REGISTRY.get_sample_value("homelab_attempts_total", labels)


def test_a_silent_meter_shows_nothing() -> None:
    """Without the callback there are no series of ours, and counting is no error."""
    meter().attempt("main", "main", "answered")
    assert attempts() is None


def test_a_shown_meter_counts_until_it_is_forgotten() -> None:
    """Each start has series of its own, from zero."""
    for _ in range(2):
        recording.show(LABELS)
        meter().attempt("main", "main", "answered")
        assert attempts() == 1
    recording.forget()
    assert attempts() is None


def test_without_prometheus_client_nothing_is_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`litellm[proxy]` does not bring it: counting is no error, and the log says that there is none."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    recording.show(LABELS)
    meter().attempt("main", "main", "answered")
    recording.forget()
    assert "no metrics: prometheus-client is not installed" in caplog.text


async def test_a_hook_that_refuses_took_time_as_well() -> None:
    """What a hook raises passes, and its time is counted."""

    @timed("pre_call")
    async def hook(error: Exception | None) -> str:
        await asyncio.sleep(0.01)
        if error is not None:
            raise error
        return "decided"

    recording.show(LABELS)
    assert await hook(None) == "decided"
    with pytest.raises(KeyError):
        await hook(KeyError("refused"))
    assert REGISTRY.get_sample_value("homelab_hook_seconds_count", {"hook": "pre_call"}) == 2
    assert (REGISTRY.get_sample_value("homelab_hook_seconds_sum", {"hook": "pre_call"}) or 0) >= 0.02


async def test_a_request_adds_up_what_its_hooks_of_a_kind_took() -> None:
    """Counted when it has ended, once; what a background task does later is counted by itself."""

    @timed("attempt")
    async def hook() -> None:
        await asyncio.sleep(0.01)

    recording.show(LABELS)
    with context.request("/v1/chat/completions") as record:
        for _ in range(3):
            await hook()
        assert REGISTRY.get_sample_value("homelab_hook_seconds_count", {"hook": "attempt"}) in {0, None}
        assert record.stats.took["attempt"] >= 0.03
        record.stats.ended_at = 1.0
        await hook()
    assert REGISTRY.get_sample_value("homelab_hook_seconds_count", {"hook": "attempt"}) == 1
