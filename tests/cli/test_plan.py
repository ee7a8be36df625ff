"""What `up` decides before it starts anything."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_homelab.cli.plan import NotStartable, Plan, make_plan, ports_in_use
from litellm_homelab.demo.config import DEFAULT_PORTS

EXAMPLE = "LITELLM_MASTER_KEY=sk-generate\nHOST=127.0.0.1\nPORT=4000\n"


MOVE = "move the demo with DEMO_PORT=5100, or start none with DEMO=0"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration folder as shipped."""
    (tmp_path / "env.example").write_text(EXAMPLE)
    path = tmp_path / "router.yaml"
    path.write_text("model_list: []\n")
    return path


def planned(config: Path, environ: dict[str, str] | None = None, demo_port: tuple[str, ...] = ()) -> Plan:
    """The plan for these arguments."""
    args = argparse.Namespace(config=config, env=None, demo_port=list(demo_port))
    return make_plan(args, environ or {})[0]


def test_defaults(config: Path) -> None:
    """Without a word from the operator: 127.0.0.1:4000, one worker, the demo, no download of prices."""
    plan = planned(config)

    assert (plan.url, plan.workers, plan.demo_ports) == ("http://127.0.0.1:4000", 1, dict(DEFAULT_PORTS))
    assert plan.environ["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"
    assert plan.env_file == config.with_name("env.local")


def test_command_is_stock_litellm(config: Path) -> None:
    """The gateway is started as an operator would by hand."""
    litellm, *arguments = planned(config, {"PORT": "4010", "WORKERS": "2"}).gateway_command

    assert Path(litellm).name == "litellm"
    expected = ["--config", config, "--host", "127.0.0.1", "--port", "4010", "--num_workers", "2"]
    assert arguments == [*expected, "--timeout_worker_healthcheck", "60"]


def test_one_worker_has_no_health_check(config: Path) -> None:
    """The time limit is for LiteLLM's own check of its workers, which one worker does without."""
    assert "--timeout_worker_healthcheck" not in planned(config).gateway_command


def test_environment_stands_before_the_file(config: Path) -> None:
    """What is set already is not overridden."""
    config.with_name("env.local").write_text("LITELLM_MASTER_KEY=sk-file\nPORT=4001\nHOST=127.0.0.1\n")
    plan = planned(config, {"LITELLM_MASTER_KEY": "sk-set", "LITELLM_LOCAL_MODEL_COST_MAP": "False"})

    assert (plan.environ["LITELLM_MASTER_KEY"], plan.port) == ("sk-set", 4001)
    assert plan.environ["LITELLM_LOCAL_MODEL_COST_MAP"] == "False"


@pytest.mark.parametrize(
    ("environ", "upstream"),
    [
        pytest.param({}, "http://127.0.0.1:4000/v1", id="default"),
        pytest.param({"PORT": "4010"}, "http://127.0.0.1:4010/v1", id="follows the port"),
        pytest.param({"OPTILLM_UPSTREAM_API_BASE": "http://h/v1"}, "http://h/v1", id="as it was set"),
    ],
)
def test_optillm_calls_back(config: Path, environ: dict[str, str], upstream: str) -> None:
    """The OptiLLM stand-in finds the gateway on the port that was asked for."""
    assert planned(config, environ).environ["OPTILLM_UPSTREAM_API_BASE"] == upstream


@pytest.mark.parametrize(
    ("environ", "needed"),
    [
        pytest.param({}, False, id="one worker"),
        pytest.param({"WORKERS": "2"}, True, id="two workers"),
        pytest.param({"WORKERS": "2", "PROMETHEUS_MULTIPROC_DIR": ""}, True, id="an empty value"),
        pytest.param({"WORKERS": "2", "PROMETHEUS_MULTIPROC_DIR": "samples"}, False, id="the operator's"),
        pytest.param({"WORKERS": "2", "prometheus_multiproc_dir": "samples"}, False, id="in small letters"),
    ],
)
def test_workers_need_a_folder_for_their_samples(config: Path, environ: dict[str, str], needed: bool) -> None:
    """Several workers need one, unless the operator has named it."""
    assert planned(config, environ).needs_samples is needed


def test_a_folder_for_samples_that_cannot_be_made(config: Path, tmp_path: Path) -> None:
    """The start says so, before anything runs."""
    (tmp_path / "file").write_text("")
    plan = planned(config, {"WORKERS": "2", "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "file" / "samples")})
    with pytest.raises(NotStartable, match="PROMETHEUS_MULTIPROC_DIR: cannot make the folder"):
        plan.make_samples()


def test_without_demo(config: Path) -> None:
    """DEMO=0 starts no demo backends."""
    assert planned(config, {"DEMO": "0"}).demo_ports == {}


def test_open_to_the_network_is_local_to_us(config: Path) -> None:
    """An address that means all addresses is not one that a client can use."""
    assert planned(config, {"HOST": "0.0.0.0"}).url == "http://127.0.0.1:4000"


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        pytest.param({"PORT": "http"}, "PORT=http: not a number from 1 to 65535", id="port is a word"),
        pytest.param({"PORT": "70000"}, "PORT=70000: not a number", id="port too high"),
        pytest.param({"WORKERS": "0"}, "WORKERS=0: not a number", id="no workers"),
        pytest.param({"LITELLM_MASTER_KEY": ""}, "LITELLM_MASTER_KEY is not set", id="no key"),
    ],
)
def test_unusable_environment(config: Path, environ: dict[str, str], message: str) -> None:
    """A wrong value is named with what would be right."""
    with pytest.raises(NotStartable, match=message):
        planned(config, environ)


@pytest.mark.parametrize("demo_port", [("mlx",), ("nope=4101",), ("mlx=0",), ("mlx=99999",)])
def test_unusable_demo_port(config: Path, demo_port: tuple[str, ...]) -> None:
    """A demo port must be a backend's and a real one, since env.local names it."""
    with pytest.raises(NotStartable):
        planned(config, demo_port=demo_port)


def test_wrong_environment_file(config: Path) -> None:
    """A line that cannot be read stops the start."""
    config.with_name("env.local").write_text("KEY = x\n")
    with pytest.raises(NotStartable, match=r"env\.local:1: 'KEY '"):
        planned(config)


def test_no_configuration(tmp_path: Path) -> None:
    """Started in the wrong folder, it says so and leaves nothing behind."""
    with pytest.raises(NotStartable, match=r"router\.yaml: no such file; start in the folder"):
        planned(tmp_path / "router.yaml")

    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that something listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_ports_in_use(config: Path, taken: int) -> None:
    """Every busy port is named, with who needs it and what to do."""
    plan = planned(config, {"PORT": str(taken)}, demo_port=(f"ollama={taken}",))
    busy = [line for line in ports_in_use(plan) if str(taken) in line]

    assert busy == [
        f"port {taken} of 127.0.0.1 is in use, the gateway needs it: choose another with PORT=...",
        f"port {taken} of 127.0.0.1 is in use, the demo's ollama backend needs it: {MOVE}",
    ]


def test_address_of_another_machine(config: Path) -> None:
    """A HOST that is not this machine's is reported before LiteLLM fails on it."""
    with pytest.raises(NotStartable, match=r"192\.0\.2\.1:4000: .*HOST must be an address of this machine"):
        list(ports_in_use(planned(config, {"HOST": "192.0.2.1", "DEMO": "0"})))


def test_demo_port_moves_the_demo_and_its_addresses(config: Path) -> None:
    """DEMO_PORT moves all seven ports, and every address of the environment that leads to one of them."""
    environ = {
        "DEMO_PORT": "5100",
        "MAIN_API_BASE": "http://127.0.0.1:4101/v1",
        "DEEP_API_BASE": "http://localhost:4105",
        "OTHER_API_BASE": "http://127.0.0.1:41010/v1",
        "FAR_API_BASE": "http://192.0.2.1:4101/v1",
        "NOTE": "http://127.0.0.1:4101/v1",
    }
    plan = planned(config, environ)
    assert plan.demo_ports == {name: port + 1000 for name, port in DEFAULT_PORTS.items()}
    assert {name: plan.environ[name] for name in environ if name != "DEMO_PORT"} == {
        "MAIN_API_BASE": "http://127.0.0.1:5101/v1",
        "DEEP_API_BASE": "http://localhost:5105",
        "OTHER_API_BASE": "http://127.0.0.1:41010/v1",
        "FAR_API_BASE": "http://192.0.2.1:4101/v1",
        "NOTE": "http://127.0.0.1:4101/v1",
    }


@pytest.mark.parametrize("value", ["x", "0", "65535", "-1"])
def test_demo_port_must_leave_room(config: Path, value: str) -> None:
    """A DEMO_PORT that is no port, or has fewer than six above it, is named with what is valid."""
    with pytest.raises(NotStartable, match="DEMO_PORT"):
        planned(config, {"DEMO_PORT": value})


@pytest.mark.parametrize("value", ["generate", "sk-generate"])
def test_placeholders_are_named(config: Path, value: str) -> None:
    """An env.example that was copied by hand is not started with: everybody knows its keys."""
    config.with_name("env.local").write_text(f"LITELLM_MASTER_KEY=sk-mine\nWEB_KEY={value}\n")
    with pytest.raises(NotStartable, match=f"WEB_KEY still has the placeholder '{value}' of env.example"):
        planned(config)


def test_a_name_that_is_set_twice_is_reported(config: Path) -> None:
    """The last value counts, as in a shell, and the start says so."""
    local = config.with_name("env.local")
    local.write_text("LITELLM_MASTER_KEY=sk-one\nHOST=127.0.0.1\nPORT=4000\nLITELLM_MASTER_KEY=sk-two\n")
    plan, notes = make_plan(argparse.Namespace(config=config, env=None, demo_port=[]), {})
    assert plan.environ["LITELLM_MASTER_KEY"] == "sk-two"
    assert notes == (
        f"{local}: LITELLM_MASTER_KEY is set on lines 1, 4; the last one counts, remove the others",
    )
