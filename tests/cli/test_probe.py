"""`litellm-homelab probe`: its exit status, its output, and where keys come from."""

from __future__ import annotations

import getpass
import json
import socket

import httpx
import pytest
import yaml

from litellm_homelab.cli import main
from tests.probe.listening import listening
from tests.probe.stand_in import KEY, MODEL, StandIn


def test_a_probe_is_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    """Tables, then YAML to paste, without colours where it is no terminal."""
    with listening(StandIn()) as url:
        assert main(["probe", url]) == 0
    said = capsys.readouterr()
    assert "\nstop                          accepted " in said.out
    entry = yaml.safe_load(said.out[said.out.index("model_list:") :])["model_list"][0]
    assert entry["litellm_params"]["api_base"] == f"{url}/v1"
    assert "\x1b" not in said.out + said.err


def test_for_programs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One document; the key is in none of it."""
    monkeypatch.setenv("PROBED_KEY", KEY)
    with listening(StandIn(key=KEY)) as url:
        assert main(["probe", f"{url}/v1", "--key-env", "PROBED_KEY", "--json", "--model", MODEL]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert (found["key"], found["parameters"]["n"]["verdict"]) == (
        "needed: 401 without, 401 with a wrong one",
        "accepted",
    )
    assert KEY not in said.out + said.err


def test_a_key_from_the_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It is asked for, and not shown."""
    monkeypatch.setattr(getpass, "getpass", lambda _: KEY)
    with listening(StandIn(key=KEY)) as url:
        assert main(["probe", url, "--ask-key"]) == 0
    assert KEY not in capsys.readouterr().out


def test_a_key_that_the_server_repeats(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In errors and in names of models; it is printed nowhere."""
    monkeypatch.setenv("PROBED_KEY", KEY)

    def server(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/models":
            return httpx.Response(200, json={"data": [{"id": f"{MODEL}-{KEY}"}]})
        return httpx.Response(400, json={"error": f"not with {request.headers['authorization']}"})

    with listening(server) as url:
        assert main(["probe", url, "--key-env", "PROBED_KEY"]) == 1
    said = capsys.readouterr()
    assert KEY not in said.out + said.err


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["ftp://box"], id="another scheme"),
        pytest.param([f"http://{KEY}@box"], id="a key in the address"),
        pytest.param(["http://box", "--key-env", KEY], id="a key in the place of a name"),
    ],
)
def test_what_cannot_be_used_is_status_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One line, without the key."""
    assert main(["probe", *words]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n"), KEY in said.err) == ("", 1, False)


def test_no_connection_is_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    """And so is a key that is missing; a chat that is not served is status 1."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    assert main(["probe", url]) == 2
    assert "no connection" in capsys.readouterr().err
    with listening(StandIn(key=KEY)) as url:
        assert main(["probe", url, "--model", MODEL]) == 2
    with listening(lambda _: httpx.Response(200, html="<html>")) as url:
        assert main(["probe", url, "--model", MODEL]) == 1
    assert "an HTML page" in capsys.readouterr().err


def test_a_budget_that_ends_is_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    """What was found is printed."""
    with listening(StandIn()) as url:
        assert main(["probe", url, "--calls", "30"]) == 1
        assert main(["probe", url, "--calls", "2"]) == 1
    said = capsys.readouterr()
    assert "  not finished: 30 calls are spent\n" in said.out
    assert "nothing is known yet: 2 calls are spent" in said.err


def test_a_key_is_never_an_argument(capsys: pytest.CaptureFixture[str]) -> None:
    """The message does not repeat it."""
    with pytest.raises(SystemExit):
        main(["probe", "http://box", "--key", KEY])
    assert KEY not in capsys.readouterr().err
