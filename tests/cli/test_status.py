"""`litellm-homelab status`: its exit status, its output, and what it keeps to itself."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from litellm_homelab.cli import main
from litellm_homelab.cli import status as command
from tests.status import fake_gateway
from tests.status.fake_gateway import KEY, FakeGateway


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGateway]:
    """One that answers, with its address and the key in the environment."""
    with fake_gateway.running() as found:
        monkeypatch.setenv("HOMELAB_URL", found.url)
        monkeypatch.setenv("HOMELAB_KEY", KEY)
        yield found


def quiet() -> dict[str, object]:
    """A gateway without a problem."""
    return {**fake_gateway.view(), "problems": []}


def test_a_problem_is_status_1_and_comes_first(
    gateway: FakeGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    """Behind the line that says which gateway this is."""
    assert main(["status"]) == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[2:4] == [
        "Problems",
        "  warning: nas is not reachable; fallbacks answer for main.",
    ]
    assert "\x1b" not in said.out
    assert said.err == ""


def test_no_problem_is_status_0(gateway: FakeGateway) -> None:
    """Tables are shown all the same."""
    gateway.says(quiet())
    assert main(["status", "--url", gateway.url]) == 0


@pytest.mark.parametrize("status", [401, 403, 404, 502])
def test_not_allowed_and_no_answer_are_status_2(
    gateway: FakeGateway, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """With one line on standard error and nothing else; the key is in neither."""
    gateway.status = status
    assert main(["status"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("litellm-homelab status: ")
    assert said.err.count("\n") == 1
    assert KEY not in said.err


def test_without_a_key_nothing_is_sent(
    gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says what to set."""
    monkeypatch.delenv("HOMELAB_KEY")
    assert main(["status"]) == 2
    assert "set HOMELAB_KEY" in capsys.readouterr().err
    assert gateway.asked == []


def test_a_key_of_a_file(gateway: FakeGateway, tmp_path: Path) -> None:
    """It counts before the environment's."""
    (tmp_path / "key").write_text("sk-another\n", encoding="utf-8")
    main(["status", "--key-file", str(tmp_path / "key")])
    assert [headers["authorization"] for _, headers in gateway.asked] == ["Bearer sk-another"]


@pytest.mark.parametrize("option", [f"--key={KEY}"])
def test_there_is_no_option_for_the_key(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A command line is seen by every user of the machine."""
    with pytest.raises(SystemExit) as end:
        main(["status", option])
    assert end.value.code == 2
    said = capsys.readouterr()
    assert "set HOMELAB_KEY" in said.err
    assert KEY not in said.out + said.err


def test_json_is_the_document(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    """In ASCII, so that no name reaches the terminal as it is."""
    view = fake_gateway.view()
    view["handles"][0]["name"] = "\x1b[2J\u202e"
    gateway.says(view)
    assert main(["status", "--json"]) == 1
    said = capsys.readouterr().out
    assert json.loads(said) == view
    assert said.isascii()
    assert "\x1b" not in said


# --- --watch -------------------------------------------------------------------------------------------


def watched(
    monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], object], options: tuple[str, ...] = ()
) -> int:
    """Run `--watch`; before each further look a step is taken, and after the last comes Ctrl-C."""
    left = [*steps]

    def sleep(_: float) -> None:
        if not left:
            raise KeyboardInterrupt
        left.pop(0)()

    monkeypatch.setattr(time, "sleep", sleep)
    return main(["status", "--watch", *options])


def test_watching_asks_with_the_tag_and_ends_with_the_last_status(
    gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What has not changed is shown again, since ages go on."""
    status = watched(monkeypatch, lambda: None, lambda: gateway.says(quiet(), '"two"'))
    assert status == 0
    assert [headers.get("if-none-match") for _, headers in gateway.asked] == [None, '"one"', '"one"']
    said = capsys.readouterr().out
    assert (said.count("nas is not reachable"), said.count("  none\n")) == (2, 1)


def test_watching_goes_on_while_there_is_no_answer(
    gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last one stays, with its age; a gateway that comes back is shown again."""

    def breaks() -> None:
        gateway.status = 503

    def mends() -> None:
        gateway.status = 200

    assert watched(monkeypatch, breaks) == 2
    said = capsys.readouterr()
    assert "answered 503; what follows is 0 s old" in said.err
    assert said.out.count("nas is not reachable") == 2
    gateway.status = 503
    assert watched(monkeypatch, mends) == 1


def test_watching_ends_where_the_key_may_not_see_it(
    gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking again would be a failed login every 3 s."""
    gateway.status = 401
    assert watched(monkeypatch, lambda: None) == 2
    assert len(gateway.asked) == 1


def test_watching_as_json_is_a_line_for_each_change(
    gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For a program that reads lines."""
    watched(monkeypatch, lambda: None, lambda: gateway.says(quiet(), '"two"'), options=("--json",))
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        fake_gateway.view(),
        quiet(),
    ]


# --- on a terminal -------------------------------------------------------------------------------------

RUN = [sys.executable, "-m", "litellm_homelab.cli", "status"]


def on_a_terminal(*options: str, **environ: str) -> str:
    """What the command writes to a terminal until it ends, or until Ctrl-C a second later."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*RUN, *options], stdout=theirs, env={**os.environ, "TERM": "xterm", **environ}
    )
    os.close(theirs)
    said, interrupted = b"", False
    deadline = time.monotonic() + 60
    try:
        while time.monotonic() < deadline:
            try:
                said += os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if b"in the last 24 hours" in said and "--watch" in options and not interrupted:
                process.send_signal(signal.SIGINT)
                interrupted = True
        assert process.wait(60) == 1
    finally:
        process.kill()
        os.close(ours)
    return said.decode()


def test_colours_are_for_a_terminal(gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `NO_COLOR`; one that is empty says nothing."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[33mwarning\x1b[0m" in on_a_terminal(NO_COLOR="")
    assert "\x1b" not in on_a_terminal(NO_COLOR="1")
    assert "\x1b" not in on_a_terminal(TERM="dumb")


def test_watching_redraws_a_terminal_until_ctrl_c(gateway: FakeGateway) -> None:
    """Quietly: without a traceback."""
    said = on_a_terminal("--watch", NO_COLOR="1")
    assert said.startswith(command.CLEAR)
    assert "Traceback" not in said
