"""config/optillm/: how OptiLLM is started, what it is given, what it is never given."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.config.shipped import BY_GROUP, FOLDER, SHOWROOM

OPTILLM = FOLDER / "optillm"
GIVEN = {"OPTILLM_GATE_KEY": "gate-key", "OPTILLM_UPSTREAM_KEY": "sk-upstream"}
STAND_IN = """#!/bin/sh
for argument in "$@"; do echo "argument $argument"; done
env | sed 's/^/variable /'
"""


@dataclass(frozen=True, slots=True)
class Started:
    """What `optillm` was started with, or why it was not."""

    status: int
    error: str
    arguments: list[str]
    variables: dict[str, str]

    def option(self, name: str) -> str:
        """The value that counts: the last one given."""
        return [value for key, value in zip(self.arguments, self.arguments[1:], strict=False) if key == name][
            -1
        ]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder with a stand-in for the `optillm` program."""
    program = tmp_path / "bin" / "optillm"
    program.parent.mkdir()
    program.write_text(STAND_IN)
    program.chmod(0o755)
    return tmp_path


def start(
    home: Path, environ: Mapping[str, str], *options: str, script: Path = OPTILLM / "start.sh"
) -> Started:
    """Run start.sh with these variables and no others."""
    variables = {"PATH": f"{home / 'bin'}:/usr/bin:/bin", "HOME": str(home), **environ}
    done = subprocess.run([script, *options], env=variables, capture_output=True, text=True, timeout=300)
    lines = [line.partition(" ") for line in done.stdout.splitlines()]
    pairs = [rest.partition("=") for kind, _, rest in lines if kind == "variable"]
    return Started(
        done.returncode,
        done.stderr,
        [rest for kind, _, rest in lines if kind == "argument"],
        {name: value for name, _, value in pairs},
    )


def test_starts_closed(home: Path) -> None:
    """On 127.0.0.1, behind the gate key as an argument, with no approach of its own, back to the gateway."""
    started = start(home, {"PORT": "4010", **GIVEN})
    assert (started.status, started.error) == (0, "")
    assert started.option("--host") == "127.0.0.1"
    assert started.option("--optillm-api-key") == "gate-key"
    assert started.option("--approach") == "none"
    assert started.option("--base-url") == "http://127.0.0.1:4010/v1"
    assert started.option("--port") == "4020"


def test_gives_away_nothing_else(home: Path) -> None:
    """Of the environment, OptiLLM gets the key of its calls back and no other secret or switch."""
    others = dict.fromkeys(
        ("LITELLM_MASTER_KEY", "OPTILLM_API_KEY", "OPTILLM_MODEL", "CEREBRAS_API_KEY"), "x"
    )
    started = start(home, {**GIVEN, **others})
    # A shell sets the last three for itself.
    assert started.variables.keys() - {"PWD", "SHLVL", "_"} == {
        *("PATH", "HOME", "OPENAI_API_KEY", "OPTILLM_UPSTREAM_API_BASE")
    }
    assert started.variables["OPENAI_API_KEY"] == "sk-upstream"


def test_the_last_word_is_the_scripts(home: Path) -> None:
    """Further options are passed on; those that close OptiLLM cannot be undone by them."""
    started = start(home, GIVEN, "--log", "debug", "--host", "0.0.0.0", "--approach", "moa")
    assert started.option("--log") == "debug"
    assert (started.option("--host"), started.option("--approach")) == ("127.0.0.1", "none")


def test_reads_env_local(home: Path) -> None:
    """Keys that are not set come from the env.local beside router.yaml, literally."""
    folder = home / "config" / "optillm"
    folder.mkdir(parents=True)
    for file in OPTILLM.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "start.sh").chmod(0o755)
    lines = [f"{name}={value}" for name, value in {**GIVEN, "PORT": "4011", "OPTILLM_MODEL": "x"}.items()]
    (home / "config" / "env.local").write_text("\n".join(lines))
    started = start(home, {}, script=folder / "start.sh")
    assert (started.status, started.error) == (0, "")
    assert started.option("--base-url") == "http://127.0.0.1:4011/v1"
    assert "OPTILLM_MODEL" not in started.variables


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        pytest.param({"OPTILLM_GATE_KEY": ""}, "OPTILLM_GATE_KEY is not set", id="no-gate-key"),
        pytest.param({"OPTILLM_UPSTREAM_KEY": ""}, "OPTILLM_UPSTREAM_KEY is not set", id="no-upstream-key"),
        pytest.param({"OPTILLM_GATE_KEY": "sk-gate"}, "starts with sk-", id="gate-key-goes-upstream"),
        pytest.param({"PATH": "/usr/bin:/bin"}, "no optillm in PATH", id="not-installed"),
    ],
)
def test_does_not_start_wrong(home: Path, environ: dict[str, str], words: str) -> None:
    """What would start an OptiLLM that does not work, or gives its key away, stops with a sentence."""
    folder = home / "optillm"  # no env.local beside it
    folder.mkdir()
    for file in OPTILLM.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "start.sh").chmod(0o755)
    started = start(home, {**GIVEN, **environ}, script=folder / "start.sh")
    assert started.status == 2
    assert words in started.error
    assert started.arguments == []


def test_links_its_providers(home: Path) -> None:
    """OptiLLM finds this folder's proxy_config.yaml where it looks, at a second start too."""
    assert start(home, GIVEN).status == start(home, GIVEN).status == 0
    assert (home / ".optillm" / "proxy_config.yaml").samefile(OPTILLM / "proxy_config.yaml")


def test_other_providers_stop_it(home: Path) -> None:
    """A proxy_config.yaml of another origin is left alone, and OptiLLM is not started with it."""
    theirs = home / ".optillm" / "proxy_config.yaml"
    theirs.parent.mkdir()
    theirs.write_text("providers: [{name: cloud}]")
    started = start(home, GIVEN)
    assert started.status == 2
    assert "prompts could go to its providers" in started.error
    assert theirs.read_text() == "providers: [{name: cloud}]"


def test_the_gateway_is_the_only_provider() -> None:
    """proxy_config.yaml has one provider, by the variables that start.sh sets."""
    document = yaml.safe_load((OPTILLM / "proxy_config.yaml").read_text())
    assert document["providers"] == [
        {"name": "gateway", "base_url": "${OPTILLM_UPSTREAM_API_BASE}", "api_key": "${OPENAI_API_KEY}"}
    ]
    script = (OPTILLM / "start.sh").read_text()
    for variable in re.findall(r"\$\{(\w+)\}", json.dumps(document)):
        assert f"  {variable}=" in script


def test_warms_up_the_base_model() -> None:
    """warmup.json asks for what OptiLLM calls back, an internal name, and no approach: `none` is a 500."""
    document = json.loads((OPTILLM / "warmup.json").read_text())
    assert document["model"] == BY_GROUP["boost"].upstream_model
    assert document["model"] in SHOWROOM["internal"]
    assert "optillm_approach" not in document


@pytest.mark.parametrize("name", ["start.sh", "warmup.sh"])
def test_is_a_program(name: str) -> None:
    """A script can be run, and a POSIX shell reads it."""
    assert os.access(OPTILLM / name, os.X_OK)
    assert (OPTILLM / name).read_text().startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", OPTILLM / name], check=True, timeout=300)
