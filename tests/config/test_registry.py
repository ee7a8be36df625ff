"""registry.json: the MLX models of router.yaml, where their files are, how much fits."""

from __future__ import annotations

import pytest

from tests.config.shipped import DEPLOYMENTS, REGISTRY, SHOWROOM, Deployment

FIELDS = {
    *("model_id", "repo_id", "source_path", "cache_path"),
    *("format", "context_length", "max_output_tokens"),
}
MODELS = REGISTRY["models"]


def test_is_version_2() -> None:
    """The registry says its version, and each entry has version 2's fields under its own id."""
    assert REGISTRY["version"] == 2
    assert {key: set(entry) for key, entry in MODELS.items()} == dict.fromkeys(MODELS, FIELDS)
    assert [key for key, entry in MODELS.items() if entry["model_id"] != key] == []


@pytest.mark.parametrize("field", ["cache_path", "source_path"])
def test_files_lie_on_showroom_storage(field: str) -> None:
    """No shipped model lies outside the roots: its handle would stop the start."""
    roots = tuple(f"{root}/" for root in SHOWROOM["roots"])
    assert [key for key, entry in MODELS.items() if not entry[field].startswith(roots)] == []


def test_every_canonical_deployment_is_in_it() -> None:
    """The registry holds exactly the models that router.yaml serves under a canonical name."""
    assert set(MODELS) == {d.upstream_model for d in DEPLOYMENTS if d.upstream_model.startswith("mlx-")}


@pytest.mark.parametrize(
    "deployment", [pytest.param(d, id=d.group) for d in DEPLOYMENTS if d.upstream_model in MODELS]
)
def test_limits_are_the_registrys(deployment: Deployment) -> None:
    """A deployment of an MLX model states the context and output limits of its registry entry."""
    entry = MODELS[deployment.upstream_model]
    assert deployment.info["max_input_tokens"] == entry["context_length"]
    assert deployment.info["max_output_tokens"] == entry["max_output_tokens"]
