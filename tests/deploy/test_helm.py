"""deploy/helm: values for two charts and a resource of the operator, with configurations that start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from litellm_homelab.cli import main
from tests.config.shipped import ENV
from tests.deploy import facts, kustomize

FOLDER = facts.DEPLOY / "helm"
CHART = facts.load(FOLDER / "litellm-helm.values.yaml")
TEMPLATE = facts.load(FOLDER / "app-template.values.yaml")
PROXY, MODEL = (one["spec"] for one in kustomize.documents(FOLDER / "litellmproxy.yaml"))
(CONTROLLER,) = TEMPLATE["controllers"].values()
APP = CONTROLLER["containers"]["app"]


def _rendered() -> dict[str, Any]:
    """The file that the operator makes of its two resources."""
    params = MODEL["params"]
    deployment = {"model": params["model"], "api_base": params["apiBase"], "api_key": params["apiKey"]}
    deployment |= params["additional"]
    return {
        **PROXY["extraConfig"],
        "general_settings": PROXY["generalSettings"],
        "router_settings": PROXY["routerSettings"],
        "litellm_settings": {**PROXY["litellmSettings"], "callbacks": PROXY["callbacks"]["callbacks"]},
        "model_list": [
            {"model_name": MODEL["modelName"], "litellm_params": deployment, "model_info": MODEL["info"]}
        ],
    }


@pytest.mark.parametrize(
    "document",
    [pytest.param(CHART["proxy_config"], id="litellm-helm"), pytest.param(_rendered(), id="operator")],
)
def test_its_configuration_is_clean(
    document: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`check` has nothing to say, with the keys of a Secret made of env.local."""
    keys = {name: f"{value}-{name}-of-enough-length" for name, value in ENV.items() if "generate" in value}
    (tmp_path / "env").write_text("".join(f"{name}={key}\n" for name, key in keys.items()), encoding="utf-8")
    (tmp_path / "router.yaml").write_text(facts.dump(document), encoding="utf-8")
    status = main(["check", str(tmp_path / "router.yaml"), "--env", str(tmp_path / "env"), "--strict"])
    assert (status, capsys.readouterr().out.splitlines()[1:]) == (0, [])


def test_the_secret_is_one_of_env_local() -> None:
    """Every key that they take from it is a variable of env.example."""
    assert CHART["masterkeySecretKey"] in ENV
    references = facts.references(CHART) | facts.references(PROXY)
    assert references <= ENV.keys()


@pytest.mark.parametrize(
    ("image", "mounts"),
    [
        pytest.param(CHART["image"], CHART["volumeMounts"], id="litellm-helm"),
        pytest.param(
            APP["image"],
            [
                {"name": name, "mountPath": mount["path"]}
                for name, one in TEMPLATE["persistence"].items()
                for mount in one["globalMounts"]
            ],
            id="app-template",
        ),
        pytest.param(PROXY["image"], PROXY["volumeMounts"], id="operator"),
    ],
)
def test_the_package_is_an_image_volume(image: Any, mounts: list[dict[str, Any]]) -> None:
    """On PYTHONPATH below the mount, beside the official image of the locked LiteLLM."""
    assert (image if isinstance(image, str) else f"{image['repository']}:{image['tag']}") == facts.IMAGE
    (mount,) = [one for one in mounts if one["name"] == "homelab-image"]
    added = (facts.DEPLOY / "image" / "packages.Dockerfile").read_text(encoding="utf-8").split()[-1]
    paths = {CHART["envVars"]["PYTHONPATH"], APP["env"]["PYTHONPATH"]}
    paths |= {one["value"] for one in PROXY["env"] if one["name"] == "PYTHONPATH"}
    assert paths == {f"{mount['mountPath']}{added.rstrip('/')}"}


def test_answers_under_way_are_finished() -> None:
    """A pod that is stopped may take longer than the longest timeout."""
    assert CHART["terminationGracePeriodSeconds"] > facts.longest_timeout()
    assert CONTROLLER["pod"]["terminationGracePeriodSeconds"] > facts.longest_timeout()


def test_no_container_is_root_or_writes() -> None:
    """Where the chart leaves it to its values."""
    for context in (CHART["securityContext"], APP["securityContext"]):
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
    for context in (CHART["securityContext"], CONTROLLER["pod"]["securityContext"]):
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] == facts.NOBODY


def test_probes_ask_open_routes() -> None:
    """Routes that need no key and ask no backend; the others have the chart's own."""
    asked = {one["spec"]["httpGet"]["path"] for one in APP["probes"].values()}
    assert asked == {"/health/liveliness", "/health/readiness"}
    assert all(facts.is_open(path) for path in asked)


VALUES = {
    **dict.fromkeys(("image.repository", "image.tag", "image.pullPolicy", "masterkeySecretName"), str),
    **dict.fromkeys(("masterkeySecretKey", "service.port", "logLevel"), str),
    **dict.fromkeys(("environmentSecrets", "environmentConfigMaps", "volumes", "volumeMounts"), list),
    **dict.fromkeys(("proxy_config", "envVars", "securityContext", "podSecurityContext", "resources"), dict),
    **dict.fromkeys(("db.deployStandalone", "db.useExisting", "migrationJob.enabled", "redis.enabled"), bool),
    **dict.fromkeys(("terminationGracePeriodSeconds", "replicaCount"), int),
}
"""Values of LiteLLM's chart and their types (deploy/charts/litellm-helm/values.yaml of LiteLLM, 00eb60c0)."""


def _values(found: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Each value by its whole name; a mapping that is a value itself is not taken apart."""
    values: dict[str, Any] = {}
    for key, value in found.items():
        name = f"{before}{key}"
        whole = VALUES.get(name) is dict or not isinstance(value, dict)
        values |= {name: value} if whole else _values(value, f"{name}.")
    return values


def test_the_chart_has_its_values() -> None:
    """Helm drops a value that the chart does not have, without a word."""
    found = _values(CHART)
    assert found.keys() <= VALUES.keys()
    assert [name for name, value in found.items() if not isinstance(value, VALUES[name])] == []
