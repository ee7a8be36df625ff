"""Starting and ending the demo, in a loop, in a thread and on the command line."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from litellm_homelab.cli import demo as command
from litellm_homelab.demo import BACKENDS, Demo, DemoConfig, OptillmConfig, running_demo
from tests.measured import coverage_environ


async def test_demo_in_a_loop() -> None:
    """The backends answer inside the block and refuse connections after it."""
    async with Demo(DemoConfig.for_tests()) as demo, httpx.AsyncClient() as client:
        urls = [f"{demo.url(name)}/health" for name in BACKENDS]
        assert [(await client.get(url)).status_code for url in urls] == [200] * 6
        await demo.fault("mlx", "429", times=1)
        assert (await client.get(urls[0])).status_code == 429
        assert [request.path for request in demo.requests("mlx")] == ["/health"] * 2
    async with httpx.AsyncClient() as client:
        for url in urls:
            with pytest.raises(httpx.ConnectError):
                await client.get(url)


async def test_unknown_backend() -> None:
    """A name that is no backend is refused with the known ones."""
    async with Demo(DemoConfig.for_tests()) as demo:
        with pytest.raises(KeyError, match="no demo backend 'mlxx'"):
            demo.url("mlxx")
        with pytest.raises(KeyError, match="no demo backend 'mlxx'"):
            await demo.fault("mlxx", "down")


def test_taken_port() -> None:
    """A port in use stops the start with its address, and gives the other ports back."""
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()[1]
        probe.close()
        port = taken.getsockname()[1]
        ports = {**DemoConfig.for_tests().ports, "mlx": free, "vllm": port}
        with (
            pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"),
            running_demo(DemoConfig(ports)),
        ):
            pass
        socket.create_server(("127.0.0.1", free)).close()


def test_ends_while_requests_are_open() -> None:
    """Leaving the block does not wait for a request that is never answered."""
    with running_demo() as demo, httpx.Client() as client:
        demo.fault("mlx", "silent")
        with pytest.raises(httpx.ReadTimeout):
            client.get(f"{demo.url('mlx')}/health", timeout=0.05)
        start = time.monotonic()
    assert time.monotonic() - start < 2


def test_pace() -> None:
    """A stream comes at about the pace that was set."""
    with running_demo(DemoConfig(DemoConfig.for_tests().ports, {"mlx": ("m",)}, pace=100)) as demo:
        body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": True}
        start = time.monotonic()
        chunks = httpx.post(f"{demo.api_base('mlx')}/chat/completions", json=body).text.count("data: {")
        assert time.monotonic() - start >= chunks / 100


def _parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return parser.parse_args(["demo", *arguments])


def test_settings_from_the_command_line() -> None:
    """Ports and models come from the arguments, and what they leave open from the environment."""
    arguments = ("--port", "mlx=0", "--model", "mlx=a", "--model", "mlx=b", "--pace", "0")
    environ = {
        "A_API_BASE": "http://127.0.0.1:4102/v1",
        "A_MODEL": "openai/c",
        "LITELLM_MASTER_KEY": "sk-master",
    }
    config = command.config_from(_parse(*arguments), environ)
    assert (config.port("mlx"), config.port("vllm"), config.pace) == (0, 4102, 0)
    assert (config.served("mlx"), config.served("vllm")) == (("a", "b"), ("c",))
    assert config.optillm == OptillmConfig()


def test_optillm_from_the_environment() -> None:
    """The OptiLLM stand-in's upstream and keys have their own variables, and an empty gate is no gate."""
    environ = {
        "OPTILLM_UPSTREAM_API_BASE": "http://127.0.0.1:4010/v1",
        "OPTILLM_UPSTREAM_KEY": "u",
        "OPTILLM_GATE_KEY": "",
        "LITELLM_MASTER_KEY": "sk-master",
        "OPTILLM_API_KEY": "never read: it would switch real OptiLLM to local inference",
    }
    optillm = command.config_from(_parse(), environ).optillm
    assert (optillm.upstream, optillm.upstream_key, optillm.gate_key) == ("http://127.0.0.1:4010/v1", "u", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--port", "mlx"], "--port: got 'mlx' (valid: NAME=VALUE", id="pair"),
        pytest.param(["--port", "mlx=x"], "--port: mlx=x (valid: 0 to 65535)", id="number"),
        pytest.param(["--port", "mlxx=1"], "demo: port for unknown backend 'mlxx'", id="backend"),
        pytest.param(["--model", "searxng=m"], "demo: model for unknown backend 'searxng'", id="model"),
    ],
)
def test_wrong_arguments(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong argument is exit code 2 and one line that says what is valid."""
    assert command.run(_parse(*arguments)) == 2
    assert message in capsys.readouterr().err


RUN = """
import argparse, sys
from litellm_homelab.cli import demo
parser = argparse.ArgumentParser()
demo.add_parser(parser.add_subparsers())
args = parser.parse_args()
sys.exit(args.run(args))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_command(number: signal.Signals) -> None:
    """The command prints where everything is, then ready, and ends cleanly on either signal."""
    arguments = [sys.executable, "-c", RUN, "demo", "--port", "ALL=0", "--json"]
    environ = {**coverage_environ(), "PATH": os.environ["PATH"]}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        started = json.loads(process.stdout.readline())
        assert process.stdout.readline() == "ready\n"
        assert set(started) == {"control", *BACKENDS}
        assert httpx.get(started["control"]["url"]).status_code == 200
        process.send_signal(number)
        assert process.wait(10) == 0
