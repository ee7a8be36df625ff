"""Running demo backends, shared by the tests of this folder and reset around each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from litellm_homelab.demo import DemoConfig, DemoThread, OptillmConfig, running_demo

MODELS = {"mlx": ("m",), "vllm": ("m", "org/m"), "ollama": ("m:3b",), "cloud": ("m",)}


@pytest.fixture(scope="session")
def _leaf() -> Iterator[DemoThread]:
    with running_demo(DemoConfig.for_tests(MODELS)) as demo:
        yield demo


@pytest.fixture(scope="session")
def _gated(_leaf: DemoThread) -> Iterator[DemoThread]:
    optillm = OptillmConfig(
        upstream=_leaf.api_base("vllm"), upstream_key="upstream-key", gate_key="gate", calls_per_second=1e4
    )
    with running_demo(DemoConfig.for_tests(optillm=optillm)) as demo:
        yield demo


@pytest.fixture(scope="session")
def _open(_leaf: DemoThread) -> Iterator[DemoThread]:
    optillm = OptillmConfig(
        upstream=_leaf.api_base("vllm"), upstream_key="upstream-key", gate_key="", calls_per_second=1e4
    )
    with running_demo(DemoConfig.for_tests(optillm=optillm)) as demo:
        yield demo


@pytest.fixture
def demo(_leaf: DemoThread) -> DemoThread:
    """All backends; ``vllm`` is also what the OptiLLM stand-ins of ``gated`` and ``open_demo`` call back."""
    _leaf.clear_fault()
    _leaf.clear_requests()
    return _leaf


@pytest.fixture
def gated(_gated: DemoThread) -> DemoThread:
    """A demo whose OptiLLM stand-in wants the key ``gate`` and calls with ``upstream-key``."""
    _gated.clear_fault()
    _gated.clear_requests()
    return _gated


@pytest.fixture
def open_demo(_open: DemoThread) -> DemoThread:
    """A demo whose OptiLLM stand-in has no gate."""
    _open.clear_requests()
    return _open
