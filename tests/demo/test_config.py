"""DemoConfig, and what it takes from the gateway's environment."""

from __future__ import annotations

import re

import pytest

from litellm_homelab.demo.config import DEFAULT_PORTS, DemoConfig, models_from_env

LOCAL = "http://127.0.0.1"


def test_defaults() -> None:
    """Without settings every backend has its documented port and at least one model."""
    config = DemoConfig()
    assert [config.port(name) for name in DEFAULT_PORTS] == list(range(4100, 4107))
    assert all(config.served(name) for name in ("mlx", "vllm", "ollama", "cloud"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param(
            {"ports": {"mlxx": 1}},
            "demo: port for unknown backend 'mlxx' (known: control, mlx, vllm",
            id="port",
        ),
        pytest.param(
            {"models": {"searxng": ("m",)}},
            "demo: model for unknown backend 'searxng' (known: mlx,",
            id="model",
        ),
        pytest.param(
            {"pace": -1}, "pace: tokens per second cannot be negative (got -1; 0 means no delay)", id="pace"
        ),
    ],
)
def test_wrong_settings(settings: dict[str, object], message: str) -> None:
    """A wrong setting is refused with what it got and what is valid."""
    with pytest.raises(ValueError, match=re.escape(message)):
        DemoConfig(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pairs", "ports", "models"),
    [
        pytest.param([(f"{LOCAL}:4101/v1", "openai/m")], {}, {"mlx": ("m",)}, id="provider-off"),
        pytest.param([("http://localhost:4102", "openai/org/m")], {}, {"vllm": ("org/m",)}, id="slash-kept"),
        pytest.param([(f"{LOCAL}:5000/v1", "m")], {"cloud": 5000}, {"cloud": ("m",)}, id="other-port"),
        pytest.param(
            [
                (f"{LOCAL}:4103/v1", "openai/m"),
                (f"{LOCAL}:4103/v1", "openai/m"),
                (f"{LOCAL}:4103", "openai/l"),
            ],
            {},
            {"ollama": ("m", "l")},
            id="each-once-in-order",
        ),
        pytest.param([("https://api.example.org/v1", "openai/m")], {}, {}, id="elsewhere"),
        pytest.param([(f"{LOCAL}:notaport", "openai/m")], {}, {}, id="no-address"),
        pytest.param([(f"{LOCAL}:4101/v1", "")], {}, {}, id="no-model"),
        pytest.param([(f"{LOCAL}:4105/v1", "openai/m")], {}, {}, id="optillm-serves-none"),
    ],
)
def test_models_from_env(
    pairs: list[tuple[str, str]], ports: dict[str, int], models: dict[str, tuple[str, ...]]
) -> None:
    """A pair of address and model in the environment adds the model to the backend with that address."""
    environ: dict[str, str] = {}
    for index, (base, model) in enumerate(pairs):
        environ |= {f"A{index}_API_BASE": base, f"A{index}_MODEL": model}
    assert models_from_env(environ, ports) == models
