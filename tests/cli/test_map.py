"""`litellm-homelab map`: its forms, its exit status, and what it needs."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from litellm_homelab.cli import main
from tests.cli import alone
from tests.cli.alone import REPOSITORY
from tests.drawing import lab

ENVIRONMENT = """\
LITELLM_MASTER_KEY=sk-master-0123456789abcdef
CHAT_KEY=sk-chat-0123456789abcdef
BACK_KEY=sk-back-0123456789abcdef
NUMBERS_KEY=sk-numbers-0123456789abcdef
EXACT_API_BASE=http://gpu:8000/v1
SEARXNG_API_BASE=http://127.0.0.1:8888
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the lab's file and its environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PORT", raising=False)
    Path("router.yaml").write_text(lab.text(), encoding="utf-8")
    Path("env").write_text(ENVIRONMENT, encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "begins"),
    [
        pytest.param([], "Callers\n", id="text"),
        pytest.param(["--mermaid"], "flowchart LR\n", id="Mermaid"),
        pytest.param(["--svg", "-"], "<svg ", id="SVG"),
        pytest.param(["--ports"], "ADDRESS", id="ports"),
    ],
)
@pytest.mark.parametrize("env", [[], ["--env", "env"]], ids=["without an environment", "with one"])
def test_its_forms(
    options: list[str], begins: str, env: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each on standard output, with nothing beside it where nothing is wrong."""
    assert main(["map", "router.yaml", *env, *options]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(begins)
    assert said.err == ""
    assert ("EXACT_API_BASE" in said.out) == (not env or "--ports" in options)


def test_a_picture_is_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """Valid XML; a place that cannot be written is said."""
    assert main(["map", "router.yaml", "--svg", "map.svg"]) == 0
    assert ET.parse("map.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert capsys.readouterr().err == "map.svg: written\n"
    assert main(["map", "router.yaml", "--svg", "none/map.svg"]) == 2
    assert "none/map.svg: not written: " in capsys.readouterr().err


def test_a_loop_is_marked_and_said_in_the_words_of_check(capsys: pytest.CaptureFixture[str]) -> None:
    """The map is drawn all the same: it shows where to look."""
    Path("router.yaml").write_text(lab.text(lab.LOOP), encoding="utf-8")
    assert main(["map", "router.yaml"]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("Wrong\n  LOOP  boost -> OptiLLM -> boost\n")
    main(["check", "router.yaml"])
    errors = [line for line in capsys.readouterr().out.splitlines() if ": error: " in line]
    assert said.err.splitlines() == errors
    assert "[optillm-loop]" in said.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("homelab: [", ": error: ", id="not YAML"),
        pytest.param("homelab: {showroom: 5}\nmodel_list: []\n", "homelab.showroom: ", id="shape"),
        pytest.param("model_list: []\n", "[homelab-missing]", id="no section"),
    ],
)
def test_a_wrong_file_has_the_messages_of_check(
    text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error; there is no map."""
    Path("router.yaml").write_text(text, encoding="utf-8")
    assert main(["map", "router.yaml"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """The same message as of `check`."""
    assert main(["map", "none.yaml"]) == 2
    said = capsys.readouterr().err
    main(["check", "none.yaml"])
    assert said.splitlines() == capsys.readouterr().out.splitlines()[:1]


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`-` reads it."""
    monkeypatch.setattr("sys.stdin", io.StringIO(lab.text()))
    assert main(["map", "-"]) == 0
    assert capsys.readouterr().out.startswith("Callers\n")


@pytest.mark.parametrize("options", [[], ["--svg", "-"], ["--ports"]])
def test_it_needs_no_litellm(options: list[str]) -> None:
    """Nor an HTTP client: it starts nothing and sends nothing."""
    files = [str(REPOSITORY / "config" / name) for name in ("router.yaml", "env.example")]
    done, _ = alone.run("map", files[0], "--env", files[1], *options, also=["orjson"])
    assert done.returncode == 0
    assert "ollama-qwen" in done.stdout
