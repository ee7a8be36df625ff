"""One run of the check: the order of findings, files beside router.yaml, and what no message shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_homelab.check import report
from litellm_homelab.check.run import CheckRequest, check_file
from litellm_homelab.config import text_file
from tests.config.test_settings import CASES as SETTINGS
from tests.config.test_settings import LINE, Case

CLEAN = """\
homelab: {showroom: {handles: [main]}}
model_list:
  - model_name: main
    litellm_params: {model: lm_studio/main, api_base: 'http://127.0.0.1:8080/v1', api_key: none}
router_settings: {timeout: 600}
litellm_settings:
  callbacks: [litellm_homelab.plugin]
  global_disable_no_log_param: true
  expose_router_debug_in_errors: false
general_settings: {cancel_on_disconnect: true}
"""


def test_findings_are_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Whichever rule finds them, the start's and the check's own."""
    text = CLEAN.replace("timeout: 600", "timeout: 600, num_retrys: 1").replace("[main]", "[main, mian]")
    path = tmp_path / "router.yaml"
    path.write_text(text.replace("callbacks:", "drop_param: true\n  callbacks:"), encoding="utf-8")
    found = check_file(CheckRequest(path, litellm="1.108.7"), environ={}).findings
    assert [(one.line, one.id) for one in found] == [
        (1, "handle-unknown"),
        (5, "litellm-setting-misspelt"),
        (7, "litellm-setting-misspelt"),
    ]


def test_a_missing_file_is_unusable(tmp_path: Path) -> None:
    """There is nothing to check."""
    found = check_file(CheckRequest(tmp_path / "router.yaml"), environ={})
    assert found.unusable
    assert [one.id for one in found.findings] == ["yaml-syntax"]


def test_a_mistake_in_an_included_file_is_reported_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the line of that file, behind those of the first."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "more.yaml").write_text(
        "model_list:\n- model_name: main\n  litellm_params:\n    api_bsae: x\n    model: lm_studio/main\n",
        encoding="utf-8",
    )
    (tmp_path / "router.yaml").write_text(f"include: [more.yaml]\n{CLEAN}", encoding="utf-8")
    found = check_file(CheckRequest(Path("router.yaml"), litellm="1.108.7"), environ={}).findings
    assert {(one.file, one.line) for one in found if one.id == "api-setting-misspelt"} == {("more.yaml", 3)}


def test_addresses_in_two_unset_variables_are_not_one_place(tmp_path: Path) -> None:
    """A model server's address that is not known is not taken for OptiLLM's: no loop is reported."""
    (tmp_path / "router.yaml").write_text(TWO_VARIABLES, encoding="utf-8")
    found = check_file(CheckRequest(tmp_path / "router.yaml", litellm="1.108.7"), environ={})
    assert "optillm-loop" not in [one.id for one in found.findings]


TWO_VARIABLES = """\
homelab:
  showroom: {handles: [boost, main]}
  optillm: {boost: {approaches: [none], default: none}}
  callers: {optillm: {key: os.environ/OPTILLM_KEY, role: optillm}}
model_list:
  - model_name: boost
    litellm_params: {model: lm_studio/main, api_base: os.environ/OPTILLM_API_BASE, api_key: x}
  - model_name: main
    litellm_params: {model: lm_studio/main, api_base: os.environ/MAIN_API_BASE, api_key: x}
"""


def test_without_an_environment_unset_variables_are_no_findings(tmp_path: Path) -> None:
    """They are named once, and a value of another type behind one is not judged."""
    path = tmp_path / "router.yaml"
    text = CLEAN.replace("http://127.0.0.1:8080/v1", "os.environ/MAIN_API_BASE")
    path.write_text(text.replace("[main]}", "[main]}, limits: {body_mb: os.environ/MB}"), encoding="utf-8")
    without = check_file(CheckRequest(path, litellm="1.108.7"), environ={})
    assert (without.findings, without.unset) == ((), ("MAIN_API_BASE", "MB"))
    (tmp_path / "env").write_text("MB=8\n", encoding="utf-8")
    with_one = check_file(CheckRequest(path, tmp_path / "env", litellm="1.108.7"), environ={})
    assert [one.id for one in with_one.findings] == ["variable-unset"]
    assert with_one.unset == ()


@pytest.mark.parametrize(
    "name", ["everything_at_once", "lead_own_fallbacks", "callers_shapes", "wrong_types"]
)
def test_the_start_and_the_check_say_the_same(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each problem of a golden file of the start is an error of the check, in the same words."""
    given, expected = (SETTINGS / f"{name}.txt").read_text(encoding="utf-8").split(f"\n{LINE}")
    Case.of(f"{given}\n").write(tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    found = check_file(CheckRequest(Path("config/router.yaml"), litellm="1.106.2"), environ={}).findings
    errors = {f"config/router.yaml: {one.message}" for one in found if one.severity == "error"}
    assert set(expected.splitlines()) <= errors


def test_no_message_shows_a_key(tmp_path: Path) -> None:
    """Neither of the file nor of its environment."""
    key = "sk-proj-abcdefghijklmnop0123456789"
    path = tmp_path / "router.yaml"
    text = CLEAN.replace("api_key: none", f"api_key: {key}").replace("[main]", f"[main, {key}]")
    path.write_text(text.replace("{timeout: 600}", f"{{timeout: {key}}}"), encoding="utf-8")
    (tmp_path / "env").write_text(f"A=1\nB='{key}'\n{key}=x\n", encoding="utf-8")
    done = check_file(CheckRequest(path, tmp_path / "env", litellm="1.108.7"), environ={})
    assert len(done.findings) >= 4
    assert key not in report.as_text(done, "router.yaml") + report.as_json(done, "router.yaml")


def test_included_files_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the start's findings, the rules and the lines of messages alike."""
    (tmp_path / "more.yaml").write_text("model_list: []\n", encoding="utf-8")
    (tmp_path / "router.yaml").write_text(f"include: [more.yaml]\n{CLEAN}", encoding="utf-8")
    read: list[str] = []
    original = text_file.read

    def noted(path: Path) -> str:
        read.append(path.name)
        return original(path)

    monkeypatch.setattr(text_file, "read", noted)
    check_file(CheckRequest(tmp_path / "router.yaml", litellm="1.108.7"), environ={})
    assert sorted(read) == ["more.yaml", "router.yaml"]
