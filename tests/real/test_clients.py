"""Real clients, each in its newest version, on the shipped configuration."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.real.gateway import Gateway
from tests.real.server import REPOSITORY, VENVS

DRIVERS = REPOSITORY / "tests" / "clients"
NODE = REPOSITORY / ".cache" / "clients"
"""Where make puts the packages of tests/clients/node."""
OPENCODE = NODE / "node_modules" / "opencode-linux-x64-baseline" / "bin" / "opencode"
PYTHON = ("openai_sdk", "anthropic_sdk", "langchain", "pydantic_agent", "llm_command", "opencode")
JAVASCRIPT = ("openai-node", "ai-sdk")
CLIENTS = (*PYTHON, *JAVASCRIPT)
HANDLES = ("main", "deep", "boost")
SECONDS = 300
LISTED = "You may use: main, deep, fast"

Answers = Mapping[str, Mapping[str, Any]]
"""What a driver printed: for each case, what its client made of the answer."""


def command(client: str) -> list[str | Path]:
    """How to run a client's driver."""
    if client in JAVASCRIPT:
        return ["node", NODE / f"{client}.mjs"]
    return [VENVS / "clients" / "bin" / "python", "-m", f"tests.clients.python.{client}"]


@pytest.fixture(scope="module")
def heard(_shipped: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Answers]:
    """Give what a client heard; its driver is run once."""
    home = tmp_path_factory.mktemp("home")
    known: dict[str, Answers] = {}
    for script in (DRIVERS / "node").glob("*.mjs"):
        shutil.copy(script, NODE)  # beside node_modules, where Node looks for packages

    def ask(client: str) -> Answers:
        if client not in known:
            environ = {"GATEWAY_URL": _shipped.url, "GATEWAY_KEY": _shipped.key, "OPENCODE": str(OPENCODE)}
            environ |= {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
            done = subprocess.run(
                command(client), env=environ, capture_output=True, text=True, timeout=SECONDS, check=False
            )
            assert done.returncode == 0, done.stderr[-3000:]
            known[client] = json.loads(done.stdout)
        return known[client]

    return ask


def of(answers: Answers, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The cases of a kind: `tool`, `structured`, `wrong-name`, `list`, `count`, or `said` for the others."""
    for name, answer in answers.items():
        found = next(
            (one for one in ("structured", "tool", "wrong-name", "list", "count") if one in name), "said"
        )
        if found == kind:
            yield name, answer


@pytest.mark.parametrize("client", CLIENTS)
def test_the_handles_answer(heard: Callable[[str], Answers], client: str) -> None:
    """Each handle answers, streamed and not, by its own name; what streams comes in pieces."""
    answers = dict(of(heard(client), "said"))

    ends = ("-streamed",) if client == "opencode" else ("", "-streamed")
    prefix = "chat-" if client == "ai-sdk" else ""
    assert {f"{prefix}{handle}{end}" for handle in HANDLES for end in ends} <= set(answers)
    for name, answer in answers.items():
        assert "No model ran" in answer["text"], (name, answer)
        assert answer.get("model", name.split("-")[-1]) in name, (name, answer)


@pytest.mark.parametrize("client", [one for one in CLIENTS if one not in ("llm_command", "opencode")])
def test_streams_come_in_pieces(heard: Callable[[str], Answers], client: str) -> None:
    """A client that shows the pieces of a stream gets more than one; OptiLLM gives its text at once."""
    streamed = {
        name: answer["pieces"] for name, answer in of(heard(client), "said") if name.endswith("-streamed")
    }

    assert streamed
    assert {name: pieces for name, pieces in streamed.items() if (pieces > 3) == ("boost" in name)} == {}


@pytest.mark.parametrize("client", CLIENTS)
def test_tools_are_called(heard: Callable[[str], Answers], client: str) -> None:
    """The client gets the call of its tool with the arguments, and goes on with what the tool gave."""
    answers = dict(of(heard(client), "tool"))

    assert len(answers) >= (1 if client == "opencode" else len(HANDLES))
    for name, answer in answers.items():
        if client in ("llm_command", "opencode"):
            echo = "opencode.json" if client == "opencode" else "0."
            assert f"heard: {echo}" in answer.get("text", ""), (name, answer)
        else:
            assert (answer.get("tool"), answer.get("arguments")) == ("weather", {"city": "Oslo"}), (
                name,
                answer,
            )


@pytest.mark.parametrize("client", [one for one in CLIENTS if one != "opencode"])
def test_structured_output_has_its_shape(heard: Callable[[str], Answers], client: str) -> None:
    """The client's own parser takes the answer to a question with a schema."""
    answers = dict(of(heard(client), "structured"))

    assert len(answers) >= len(HANDLES)
    for name, answer in answers.items():
        assert set(answer.get("object") or ()) == {"answer", "number"}, (name, answer)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_wrong_name_is_told(heard: Callable[[str], Answers], client: str) -> None:
    """The client raises its error for a 404, and its text lists what may be used."""
    answers = dict(of(heard(client), "wrong-name"))

    assert answers
    for name, answer in answers.items():
        assert answer.get("status") == (1 if client == "llm_command" else 404), (name, answer)
        assert LISTED in answer["text"], (name, answer)


def test_models_are_listed(heard: Callable[[str], Answers]) -> None:
    """OpenAI's and Azure's list of models is the handles."""
    answers = dict(of(heard("openai_sdk"), "list"))

    assert set(answers) == {"list", "azure-list"}
    for name, answer in answers.items():
        assert answer.get("names", [])[:3] == ["main", "deep", "fast"], (name, answer)


def test_tokens_are_counted(heard: Callable[[str], Answers]) -> None:
    """Anthropic's SDK gets a number of tokens for each handle."""
    answers = dict(of(heard("anthropic_sdk"), "count"))

    assert len(answers) == len(HANDLES)
    for name, answer in answers.items():
        assert 1 <= answer.get("tokens", 0) < 30, (name, answer)
