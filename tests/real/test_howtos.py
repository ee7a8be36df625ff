"""The how-tos with the programs that they name: Caddy in front; Tiny Agents and OpenCode that search."""

from __future__ import annotations

import json
import os
import re
import shlex
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.clients.python.opencode import QUIET
from tests.docs.blocks import REPOSITORY, blocks
from tests.docs.console import Typed, typed
from tests.docs.test_howtos import AGENTS, HTTPS, LOCAL, SEARCH, program
from tests.real.gateway import Gateway, free_port
from tests.real.test_clients import NODE, OPENCODE

pytestmark = pytest.mark.real

SECONDS = 120
LEFT_SECONDS = 60
"""Until Caddy has ended without a client; a stalled stream that it reads on lasts for `stream_timeout`."""
TINY_AGENTS = NODE / "@huggingface" / "tiny-agents" / "dist" / "cli.js"
NAME = "gateway.home.arpa"
OPTIONS = ("admin off", "skip_install_trust", "auto_https disable_redirects")
"""Of Caddy: nothing outside of the test's folder and port."""
FOUND = "[demo searxng] Result 1 for"
"""What the demo's search answers."""


def _environ(gateway: Gateway, home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LAB_KEY": gateway.environ["OPEN_WEBUI_KEY"]}


def _searched(gateway: Gateway) -> list[str]:
    return [one.path for one in gateway.demo.requests("searxng")]


# --- web search ------------------------------------------------------------------------------------


def test_tiny_agents_search(shipped: Gateway, tmp_path: Path) -> None:
    """The page's agent.json: the model calls the tool, which asks the gateway with the same key."""
    program(tmp_path)
    (block,) = blocks("json", AGENTS)
    (tmp_path / "agent").mkdir()
    text = block.text.replace(LOCAL, shipped.url)
    (tmp_path / "agent" / "agent.json").write_text(text, encoding="utf-8")
    (step,) = [step for step in typed(AGENTS) if step.command.startswith("npx ")]
    _, package, *arguments = shlex.split(step.command)
    assert package == "@huggingface/tiny-agents"
    with subprocess.Popen(
        ["node", TINY_AGENTS, *arguments],
        cwd=tmp_path,
        env=_environ(shipped, tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            said = talk(process, ["", "Use the web_search tool with lab"])
        finally:
            process.kill()
    assert "web_search" in said
    assert FOUND in said
    assert _searched(shipped) == ["/search"]


def talk(process: subprocess.Popen[str], lines: list[str]) -> str:
    """Give a key and a question, each when it is asked for; what was said until the answer."""
    assert process.stdin
    assert process.stdout
    said, deadline = "", time.monotonic() + SECONDS
    waited_for = ["load from LAB_KEY", "> "]
    while "No model ran" not in said.rpartition("Tool[")[2] or "Tool[" not in said:
        assert time.monotonic() < deadline, said
        one = process.stdout.read(1)
        assert one, said
        said += one
        if waited_for and said.endswith(waited_for[0]):
            waited_for.pop(0)
            process.stdin.write(lines.pop(0) + "\n")
            process.stdin.flush()
    return said


def test_opencode_searches(shipped: Gateway, tmp_path: Path) -> None:
    """The pages' provider and MCP server in one opencode.json."""
    program(tmp_path)
    settings: dict[str, object] = {"autoupdate": False, "share": "disabled"}
    for page in (REPOSITORY / "docs" / "clients.md", SEARCH):
        for block in blocks("json", page):
            if '"permission"' in block.text:
                settings |= json.loads(block.text.replace(LOCAL, shipped.url))
    (tmp_path / "opencode.json").write_text(json.dumps(settings), encoding="utf-8")
    done = subprocess.run(
        [OPENCODE, "run", "--model", "lab/main", "Use the lab_web_search tool with lab"],
        cwd=tmp_path,
        env=_environ(shipped, tmp_path) | {f"OPENCODE_DISABLE_{name}": "1" for name in QUIET},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "lab_web_search" in done.stdout + done.stderr
    assert FOUND in done.stdout + done.stderr
    assert _searched(shipped) == ["/search"]


# --- https -----------------------------------------------------------------------------------------


@contextmanager
def caddy(gateway: Gateway, folder: Path) -> Iterator[tuple[int, Path]]:
    """
    Caddy on the page's file; its port, and the certificate of its own authority.

    Ports are others than the page's, and what Caddy keeps is in `folder`.
    """
    port = free_port()
    (block,) = blocks("caddyfile", HTTPS)
    options = "".join(f"\t{one}\n" for one in (*OPTIONS, f"https_port {port}"))
    text = block.text.replace(LOCAL.removeprefix("http://"), gateway.url.removeprefix("http://"))
    (folder / "Caddyfile").write_text(f"{{\n{options}}}\n{text}", encoding="utf-8")
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    environ |= {"XDG_CONFIG_HOME": str(folder), "LAN_ADDRESS": "127.0.0.1"}
    _validated(folder, environ)
    arguments = ["caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile"]
    with (
        (folder / "caddy.log").open("wb") as log,
        subprocess.Popen(
            arguments, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        ) as process,
    ):
        try:
            authority = folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
            _wait_until_it_answers(process, port, authority, folder / "caddy.log")
            yield port, authority
            process.terminate()
            process.wait(timeout=LEFT_SECONDS)  # it ends when no request is under way
        finally:
            process.kill()


def _validated(folder: Path, environ: dict[str, str]) -> None:
    """The page's own command."""
    (step,) = [step for step in typed(HTTPS) if step.command.startswith("caddy validate")]
    done = subprocess.run(
        shlex.split(step.command),
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, authority: Path, log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        if authority.is_file() and _curl(_live(), port, authority).returncode == 0:
            return
        time.sleep(0.2)


def _live() -> str:
    return f"curl -sf https://{NAME}/health/liveliness"


def _curl(command: str, port: int, authority: Path, key: str = "") -> subprocess.CompletedProcess[str]:
    """A curl of the page's, with the name led to Caddy and its authority trusted."""
    command = command.replace(f"https://{NAME}", f"https://{NAME}:{port}")
    led = f"curl --cacert {authority} --resolve {NAME}:{port}:127.0.0.1"
    script = command.replace("curl", led, 1)
    environ = {"PATH": os.environ["PATH"], "LAB_KEY": key}
    return subprocess.run(
        ["sh", "-c", script], env=environ, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def _asked(part: str) -> Typed:
    (step,) = [step for step in typed(HTTPS) if f"https://{NAME}{part}" in step.command]
    return step


def test_caddy_in_front(shipped: Gateway, tmp_path: Path) -> None:
    """It lists and streams, and the page's cookie is for HTTPS only."""
    with caddy(shipped, tmp_path) as (port, authority):
        listed = _curl(_asked("/v1/models").command, port, authority, shipped.key)
        assert "main" in {one["id"] for one in json.loads(listed.stdout)["data"]}
        streamed = _curl(_asked("/v1/chat/completions").command, port, authority, shipped.key)
        assert streamed.stdout.rstrip().endswith("data: [DONE]")
        _check_cookie(shipped, port, authority)


def _check_cookie(gateway: Gateway, port: int, authority: Path) -> None:
    login = f"curl -si https://{NAME}/homelab/login -d key=$LAB_KEY"
    said = _curl(login, port, authority, gateway.key).stdout
    cookies = re.findall(r"(?i)^set-cookie: (.+)$", said, re.MULTILINE)
    assert cookies
    assert all("secure" in cookie.lower() for cookie in cookies)
    direct = httpx.post(f"{gateway.url}/homelab/login", data={"key": gateway.key})
    assert "secure" not in direct.headers["set-cookie"].lower()


def test_a_stream_comes_piece_by_piece_through_caddy(chained: Gateway, tmp_path: Path) -> None:
    """Its first piece is there while the backend is silent; when the client leaves, so does Caddy."""
    chained.demo.fault("mlx", "stall")
    headers = {"Authorization": f"Bearer {chained.key}", "Host": NAME}
    body = {"model": "main", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    with caddy(chained, tmp_path) as (port, authority):
        url = f"https://127.0.0.1:{port}/v1/chat/completions"
        context = ssl.create_default_context(cafile=str(authority))
        context.check_hostname = False
        with (
            httpx.Client(verify=context, timeout=30) as client,
            client.stream(
                "POST", url, json=body, headers=headers, extensions={"sni_hostname": NAME}
            ) as answer,
        ):
            assert next(answer.iter_lines()).startswith("data: {")
