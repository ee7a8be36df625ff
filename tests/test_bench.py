"""The benchmark measures what it says."""

from __future__ import annotations

import json

import pytest

from bench import lane


def test_it_prints_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    """The lane with both stores and stock LiteLLM, for both sizes, each with its spread."""
    assert lane.main(["--json", "--rounds", "3"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert [(one["what"], one["prompt"]) for one in figures] == [
        (what, size)
        for size in ("1 KB", "1 MB")
        for what in (
            "approach rule + loop guard, memory",
            "approach rule + loop guard, sqlite",
            "stock LiteLLM, whole request",
        )
    ]
    for one in figures:
        assert 0 < one["least"] <= one["median"] <= one["p99"] <= one["most"]


def test_the_lane_is_a_small_part_of_a_request(capsys: pytest.CaptureFixture[str]) -> None:
    """What the lane adds is less than a tenth of what stock LiteLLM takes in the same run."""
    lane.main(["--json", "--rounds", "20"])
    medians = {
        (one["what"].rpartition(", ")[2], one["prompt"]): one["median"]
        for one in json.loads(capsys.readouterr().out)
    }
    for size in ("1 KB", "1 MB"):
        assert medians["memory", size] * 10 < medians["whole request", size]
