"""The schema of router.yaml: what we ship is valid, mistakes are not, and editors complete from it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from litellm_homelab import cli
from litellm_homelab.config import schema, yaml_text
from tests.docs.blocks import PAGES, blocks

REPOSITORY = Path(__file__).parents[2]
SCRIPT = REPOSITORY / "scripts" / "litellm_schema.py"
DATA = REPOSITORY / "litellm_homelab" / "config" / "litellm.schema.json"
SECTIONS = {"homelab", "model_list", "router_settings", "litellm_settings", "general_settings"}
MISTAKES = {"tests/labs/files/four_steps.yaml": {"$.router_settings.retry_policy"}}
"""What owners' files have wrong on purpose: LiteLLM ignores such names."""
VALIDATOR = jsonschema.Draft7Validator(schema.router_schema())


def _configurations() -> Iterator[tuple[str, str]]:
    """(name, text) of each router.yaml of the repository, of its tests and of its pages."""
    paths = [*REPOSITORY.glob("config/*.yaml"), *REPOSITORY.glob("litellm_homelab/**/router.yaml")]
    paths += [*REPOSITORY.glob("tests/routers/*.yaml"), *REPOSITORY.glob("tests/real/**/router.yaml")]
    paths += [*REPOSITORY.glob("tests/labs/files/*.yaml")]
    for path in sorted(paths):
        yield str(path.relative_to(REPOSITORY)), path.read_text(encoding="utf-8")
    for path in sorted(REPOSITORY.glob("tests/settings/ok_*.txt")):
        yield path.stem, path.read_text(encoding="utf-8").split("\n=== ")[0].split("\n----------")[0]
    values = yaml.safe_load((REPOSITORY / "deploy/helm/litellm-helm.values.yaml").read_text(encoding="utf-8"))
    yield "litellm-helm", yaml.safe_dump(values["proxy_config"])
    for block in blocks("yaml", *PAGES):
        yield block.id, block.text


def _document(text: str) -> Any:
    return yaml_text.load(text)


def _is_configuration(text: str) -> bool:
    """Whether it has a section of router.yaml; pages also show files of other programs."""
    document = _document(text)
    return isinstance(document, dict) and bool(SECTIONS & set(document))


FOUND = [(name, text) for name, text in _configurations() if _is_configuration(text)]


@pytest.mark.parametrize(("name", "text"), [pytest.param(*one, id=one[0]) for one in FOUND])
def test_every_configuration_is_valid(name: str, text: str) -> None:
    """The schema takes what the gateway takes."""
    document = _document(text)
    if ".md:" in name and "homelab" in document:  # a page shows the lines that it is about
        document["homelab"].setdefault("showroom", {"handles": ["main"]})
        document["homelab"]["showroom"].setdefault("handles", ["main"])
    found = {one.json_path: one.message[:200] for one in VALIDATOR.iter_errors(document)}
    assert found.keys() == MISTAKES.get(name, set()), found


def test_configurations_of_every_kind_are_found() -> None:
    """An empty list would pass without a word."""
    names = [name for name, _ in FOUND]
    assert len(names) >= 40
    for start in (
        "config/router.yaml",
        "tests/labs/",
        "tests/routers/",
        "ok_",
        "README.md",
        "configuration.md",
    ):
        assert any(name.startswith(start) for name in names), start


@pytest.mark.parametrize(
    ("text", "where"),
    [
        pytest.param("homelab: {showroom: {handels: [main]}}", "$.homelab.showroom", id="a misspelt setting"),
        pytest.param(
            "homelab: {showroom: {handles: main}}", "$.homelab.showroom.handles", id="a text for a list"
        ),
        pytest.param(
            "homelab: {showroom: {handles: [a]}, limits: {parts: 0}}", "$.homelab.limits.parts", id="bounds"
        ),
        pytest.param(
            "homelab: {showroom: {handles: [a]}, callers: {web: {role: client}}}",
            "$.homelab.callers.web",
            id="a missing key",
        ),
        pytest.param("router_settings: {num_retrys: 2}", "$.router_settings", id="an unknown router setting"),
        pytest.param("router_settings: {fallbacks: {a: [b]}}", "$.router_settings.fallbacks", id="fallbacks"),
        pytest.param(
            "router_settings: {retry_policy: {Timeout: 2}}", "$.router_settings.retry_policy", id="policy"
        ),
        pytest.param(
            "router_settings: {routing_strategy: fair}", "$.router_settings.routing_strategy", id="strategy"
        ),
        pytest.param("litellm_settings: {cache: redis}", "$.litellm_settings.cache", id="the cache"),
        pytest.param(
            "model_list: [{model_name: a}]", "$.model_list[0]", id="a deployment without parameters"
        ),
        pytest.param(
            "model_list: [{model_name: a, litellm_params: {model: openai/a, timeout: 60s}}]",
            "$.model_list[0].litellm_params.timeout",
            id="a timeout with a unit",
        ),
    ],
)
def test_a_mistake_is_marked(text: str, where: str) -> None:
    """At the setting that is wrong, as an editor underlines it."""
    assert where in [one.json_path for one in VALIDATOR.iter_errors(_document(text))]


def test_a_reference_may_be_in_the_place_of_any_value() -> None:
    """`os.environ/NAME` works for numbers, switches and short names of keys."""
    text = """\
homelab:
  showroom: {handles: [main]}
  callers: {web: {key: os.environ/K, role: os.environ/ROLE}}
  limits: {body_mb: os.environ/MB}
  gate: {ui: os.environ/UI}
  secret: os.environ/S
router_settings: {timeout: os.environ/T, num_retries: os.environ/N}
"""
    assert [*VALIDATOR.iter_errors(_document(text))] == []


# --- what an editor does with it -------------------------------------------------------------------


def _completions(*path: str) -> dict[str, str]:
    """Names that an editor offers below a setting, each with its sentence: the schema evaluated there."""
    whole = schema.router_schema()
    here: dict[str, Any] = whole
    for part in path:
        inner = here.get("properties", {}).get(part) or here.get("items") or here.get("additionalProperties")
        assert isinstance(inner, dict), part
        here = whole["$defs"][inner["$ref"].rpartition("/")[2]] if "$ref" in inner else inner
    return {name: one.get("description", "") for name, one in here.get("properties", {}).items()}


def test_an_editor_completes_our_settings_with_their_sentences() -> None:
    """Below `homelab.optillm.<name>`: every setting, with the text of the settings' own documentation."""
    found = _completions("homelab", "optillm", "boost")
    assert {"approaches", "default", "max_calls", "on_dropped"} <= found.keys()
    assert found["max_calls"] == "Children per root."
    assert all(found.values())


def test_an_editor_completes_litellms_settings() -> None:
    """Below a deployment and in the three sections."""
    assert {"model", "api_base", "rpm", "stream_timeout"} <= _completions(
        "model_list", "0", "litellm_params"
    ).keys()
    assert {"fallbacks", "num_retries", "cooldown_time"} <= _completions("router_settings").keys()
    assert {"drop_params", "callbacks"} <= _completions("litellm_settings").keys()
    assert "postgres" in _completions("general_settings")["database_url"]


# --- the files -------------------------------------------------------------------------------------


def test_the_command_prints_a_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """`litellm-homelab schema` is JSON, and a schema itself."""
    assert cli.main(["schema"]) == 0
    printed = json.loads(capsys.readouterr().out)
    jsonschema.Draft7Validator.check_schema(printed)
    assert printed == schema.router_schema()


def test_the_shipped_file_is_what_the_command_prints() -> None:
    """After a change: `litellm-homelab schema > config/homelab.schema.json`."""
    assert (REPOSITORY / "config" / schema.FILE).read_text(encoding="utf-8") == schema.written()


def test_the_shipped_router_yaml_names_it_in_its_first_line() -> None:
    """The line that editors look for, with a path that is right beside it."""
    first = (REPOSITORY / "config" / "router.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == schema.MODELINE
    assert (REPOSITORY / "config" / first.partition("$schema=")[2]).is_file()


def test_litellms_part_is_made_from_the_installed_litellm() -> None:
    """Whoever locks another LiteLLM makes the file anew: `.venv/bin/python scripts/litellm_schema.py`."""
    command = [sys.executable, str(SCRIPT), "--print"]  # no other test has changed LiteLLM there
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert DATA.read_text(encoding="utf-8") == done.stdout[done.stdout.index("{\n") :]
