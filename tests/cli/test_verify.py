"""`litellm-homelab verify`: its exit status, its output, and what it keeps to itself."""

from __future__ import annotations

import json
import os
import pty
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from litellm_homelab.cli import main
from tests.probe.listening import listening
from tests.verify.sabotage import KEYS

KEY = KEYS["LITELLM_MASTER_KEY"]


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def nothing() -> str:
    """An address at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def slow() -> Iterator[str]:
    """A server that says that it is alive, after a while, and knows nothing else."""

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/health/readiness":
            time.sleep(1.5)
        body = b'"I\'m alive!"' if path == "/health/liveliness" else b"{}"
        return httpx.Response(200 if path.startswith("/health") else 401, content=body)

    with listening(answer) as url:
        yield url


def test_no_gateway_is_status_1_and_asks_nothing_else(
    nothing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says so first, and what to do."""
    monkeypatch.setenv("LITELLM_MASTER_KEY", KEY)
    assert main(["verify", nothing]) == 1
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0].startswith("FAILED  gateway.answers: ")
    assert lines[1].strip().startswith("no answer: the connection was refused")
    assert lines[2].strip().startswith("-> Start the gateway")
    assert "1 requests" not in lines[0]
    assert "1 failed" in lines[-1]
    assert "\x1b" not in said.out
    assert said.err == ""


def test_json_is_one_document(
    nothing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a line of text around it."""
    monkeypatch.setenv("LITELLM_MASTER_KEY", KEY)
    assert main(["verify", nothing, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["failed"], found["requests"]) == (False, 1, 1)


def test_without_a_key_nothing_is_sent(slow: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The message says which variables may have one."""
    assert main(["verify", slow]) == 2
    said = capsys.readouterr()
    assert "set LITELLM_MASTER_KEY or OPEN_WEBUI_KEY, or use --env" in said.err
    assert said.out == ""


def test_keys_of_a_file(nothing: str, tmp_path: Path) -> None:
    """As `make run` makes it."""
    (tmp_path / "env.local").write_text(f"LITELLM_MASTER_KEY={KEY}\n", encoding="utf-8")
    assert main(["verify", nothing, "--env", str(tmp_path / "env.local")]) == 1


@pytest.mark.parametrize(
    "options",
    [
        ["http://sk-key-key-key@127.0.0.1:4000"],
        ["127.0.0.1:4000", "--config", "nowhere.yaml"],
        ["127.0.0.1:4000", "--env", "nowhere"],
        ["127.0.0.1:4000", "--optillm", "ftp://x"],
    ],
)
def test_unusable_input_is_status_2(
    options: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on standard error, without a key."""
    monkeypatch.setenv("LITELLM_MASTER_KEY", KEY)
    assert main(["verify", *options]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("litellm-homelab verify: ")
    assert said.err.count("\n") == 1
    assert "sk-" not in said.err


@pytest.mark.parametrize("option", [f"--key={KEY}", "--seconds=0", "--seconds=soon"])
def test_options_that_are_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A key on the command line is seen by every user of the machine."""
    with pytest.raises(SystemExit) as end:
        main(["verify", "127.0.0.1:4000", option])
    assert end.value.code == 2
    assert KEY not in capsys.readouterr().err


def test_the_time_is_bounded(
    slow: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is left is not checked; the server would take longer."""
    monkeypatch.setenv("LITELLM_MASTER_KEY", KEY)
    main(["verify", slow, "--seconds", "1"])
    assert "not checked: the time of this run is used up" in capsys.readouterr().out


def test_a_terminal_sees_colours_and_what_takes_long(slow: str) -> None:
    """The line about a check in progress is gone when the check is done."""
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "litellm_homelab.cli", "verify", slow]
    environ = {name: text for name, text in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen(
        words,
        stdout=theirs,
        stderr=theirs,
        env={**environ, "TERM": "xterm", "LITELLM_MASTER_KEY": KEY},
    )
    os.close(theirs)
    said = b""
    try:
        while True:
            try:
                said += os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
        assert process.wait(60) == 1
    finally:
        process.kill()
        os.close(ours)
    text = said.decode()
    assert "\x1b[32mok\x1b[0m      gateway.answers" in text
    assert "... gateway.ready (1 s)\r\x1b[K" in text
