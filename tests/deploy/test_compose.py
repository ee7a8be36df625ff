"""deploy/compose: one that compose accepts, and that agrees with the files and the package that it starts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from litellm_homelab.cli import COMMANDS
from litellm_homelab.config.state_url import parse
from tests.config.shipped import ENV
from tests.deploy import facts

FOLDER = facts.DEPLOY / "compose"
COMPOSE: dict[str, Any] = facts.load(FOLDER / "compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
GATEWAY = SERVICES["gateway"]
HARDENED = [name for name in SERVICES if name != "searxng"]
"""SearXNG's image writes its uwsgi configuration at the start, as root."""
SCHEMA = Path(__file__).parent / "schemas" / "compose-spec.json"
"""compose-spec/compose-spec 170098ba (2026-06-23), Apache-2.0."""


def _mounts(service: dict[str, Any]) -> list[tuple[str, str]]:
    """Source and target of each volume; `:ro` is left off."""
    return [tuple(one.removesuffix(":ro").split(":")) for one in service.get("volumes", [])]


def test_compose_accepts_it() -> None:
    """By the schema of the Compose Specification, anchors and merges resolved."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    schema["$schema"] = "http://json-schema.org/draft-07/schema#"
    jsonschema.validate(COMPOSE, schema)


def test_its_services_are_the_ones_of_the_page() -> None:
    """Gateway and store always; the others by profile."""
    assert {name: one.get("profiles", []) for name, one in SERVICES.items()} == {
        "gateway": [],
        "redis": [],
        "demo": ["demo"],
        "optillm": ["optillm"],
        "searxng": ["search"],
        "prometheus": ["monitoring"],
        "grafana": ["monitoring"],
    }


@pytest.mark.parametrize("name", SERVICES)
def test_what_it_mounts_is_there(name: str) -> None:
    """A bind mount names a file of this repository or the unpacked package; a volume exists."""
    for source, target in _mounts(SERVICES[name]):
        assert target.startswith("/")
        if source.startswith("."):
            assert source == "./site-packages" or (FOLDER / source).exists(), source
        else:
            assert source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_its_variables_are_known(name: str) -> None:
    """Each is one of env.example, Python's or the container's own."""
    own = {"searxng": {"SEARXNG_SECRET"}}.get(name, set())
    assert set(SERVICES[name].get("environment", {})) <= facts.VARIABLES | own
    assert SERVICES[name].get("env_file", "../../config/env.local") == "../../config/env.local"


def test_it_publishes_on_this_machine_only() -> None:
    """Every port is bound to the loopback, and only the gateway has any."""
    ports = [port for one in SERVICES.values() for port in one.get("ports", [])]
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
    assert f"127.0.0.1:{facts.PORT}:{facts.PORT}" in ports
    assert GATEWAY["environment"]["PORT"] == str(facts.PORT)
    assert {name for name, one in SERVICES.items() if "ports" in one} == {"gateway"}


def test_the_gateway_reads_the_shipped_files() -> None:
    """router.yaml and its registry side by side, the package on PYTHONPATH, in the locked LiteLLM's image."""
    targets = {target: source for source, target in _mounts(GATEWAY)}
    assert GATEWAY["command"] == ["--config", "/etc/litellm-homelab/router.yaml"]
    assert targets["/etc/litellm-homelab/router.yaml"] == "../../config/router.yaml"
    assert targets["/etc/litellm-homelab/registry.json"] == "../../config/registry.json"
    assert targets[GATEWAY["environment"]["PYTHONPATH"]] == "./site-packages"
    assert GATEWAY["image"] == SERVICES["demo"]["image"] == facts.IMAGE


def test_its_state_is_the_redis_beside_it() -> None:
    """The store that counters are kept in is a service that is healthy before the gateway starts."""
    found = parse(GATEWAY["environment"]["HOMELAB_STATE"], Path())
    assert found.kind == "redis"
    assert "//redis:6379/" in GATEWAY["environment"]["HOMELAB_STATE"]
    assert GATEWAY["depends_on"] == {"redis": {"condition": "service_healthy"}}


def test_the_health_check_asks_an_open_route() -> None:
    """One that needs no key and asks no backend."""
    (url,) = re.findall(r"http://127\.0\.0\.1:(\d+)(/[\w/]+)", GATEWAY["healthcheck"]["test"][-1])
    assert url[0] == str(facts.PORT)
    assert facts.is_open(url[1])


def test_answers_under_way_are_finished() -> None:
    """Stopping waits for longer than the longest timeout."""
    assert facts.seconds(GATEWAY["stop_grace_period"]) > facts.longest_timeout()


@pytest.mark.parametrize("name", HARDENED)
def test_it_is_not_root_and_writes_nothing(name: str) -> None:
    """No capability, no new privilege, a root file system that is read-only."""
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    # Compose cannot write a secret from a variable into a read-only container.
    assert service["read_only"] is (name != "prometheus")
    if name in ("gateway", "demo", "optillm"):
        assert service["user"] == f"{facts.NOBODY}:{facts.NOBODY}"


@pytest.mark.parametrize("name", ["demo", "optillm", "prometheus", "grafana"])
def test_what_is_beside_the_gateway_shares_its_loopback(name: str) -> None:
    """The files of this repository name 127.0.0.1: they serve as they are."""
    assert SERVICES[name]["network_mode"] == "service:gateway"


def test_the_demo_is_the_packages_command() -> None:
    """A command that the package has."""
    assert SERVICES["demo"]["entrypoint"][:3] == ["python", "-m", "litellm_homelab.cli"]
    assert SERVICES["demo"]["entrypoint"][3] in COMMANDS


def test_optillm_starts_as_it_does_elsewhere() -> None:
    """By config/optillm/start.sh, which the mount brings."""
    ((source, target),) = _mounts(SERVICES["optillm"])
    script = SERVICES["optillm"]["entrypoint"][-1]
    assert (FOLDER / source / script.removeprefix(f"{target}/")).is_file()


def test_prometheus_finds_its_files_and_its_key() -> None:
    """Where prometheus.yml expects them, relative to itself; the key is the one of the caller prometheus."""
    config = facts.load(facts.DEPLOY / "prometheus" / "prometheus.yml")
    folder = "/etc/prometheus"
    targets = {target for _, target in _mounts(SERVICES["prometheus"])}
    assert {f"{folder}/{Path(name).parent}" for name in config["rule_files"]} <= targets
    (secret,) = SERVICES["prometheus"]["secrets"]
    (job,) = config["scrape_configs"]
    assert secret["target"] == f"{folder}/{job['authorization']['credentials_file']}"
    assert COMPOSE["secrets"][secret["source"]]["environment"] in ENV
    assert job["static_configs"][0]["targets"] == [f"127.0.0.1:{facts.PORT}"]


def test_grafana_finds_its_dashboards() -> None:
    """At the path that the provisioning names, with the data source on the shared loopback."""
    provisioning = facts.DEPLOY / "grafana" / "provisioning"
    (provider,) = facts.load(provisioning / "dashboards" / "litellm-homelab.yml")["providers"]
    assert provider["options"]["path"] in {target for _, target in _mounts(SERVICES["grafana"])}
    (source,) = facts.load(provisioning / "datasources" / "prometheus.yml")["datasources"]
    port = source["url"].rpartition(":")[2]
    assert f"--web.listen-address=0.0.0.0:{port}" in SERVICES["prometheus"]["command"]


def test_searxng_answers_in_json() -> None:
    """LiteLLM asks for JSON, which SearXNG refuses by default."""
    assert "json" in facts.load(FOLDER / "searxng" / "settings.yml")["search"]["formats"]


def test_it_resolves_without_an_environment() -> None:
    """Each variable of the file has a default: compose leaves none empty, with a warning."""
    text = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
    written = re.findall(r"(?<!\$)\$(?!\$)(\{[^}]*\}|\w+)", text)
    assert written
    assert [one for one in written if not re.fullmatch(r"\{\w+:-[^}]+\}", one)] == []


@pytest.mark.parametrize("name", SERVICES)
def test_what_it_leads_to_is_a_service(name: str) -> None:
    """By network, start order and secret; a service of a profile needs none of another profile."""
    service = SERVICES[name]
    shared = service.get("network_mode", "").removeprefix("service:")
    others = {*service.get("depends_on", {}), *([shared] if shared else [])}
    assert others <= SERVICES.keys() - {name}
    assert all({*SERVICES[one].get("profiles", [])} <= {*service.get("profiles", [])} for one in others)
    assert {one["source"] for one in service.get("secrets", [])} <= COMPOSE.get("secrets", {}).keys()
