"""Real clients in their newest versions on the shipped configuration; tests/clients/matrix.py lists them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.clients.matrix import HANDLES, MORE, Cell, cells
from tests.real.gateway import Gateway, said
from tests.real.server import REPOSITORY, VENVS

pytestmark = pytest.mark.real

DRIVERS = REPOSITORY / "tests" / "clients"
NODE = REPOSITORY / ".cache" / "clients" / "node_modules"
"""Where make puts the packages of tests/clients/node."""
OPENCODE = NODE / "opencode-linux-x64-baseline" / "bin" / "opencode"
PYTHON = {
    "openai-python": "openai_sdk",
    "anthropic": "anthropic_sdk",
    "langchain": "langchain",
    "pydantic-ai": "pydantic_agent",
    "llm": "llm_command",
    "opencode": "opencode",
}
JAVASCRIPT = ("openai-node", "ai-sdk")
CLIENTS = (*PYTHON, *JAVASCRIPT)
CELLS = tuple(cells())
ECHOES = {"llm": "heard: 0.", "opencode": "heard: opencode.json"}
"""What the answer echoes of the tool that a client runs itself: its version, the file in its folder."""
SECONDS = 600
LISTED = "You may use: main, deep, fast"

Answers = Mapping[str, Mapping[str, Any]]
"""What a driver printed: for each case, what its client made of the answer."""
Heard = Callable[[str], Answers]


def command(client: str, scripts: Path) -> list[str | Path]:
    """How to run a client's driver."""
    if client in JAVASCRIPT:
        return ["node", scripts / f"{client}.mjs"]
    return [VENVS / "clients" / "bin" / "python", "-m", f"tests.clients.python.{PYTHON[client]}"]


@pytest.fixture(scope="module")
def heard(_shipped: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Heard:
    """Give what a client heard; its driver is run once."""
    home, scripts = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("scripts")
    known: dict[str, Answers] = {}
    (scripts / "node_modules").symlink_to(NODE)
    for script in (DRIVERS / "node").glob("*.mjs"):
        shutil.copy(script, scripts)  # beside node_modules, where Node looks for packages

    def ask(client: str) -> Answers:
        if client not in known:
            environ = {"GATEWAY_URL": _shipped.url, "GATEWAY_KEY": _shipped.key, "OPENCODE": str(OPENCODE)}
            environ |= {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
            arguments = command(client, scripts)
            done = subprocess.run(
                arguments, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False
            )
            assert done.returncode == 0, done.stderr[-3000:]
            known[client] = dict(json.loads(line) for line in done.stdout.splitlines())
        return known[client]

    return ask


@pytest.mark.parametrize("client", CLIENTS)
def test_the_table_is_what_is_tried(heard: Heard, client: str) -> None:
    """A driver asks every cell of its rows, and nothing that no test looks at."""
    wanted = {cell.case for cell in CELLS if cell.client == client}
    assert set(heard(client)) == wanted | MORE.get(client, frozenset())


def check_text(cell: Cell, answer: Mapping[str, Any]) -> None:
    """The demo's text by the handle's own name; in pieces where streamed, which OptiLLM does not."""
    assert "No model ran" in answer["text"]
    assert answer.get("model", cell.handle) == cell.handle
    if cell.client not in ECHOES:  # these two show a stream only at its end
        assert (answer["pieces"] > 3) == (cell.way == "streamed" and cell.handle != "boost")


def check_tools(cell: Cell, answer: Mapping[str, Any]) -> None:
    """The tool's call with its arguments; where the client runs it, the next answer echoes what it gave."""
    if cell.client in ECHOES:
        assert ECHOES[cell.client] in answer.get("text", "")
    else:
        assert (answer.get("tool"), answer.get("arguments")) == ("weather", {"city": "Oslo"})


def check_structured(cell: Cell, answer: Mapping[str, Any]) -> None:
    """What the client's own parser made of it."""
    assert set(answer.get("object") or ()) == {"answer", "number"}


def check_wrong_name(cell: Cell, answer: Mapping[str, Any]) -> None:
    """The client's error for a 404 (llm is a command: 1), and its text lists what may be used."""
    assert answer.get("status") == (1 if cell.client == "llm" else 404)
    assert LISTED in answer["text"]


def check_dropped(cell: Cell, answer: Mapping[str, Any]) -> None:
    """A text all the same, and the header that says what the approach left out."""
    dropped = {"text": "", "tools": "tools", "structured": "response_format"}
    assert "[demo optillm re2]" in answer["text"]
    assert answer["dropped"] == dropped[cell.what]


CHECKS = {
    "text": check_text,
    "tools": check_tools,
    "structured": check_structured,
    "wrong-name": check_wrong_name,
}


@pytest.mark.parametrize("cell", [pytest.param(cell, id=str(cell)) for cell in CELLS])
def test_a_client_gets_what_it_asks_for(shipped: Gateway, heard: Heard, cell: Cell) -> None:
    """One cell of the table: a text, a call of its tool, an object of its schema, or a readable 404."""
    answer = heard(cell.client).get(cell.case, {})
    check = check_dropped if cell.api.endswith("-re2") else CHECKS[cell.what]
    assert "error" not in answer or cell.what == "wrong-name", f"{answer}\n{said(shipped.log)}"
    check(cell, answer)


@pytest.mark.parametrize("name", ["list", "azure-list"])
def test_models_are_listed(heard: Heard, name: str) -> None:
    """OpenAI's and Azure's list of models is the handles."""
    assert heard("openai-python")[name].get("names", [])[:3] == ["main", "deep", "fast"]


@pytest.mark.parametrize(
    ("client", "name"), [("openai-python", "retrieve-wrong-name"), ("anthropic", "count-wrong-name")]
)
def test_a_wrong_name_elsewhere(heard: Heard, client: str, name: str) -> None:
    """One model's page and the count of tokens say the same of it as an answer does."""
    answer = heard(client)[name]
    assert (answer.get("status"), LISTED in answer.get("text", "")) == (404, True), answer


@pytest.mark.parametrize("handle", HANDLES)
def test_tokens_are_counted(heard: Heard, handle: str) -> None:
    """Anthropic's SDK gets a number of tokens for each handle."""
    assert 1 <= heard("anthropic")[f"count-{handle}"].get("tokens", 0) < 30


@pytest.mark.parametrize("handle", HANDLES)
def test_anthropics_thinking_is_served(heard: Heard, handle: str) -> None:
    """A question that asks for thinking gets its text."""
    assert "No model ran" in heard("anthropic")[f"thinking-{handle}"].get("text", "")
