"""Checking the names of a showroom; what the checks say stands in the golden files of tests/settings."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from pathlib import Path

from litellm_homelab.config.loading import parse
from litellm_homelab.config.router_file import Deployment
from litellm_homelab.config.settings import Known, Settings
from litellm_homelab.showroom import placement
from litellm_homelab.showroom.registry import RegistryEntry

SMALL = parse(
    """
homelab: {showroom: {handles: [main]}}
model_list: [{model_name: main, litellm_params: {model: openai/main}}]
litellm_settings: {callbacks: [litellm_homelab.plugin]}
""",
    path="router.yaml",
    environ={},
    known=Known(),
)


def settings(count: int) -> Settings:
    """A showroom of `count` handles, each a step of one long fallback chain and in the registry."""
    names = [f"h{number}" for number in range(count)]
    router = replace(
        SMALL.router,
        deployments=tuple(Deployment(group=name, model=f"openai/{name}") for name in names),
        fallbacks=tuple(("fallbacks", a, (b,)) for a, b in itertools.pairwise(names)),
    )
    registry = {name: RegistryEntry(cache_path=f"/srv/{name}") for name in names}
    lists = {"handles": names, "registry": "r", "roots": ["/srv"]}
    homelab = SMALL.homelab.model_copy(update={"showroom": SMALL.homelab.showroom.model_copy(update=lists)})
    return replace(SMALL, homelab=homelab, router=router, handles=tuple(names), registry=registry)


def seconds(of: Settings) -> float:
    """The best of some checks, all without a finding."""
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        assert list(placement.problems(of, Path("/etc"))) == []
        best = min(best, time.perf_counter() - start)
    return best


def test_checking_ten_times_as_many_names_takes_about_ten_times_as_long() -> None:
    """The work grows with the names, not with their square (a hundred times)."""
    assert seconds(settings(3000)) < 30 * seconds(settings(300))
