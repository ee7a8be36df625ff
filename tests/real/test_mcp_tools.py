"""`litellm-homelab mcp` on a real gateway: driven by the official client, Tiny Agents and OpenCode."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters, stdio_client

from tests.clients.python.opencode import QUIET
from tests.docs.blocks import REPOSITORY, blocks
from tests.mcp_server import pages
from tests.mcp_server.pages import Pages
from tests.real.gateway import Gateway
from tests.real.test_clients import OPENCODE
from tests.real.test_howtos import FOUND, SECONDS, TINY_AGENTS, talk

PAGE = REPOSITORY / "docs" / "mcp.md"
LOCAL = "http://127.0.0.1:4000"
COMMAND = "litellm-homelab"
WORDS = "A gateway in a home lab sits between clients and models"


@pytest.fixture(scope="module")
def _site() -> Iterator[Pages]:
    with pages.serving() as found:
        yield found


@pytest.fixture
def site(_site: Pages) -> Pages:
    """A web server of the lab, nothing asked of it yet."""
    _site.asked.clear()
    return _site


def environ(gateway: Gateway) -> dict[str, str]:
    """The address of the gateway and a caller's key, as in the page."""
    return {"HOMELAB_URL": gateway.url, "LAB_KEY": gateway.environ["OPEN_WEBUI_KEY"]}


@asynccontextmanager
async def session(gateway: Gateway, *options: str) -> AsyncIterator[Client]:
    """The official client on a server process with these options."""
    arguments = ["-m", "litellm_homelab.cli", "mcp", *options]
    server = StdioServerParameters(command=sys.executable, args=arguments, env=environ(gateway))
    async with Client(stdio_client(server)) as client:
        yield client


async def call(client: Client, name: str, **arguments: object) -> tuple[bool, str]:
    """Whether a call is an error, and its text."""
    result = await client.call_tool(name, arguments)
    (content,) = result.content
    return result.is_error, str(getattr(content, "text", ""))


async def fault(client: Client, url: str) -> str:
    """Why a page is not read."""
    is_error, text = await call(client, "web.fetch", url=url)
    assert is_error, text
    return text


async def test_the_official_client_searches(shipped: Gateway) -> None:
    """By the gateway's search route with the caller's key; no route of models is asked."""
    async with session(shipped) as client:
        assert [one.name for one in (await client.list_tools()).tools] == ["search.web", "web.fetch"]
        is_error, said = await call(client, "search.web", query="home lab", max_results=2)
    assert not is_error, said
    assert said.startswith(f"1. {FOUND} home lab\n   https://example.org/demo/1")
    assert re.findall(r"^\d+\.", said, re.MULTILINE) == ["1.", "2."]
    assert shipped.sent() == ["GET /search "]


async def test_an_allowed_page_is_read(shipped: Gateway, site: Pages) -> None:
    """As text and as trimmed HTML, by address and by name, and no model is asked."""
    async with session(shipped, "--allow", f"127.0.0.1:{site.port}") as client:
        is_error, said = await call(client, "web.fetch", url=f"{site.url}/page")
        assert not is_error, said
        assert said.startswith(f"URL: {site.url}/page\nTitle: Of gateways\n\n{WORDS}")
        _, html = await call(client, "web.fetch", url=f"http://localhost:{site.port}/page", format="html")
        assert f"<p>{WORDS}" in html
        _, data = await call(client, "web.fetch", url=f"{site.url}/json")
        assert data.endswith('\n\n{"state": "up"}')
    assert [path for path, _ in site.asked] == ["/page", "/page", "/json"]
    assert shipped.sent() == []


async def test_private_addresses_are_refused(shipped: Gateway, site: Pages) -> None:
    """Directly, in each notation, by a name and by a redirect; nothing is connected to."""
    address = int.from_bytes(bytes([127, 0, 0, 1]))
    async with session(shipped) as client:
        for host in (
            "127.0.0.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "localhost",
            "0.0.0.0",
            "127.0.0.1.",
            "127.1",
        ):
            await fault(client, f"http://{host}:{site.port}/page")
        for host in (str(address), hex(address), "0177.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.0.1"):
            await fault(client, f"http://{host}:{site.port}/page")
        assert "a loopback address" in await fault(client, f"http://localhost:{site.port}/page")
        assert "a loopback address" in await fault(client, f"{shipped.url}/v1/models")
    assert site.asked == []
    with pages.serving() as other:
        async with session(shipped, "--allow", f"127.0.0.1:{site.port}") as client:
            for host in ("127.0.0.1", "localhost", "[::1]", str(address)):
                site.target = f"http://{host}:{other.port}/page"
                await fault(client, f"{site.url}/to")
            assert "redirects more than 5 times" in await fault(client, f"{site.url}/circle")
        assert other.asked == []
    assert [path for path, _ in site.asked[:4]] == ["/to"] * 4


async def test_pages_that_are_large_or_do_not_end(shipped: Gateway, site: Pages) -> None:
    """A page of 50 MB, one that never ends, one that never begins: in bounds, and the session goes on."""
    async with session(
        shipped, "--allow", f"127.0.0.1:{site.port}", "--max-mb", "0.3", "--timeout", "1"
    ) as client:
        for path, words, left_out in (
            ("/huge", "0123456789", "the page is larger than 0.3 MB"),
            ("/endless", WORDS, "the page is larger than 0.3 MB"),
            ("/slow", "drop", "the page was still being sent after 1 seconds"),
        ):
            is_error, said = await call(client, "web.fetch", url=f"{site.url}{path}", max_chars=500)
            assert not is_error, said
            assert words in said
            assert said.endswith(f"[Not the whole page was read: {left_out}.]")
        assert "did not answer within 1 seconds" in await fault(client, f"{site.url}/silent")
        is_error, said = await call(client, "web.fetch", url=f"{site.url}/page")
        assert WORDS in said


# --- other clients ---------------------------------------------------------------------------------


def _agent(gateway: Gateway, site: Pages, folder: Path) -> None:
    """The page's agent.json, with this checkout's command, this gateway, and the site allowed."""
    (block,) = [one for one in blocks("json", PAGE) if '"endpointUrl"' in one.text]
    settings = json.loads(block.text.replace(LOCAL, gateway.url))
    (server,) = settings["servers"]
    assert server["command"] == COMMAND
    server["command"] = sys.executable
    server["args"] = ["-m", "litellm_homelab.cli", *server["args"], "--allow", f"127.0.0.1:{site.port}"]
    (folder / "agent").mkdir()
    (folder / "agent" / "agent.json").write_text(json.dumps(settings), encoding="utf-8")


@pytest.mark.parametrize(
    ("question", "answer"), [("search.web tool with lab", FOUND), ("web.fetch tool with SITE/page", WORDS)]
)
def test_tiny_agents(question: str, answer: str, shipped: Gateway, site: Pages, tmp_path: Path) -> None:
    """The model calls each tool by its name, with the dot, and reads the result."""
    _agent(shipped, site, tmp_path)
    variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environ(shipped)}
    with subprocess.Popen(
        ["node", TINY_AGENTS, "run", "./agent"],
        cwd=tmp_path,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            said = talk(process, ["", f"Use the {question.replace('SITE', site.url)}"])
        finally:
            process.kill()
    assert answer in said
    assert (len(site.asked) == 1) == ("fetch" in question)


def test_opencode(shipped: Gateway, tmp_path: Path) -> None:
    """The page's opencode.json: the dot of a name becomes an underscore, behind the server's name."""
    settings: dict[str, object] = {"autoupdate": False, "share": "disabled"}
    for page in (REPOSITORY / "docs" / "clients.md", PAGE):
        for block in blocks("json", page):
            if '"permission"' in block.text:
                settings |= json.loads(block.text.replace(LOCAL, shipped.url))
    text = json.dumps(settings).replace(f'"{COMMAND}"', f'"{sys.executable}", "-m", "litellm_homelab.cli"')
    (tmp_path / "opencode.json").write_text(text, encoding="utf-8")
    variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environ(shipped)}
    done = subprocess.run(
        [OPENCODE, "run", "--model", "lab/main", "Use the lab_search_web tool with lab"],
        cwd=tmp_path,
        env=variables | {f"OPENCODE_DISABLE_{name}": "1" for name in QUIET},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "lab_search_web" in done.stdout + done.stderr
    assert FOUND in done.stdout + done.stderr
    assert [one.path for one in shipped.demo.requests("searxng")] == ["/search"]
