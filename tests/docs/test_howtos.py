"""The how-to pages: what they add to the shipped files works, and what they show is what programs read."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from litellm_homelab.cli import main
from litellm_homelab.config import loading
from litellm_homelab.testing import MockProxy
from tests.deploy.test_compose import SERVICES
from tests.docs.added import CONFIG, add, copied, environ
from tests.docs.blocks import REPOSITORY, blocks
from tests.docs.console import typed

DOCS = REPOSITORY / "docs"
BACKEND, FILES, HTTPS = DOCS / "add-a-backend.md", DOCS / "files.md", DOCS / "https.md"
SEARCH, AGENTS = DOCS / "web-search.md", DOCS / "agents.md"
LOCAL = "http://127.0.0.1:4000"
OPTIONAL = {"env.local", "ensembles.jsonl", "handles.jsonl", "homelab.db"}
"""Files that a fresh clone has not."""
SECONDS = 60


def _variables(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def _changed(page: Path, folder: Path) -> tuple[Path, dict[str, str]]:
    """The shipped files with what a page adds: a router.yaml, and the environment, in env.local too."""
    config = copied(folder)
    variables = environ(page)
    (config / "env.local").write_text(
        "".join(f"{name}={value}\n" for name, value in variables.items()), encoding="utf-8"
    )
    return add(config, blocks("yaml", page)), variables


@pytest.mark.parametrize("page", [BACKEND, AGENTS], ids=lambda page: page.stem)
def test_what_a_page_adds_starts_and_checks_clean(
    page: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The settings take it, and `check` has nothing to say but for keys that are examples."""
    router, variables = _changed(page, tmp_path)
    loading.load(router, environ=variables)
    main(["check", str(router), "--env", str(router.with_name("env.local")), "--json"])
    found = [one["id"] for one in json.loads(capsys.readouterr().out)["findings"]]
    assert set(found) <= {"env-weak-key"}


async def test_the_added_backend_answers_by_its_handle(tmp_path: Path) -> None:
    """Its handle is listed and answers by its own name, with the limits that the page sets."""
    router, variables = _changed(BACKEND, tmp_path)
    async with MockProxy(router, variables) as proxy:
        answer = await proxy.chat("notes")
        assert (answer.status, answer.sent_to, answer.json["model"]) == (200, ["notes"], "notes")
        assert answer.wire[0]["model"] == "qwen3-4b"
        listed = await proxy.request("GET", "/v1/models")
        assert "notes" in {one["id"] for one in listed.json["data"]}
    homelab = yaml.safe_load(router.read_text(encoding="utf-8"))["homelab"]
    assert "notes" in homelab["timeouts"]
    assert homelab["backends"]["attic"]["slots"] == 1


async def test_home_assistant_and_tiny_agents_see_their_handles(tmp_path: Path) -> None:
    """By keys of their own; Home Assistant's list of models has modes."""
    router, variables = _changed(AGENTS, tmp_path)
    async with MockProxy(router, variables) as proxy:
        for name, handles in (("HOME_ASSISTANT_KEY", ["main"]), ("TINY_AGENTS_KEY", ["main", "fast"])):
            key = {"Authorization": f"Bearer {variables[name]}"}
            listed = await proxy.request("GET", "/v1/models", headers=key)
            assert [one["id"] for one in listed.json["data"]] == handles
            info = await proxy.request("GET", "/v1/model/info", headers=key)
            modes = {one["model_name"]: one["model_info"]["mode"] for one in info.json["data"]}
            assert modes == dict.fromkeys(handles, "chat")


# --- files -----------------------------------------------------------------------------------------


def test_the_files_are_there() -> None:
    """Each file of the table is shipped, or one that the page says is made or optional."""
    text = FILES.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w./]+)` \| (.+?) \| (.+) \|$", text, re.MULTILINE)
    table = {name: writer for name, _, writer in rows}
    assert {name for name in table if not (CONFIG / name).exists()} <= OPTIONAL
    assert table.keys() >= OPTIONAL | {"router.yaml", "registry.json"}
    assert {name for name, writer in table.items() if "Optional" in writer} == {
        "ensembles.jsonl",
        "handles.jsonl",
    }


def test_after_a_change_nothing_is_left_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's commands end with 0 on the shipped files."""
    _changed(FILES, tmp_path)
    monkeypatch.chdir(tmp_path)
    commands = [shlex.split(step.command) for step in typed(FILES)]
    ours = [words[1:] for words in commands if words[0] == "litellm-homelab"]
    assert [words[0] for words in ours] == ["sync", "sync", "check"]
    assert [main(words) for words in ours] == [0, 0, 0]


# --- https -----------------------------------------------------------------------------------------


def test_nothing_listens_beyond_this_machine() -> None:
    """As the page says: by `HOST`, and in compose."""
    assert environ()["HOST"] == "127.0.0.1"
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(str(port).startswith("127.0.0.1:") for port in ports)


def test_the_proxy_takes_the_bodies_that_the_gateway_takes() -> None:
    """The page's numbers are the shipped ones."""
    text = HTTPS.read_text(encoding="utf-8")
    groups = yaml.safe_load((CONFIG / "router.yaml").read_text(encoding="utf-8"))["model_list"]
    longest = max(group["litellm_params"].get("timeout", 0) for group in groups)
    assert f"{longest} s for OptiLLM" in text
    assert "bodies of 32 MB" in text


# --- web search ------------------------------------------------------------------------------------


async def test_open_webui_searches(tmp_path: Path) -> None:
    """Its engine's request, with its key: every result has what the engine reads."""
    (block,) = blocks("env", SEARCH)
    settings = _variables(block.text)
    assert settings["WEB_SEARCH_ENGINE"] == "perplexity_search"
    variables = environ()
    async with MockProxy(copied(tmp_path) / "router.yaml", variables) as proxy:
        answer = await proxy.request(
            "POST",
            settings["PERPLEXITY_SEARCH_API_URL"].removeprefix(LOCAL),
            headers={"Authorization": f"Bearer {variables['OPEN_WEBUI_KEY']}"},
            json={"query": "home lab", "max_results": 3},
        )
    assert answer.status == 200, answer.text
    assert answer.json["results"]
    assert all(one["url"] and one["title"] and one["snippet"] for one in answer.json["results"])


def program(folder: Path) -> Path:
    """The page's MCP server as a file."""
    (block,) = blocks("py", SEARCH)
    path = folder / "lab_search.py"
    path.write_text(block.text, encoding="utf-8")
    return path


@contextmanager
def searching(answer: bytes) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """A server that answers every POST alike; its address, and what it was asked."""
    asked: list[Mapping[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append({"path": self.path, "key": self.headers["authorization"], **body})
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def _spoken(path: Path, gateway: str, *messages: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the MCP server answers to messages, each on a line."""
    done = subprocess.run(
        [sys.executable, path],
        input="".join(json.dumps({"jsonrpc": "2.0", **one}) + "\n" for one in messages),
        env={"GATEWAY": gateway, "LAB_KEY": "sk-lab"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_mcp_server_searches(tmp_path: Path) -> None:
    """It offers one tool, asks the gateway with the client's key, and gives its answer as text."""
    call = {"name": "web_search", "arguments": {"query": "home lab"}}
    with searching(b'{"results": []}') as (address, asked):
        began, tools, found = _spoken(
            program(tmp_path),
            address,
            {"id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18"}},
            {"method": "notifications/initialized"},
            {"id": 2, "method": "tools/list"},
            {"id": 3, "method": "tools/call", "params": call},
        )
    assert began["result"]["protocolVersion"] == "2025-06-18"
    assert [one["name"] for one in tools["result"]["tools"]] == ["web_search"]
    assert (found["id"], found["result"]["content"][0]["text"]) == (3, '{"results": []}')
    assert asked == [{"path": "/v1/search/searxng-search", "key": "Bearer sk-lab", "query": "home lab"}]


def test_a_search_that_fails_is_an_error_of_the_tool(tmp_path: Path) -> None:
    """The model reads why, and the server goes on."""
    call = {"name": "web_search", "arguments": {"query": "home lab"}}
    failed, tools = _spoken(
        program(tmp_path),
        "http://127.0.0.1:9",
        {"id": 1, "method": "tools/call", "params": call},
        {"id": 2, "method": "tools/list"},
    )
    assert failed["result"]["isError"]
    assert tools["result"]["tools"]


def test_opencode_asks_before_all_but_a_search() -> None:
    """The tool's name is the server's and the tool's, as OpenCode writes it."""
    settings = next(json.loads(block.text) for block in blocks("json", SEARCH) if '"mcp"' in block.text)
    ((server, entry),) = settings["mcp"].items()
    assert entry["command"] == ["python3", "lab_search.py"]
    assert settings["permission"] == {"bash": "ask", "edit": "ask", f"{server}_web_search": "allow"}


def test_tiny_agents_run_the_same_server() -> None:
    """With the gateway's address and a key that no file has."""
    (block,) = blocks("json", AGENTS)
    settings = json.loads(block.text)
    (server,) = settings["servers"]
    ((key),) = settings["inputs"]
    assert server["args"] == ["lab_search.py"]
    assert settings["endpointUrl"] == f"{LOCAL}/v1"
    assert settings["apiKey"] == server["env"]["LAB_KEY"] == f"${{input:{key['id']}}}"
