"""The static layer alone: a gateway whose router.yaml shows a loop does not start, and prints the path."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from litellm_homelab.adapter import startup
from litellm_homelab.config.loading import load
from litellm_homelab.config.settings import SettingsError
from tests.adapter.lane import document, group
from tests.real.gateway import START_SECONDS, Process, end, free_port, start, tail

PORT = 4321
OPTILLM: dict[str, Any] = {"api_base": "http://127.0.0.1:8100/v1"}
SEVERAL = ("--num_workers", "2", "--timeout_worker_healthcheck", "20")
"""By default uvicorn takes a worker that does not answer for 5 s, which importing may last, for hung."""
Loop = tuple[list[dict[str, Any]], dict[str, Any], str]


def _lane(*names: str) -> dict[str, Any]:
    return {name: {"approaches": ["none", "re2", "moa"]} for name in names}


def itself() -> Loop:
    """A handle whose OptiLLM asks for it, behind a prefix that OptiLLM takes off."""
    return [group("boost", "openai/moa-boost", **OPTILLM)], _lane("boost"), "boost -> OptiLLM -> boost"


def two() -> Loop:
    """Two handles, each of which is what the other's OptiLLM asks for."""
    models = [group("boost", "openai/re2-deep", **OPTILLM), group("deep", "openai/boost", **OPTILLM)]
    return models, _lane("boost", "deep"), "boost -> OptiLLM -> deep -> OptiLLM -> boost"


def undeclared() -> Loop:
    """A group at OptiLLM's address is OptiLLM, whatever it is called."""
    models = [group("boost", "openai/base", **OPTILLM), group("base", "openai/boost", **OPTILLM)]
    return models, _lane("boost"), "boost -> OptiLLM -> base -> OptiLLM -> boost"


def own_address(base: str) -> Loop:
    """What OptiLLM asks for is this gateway under another name."""
    models = [group("boost", "openai/base", **OPTILLM), group("base", "openai/boost", api_base=base)]
    return models, _lane("boost"), "boost -> OptiLLM -> base -> this gateway -> boost"


OWN = [
    f"http://{host}:{PORT}/v1"
    for host in ("localhost", "127.0.0.1", "127.1", "[::1]", "0.0.0.0", "[::]", socket.gethostname())
]
"""This gateway's address, as it may be written."""
LOOPS = {
    "itself, with a prefix": itself(),
    "two handles": two(),
    "undeclared": undeclared(),
    **{base: own_address(base) for base in OWN},
}


def written(folder: Path, loop: Loop, **changes: Any) -> Path:
    """The loop's router.yaml."""
    models, lanes, _ = loop
    file = folder / "router.yaml"
    made = document([group("main"), *models], lanes)
    for section, change in changes.items():
        made[section].update(change)
    file.write_text(yaml.safe_dump(made), encoding="utf-8")
    return file


def problem(file: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the hooks say of it while LiteLLM loads them."""
    monkeypatch.setenv("PORT", str(PORT))
    monkeypatch.setenv("LITELLM_MASTER_KEY", "sk-the-master-key")
    with pytest.raises(SettingsError) as raised:
        load(file, known=startup.known())
    return str(raised.value)


@pytest.mark.parametrize("loop", [pytest.param(loop, id=what) for what, loop in LOOPS.items()])
def test_a_loop_is_found_before_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loop: Loop
) -> None:
    """Through a prefix, another handle, or this gateway's address however it is written."""
    assert f"a request would loop forever: {loop[2]};" in problem(written(tmp_path, loop), monkeypatch)


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        pytest.param(
            {"model_group_alias": {"base": "boost"}}, "boost -> OptiLLM -> base -> boost", id="alias"
        ),
        pytest.param(
            {"fallbacks": [{"main": ["boost"]}]}, "boost -> OptiLLM -> main -> boost", id="fallback"
        ),
    ],
)
def test_a_loop_through_the_router_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], path: str
) -> None:
    """What OptiLLM asks for leads back by an alias, or by a fallback."""
    asked = "openai/base" if "model_group_alias" in settings else "openai/main"
    loop = ([group("boost", asked, **OPTILLM)], _lane("boost"), path)
    file = written(tmp_path, loop, router_settings=settings, homelab={})
    assert f"a request would loop forever: {path};" in problem(file, monkeypatch)


# --- stock LiteLLM, which loads the hooks ----------------------------------------------------------


@contextlib.contextmanager
def starting(folder: Path, loop: Loop, port: int, *arguments: str) -> Iterator[tuple[Any, Path]]:
    """A LiteLLM that should end by itself, and its log."""
    log = folder / "log"
    log.touch()
    environ = {"LITELLM_MASTER_KEY": "sk-the-master-key", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    process = start(written(folder, loop), port, environ, arguments, log)
    try:
        yield process, log
    finally:
        end(process)


def waited(process: Process) -> bool:
    """Whether it ended by itself."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.2)
    return process.returncode is not None


@pytest.mark.real
def test_litellm_does_not_start(tmp_path_factory: pytest.TempPathFactory) -> None:
    """It ends by itself and prints the path; so does it with several workers on counters in memory."""
    port = free_port()
    good: Loop = ([group("boost", "openai/base", **OPTILLM), group("base")], _lane("boost"), "")
    cases = [
        (itself(), (), "boost -> OptiLLM -> boost"),
        (own_address(f"http://[::1]:{port}/v1"), (), "boost -> OptiLLM -> base -> this gateway -> boost"),
        (good, SEVERAL, "memory:// is separate in each worker, but LiteLLM runs 2 workers"),
    ]
    with contextlib.ExitStack() as stack:
        started = [
            stack.enter_context(starting(tmp_path_factory.mktemp("loop"), loop, port, *arguments))
            for loop, arguments, _ in cases
        ]
        for (process, log), (_, arguments, said) in zip(started, cases, strict=True):
            assert waited(process)
            assert said in tail(log, 200)
            # With several workers it is uvicorn's parent that ends, whose status tells nothing.
            assert arguments or process.returncode != 0
