"""deploy/kubernetes: the shipped router.yaml, and what the package needs around it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from litellm_homelab.cli import COMMANDS
from tests.config.shipped import ENV
from tests.deploy import facts, kustomize

FOLDER = facts.DEPLOY / "kubernetes"
COMPONENTS = sorted(path.parent for path in (FOLDER / "components").glob("*/kustomization.yaml"))
CONFIG = facts.REPOSITORY / "config"


def _everything() -> list[kustomize.Resource]:
    """The base with every component."""
    resources = kustomize.build(FOLDER / "base")
    for component in COMPONENTS:
        kustomize.apply(component, resources)
    return resources


ALL = _everything()


def _one(kind: str, name: str = "litellm-homelab") -> dict[str, Any]:
    (found,) = [one for one in ALL if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return found


POD: dict[str, Any] = _one("Deployment")["spec"]["template"]["spec"]
CONTAINERS: dict[str, dict[str, Any]] = {one["name"]: one for one in POD["containers"]}
GATEWAY = CONTAINERS["gateway"]
WORKLOADS = [one for one in ALL if one["kind"] in ("Deployment", "StatefulSet")]


def _environ(container: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container.get("env", [])}


def test_the_config_map_is_the_shipped_router() -> None:
    """Byte for byte, with the registry beside it."""
    data = _one("ConfigMap")["data"]
    assert data == {
        name: (CONFIG / name).read_text(encoding="utf-8") for name in ("router.yaml", "registry.json")
    }


def test_the_gateway_reads_it() -> None:
    """The argument is a file of the mounted ConfigMap."""
    (mount,) = [one for one in GATEWAY["volumeMounts"] if one["name"] == "config"]
    (volume,) = [one for one in POD["volumes"] if one["name"] == "config"]
    assert volume["configMap"]["name"] == "litellm-homelab"
    assert GATEWAY["args"] == ["--config", f"{mount['mountPath']}/router.yaml"]


@pytest.mark.parametrize("name", CONTAINERS)
def test_its_environment_is_the_secret(name: str) -> None:
    """Made of env.local; what is set beside it is a variable of env.example or of the system."""
    assert CONTAINERS[name]["envFrom"] == [{"secretRef": {"name": "litellm-homelab"}}]
    assert _environ(CONTAINERS[name]).keys() <= facts.VARIABLES


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_probes_ask_open_routes(probe: str) -> None:
    """Routes that need no key and ask no backend, on the gateway's port."""
    asked = GATEWAY[probe]["httpGet"]
    assert facts.is_open(asked["path"])
    assert {one["name"]: one["containerPort"] for one in GATEWAY["ports"]} == {asked["port"]: facts.PORT}
    assert _environ(GATEWAY)["PORT"] == str(facts.PORT)


def test_it_is_not_restarted_for_a_backend() -> None:
    """Liveness is the process; readiness may say more."""
    assert GATEWAY["livenessProbe"]["httpGet"]["path"] == "/health/liveliness"
    assert GATEWAY["readinessProbe"]["httpGet"]["path"] == "/health/readiness"


def test_answers_under_way_are_finished() -> None:
    """A pod that is stopped may take longer than the longest timeout."""
    assert POD["terminationGracePeriodSeconds"] > facts.longest_timeout()


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda one: one["metadata"]["name"])
def test_no_container_is_root_or_writes(workload: dict[str, Any]) -> None:
    """Not root, no capability, no account of the cluster; /tmp and volumes are what can be written."""
    spec = workload["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["automountServiceAccountToken"] is False
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"].keys() == {"requests", "limits"}


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda one: one["metadata"]["name"])
def test_mounts_are_volumes_of_the_pod(workload: dict[str, Any]) -> None:
    """No container mounts what its pod does not have."""
    spec = workload["spec"]["template"]["spec"]
    claims = workload["spec"].get("volumeClaimTemplates", [])
    volumes = {one["name"] for one in spec.get("volumes", [])} | {one["metadata"]["name"] for one in claims}
    assert {one["name"] for each in spec["containers"] for one in each["volumeMounts"]} == volumes


def test_its_state_is_the_redis_of_the_base() -> None:
    """The address is the Service of the store, which admits the gateway's pods and no others."""
    service = _one("Service", "litellm-homelab-redis")
    (port,) = service["spec"]["ports"]
    name = service["metadata"]["name"]
    assert _environ(GATEWAY)["HOMELAB_STATE"] == f"redis://{name}:{port['port']}/0"
    (rule,) = _one("NetworkPolicy", name)["spec"]["ingress"]
    labels = _one("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert rule["from"] == [{"podSelector": {"matchLabels": labels}}]


@pytest.mark.parametrize("kind", ["Service", "PodDisruptionBudget", "ServiceMonitor"])
def test_what_selects_selects_the_gateway(kind: str) -> None:
    """By the labels of its pods, or of its Service."""
    selector = _one(kind)["spec"]["selector"]
    labels = _one("Service" if kind == "ServiceMonitor" else "Deployment")["metadata"]["labels"]
    assert selector.get("matchLabels", selector) == labels


def test_it_scales_and_is_reached_by_its_name() -> None:
    """HPA and Ingress name the Deployment and the Service."""
    target = _one("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", "litellm-homelab")
    (rule,) = _one("Ingress")["spec"]["rules"]
    service = rule["http"]["paths"][0]["backend"]["service"]
    (port,) = _one("Service")["spec"]["ports"]
    assert service == {"name": "litellm-homelab", "port": {"name": port["name"]}}


def test_prometheus_asks_as_the_caller_prometheus() -> None:
    """On /metrics/, with that caller's key, under the job that the alerts name."""
    (endpoint,) = _one("ServiceMonitor")["spec"]["endpoints"]
    (job,) = facts.load(facts.DEPLOY / "prometheus" / "prometheus.yml")["scrape_configs"]
    assert endpoint["path"] == job["metrics_path"]
    assert endpoint["authorization"]["credentials"]["key"] in ENV
    label = _one("ServiceMonitor")["spec"]["jobLabel"]
    assert _one("Service")["metadata"]["labels"][label] == job["job_name"]


def test_the_sidecars_are_what_runs_elsewhere() -> None:
    """The package's own demo; OptiLLM by the shipped script."""
    assert CONTAINERS["demo"]["command"][:3] == ["python", "-m", "litellm_homelab.cli"]
    assert CONTAINERS["demo"]["command"][3] in COMMANDS
    assert CONTAINERS["demo"]["image"] == GATEWAY["image"]
    script = Path(CONTAINERS["optillm"]["command"][-1])
    data = _one("ConfigMap", "litellm-homelab-optillm")["data"]
    assert data[script.name] == (CONFIG / "optillm" / script.name).read_text(encoding="utf-8")
    assert str(script.parent) in {one["mountPath"] for one in CONTAINERS["optillm"]["volumeMounts"]}


def test_the_example_builds_with_any_component() -> None:
    """It is made of the base; what it names in comments exists as well."""
    example = FOLDER / "example"
    assert {one["kind"] for one in kustomize.build(example)} >= {"Deployment", "ConfigMap", "StatefulSet"}
    text = (example / kustomize.NAME).read_text(encoding="utf-8")
    named = set(re.findall(r"- \.\./components/(\w+)", text))
    assert named == {component.name for component in COMPONENTS}
    (image,) = facts.load(example / kustomize.NAME)["images"]
    assert image["name"] == GATEWAY["image"]
