"""env.example: every variable that router.yaml names, a demo default for each upstream, no secret."""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from litellm_homelab.demo.config import DEFAULT_PORTS, models_from_env
from tests.config.shipped import (
    BY_GROUP,
    CALLERS,
    COMMENTED_ENV,
    DEPLOYMENTS,
    ENV,
    ENV_TEXT,
    Deployment,
    references,
)

READ_BY_LITELLM = {
    "HOST": "proxy/proxy_cli.py",
    "PORT": "proxy/proxy_cli.py",
    "HEALTH_CHECK_TIMEOUT_SECONDS": "constants.py",
    "LITELLM_MODE": "__init__.py",
    "DEFAULT_MAX_RETRIES": "constants.py",
    "LITELLM_LOCAL_MODEL_COST_MAP": "litellm_core_utils/get_model_cost_map.py",
    "DISABLE_ADMIN_UI": "proxy/common_utils/admin_ui_utils.py",
    "NO_DOCS": "proxy/utils.py",
    "NO_REDOC": "proxy/utils.py",
    "NO_OPENAPI": "proxy/utils.py",
}
"""Variables that no line of router.yaml names: which file of LiteLLM reads each."""

ARMING = {
    "OPENAI_API_KEY",
    "OPENAI_API_BASE",
    "GROQ_API_KEY",
    "GEMINI_API_KEY",
    "MISTRAL_API_KEY",
    "OPTILLM_API_KEY",
}
"""Names that do more than they say: LiteLLM's pass-through routes and defaults, OptiLLM's local mode."""

DEMO_BACKENDS = {
    **dict.fromkeys(("main", "deep", "fast", "swap", "embed", "boost-base", "jerry-chat"), "mlx"),
    **dict.fromkeys((group for group in BY_GROUP if group.startswith("mlx-")), "mlx"),
    **dict.fromkeys(
        (group for group in BY_GROUP if group.startswith(("groq/", "gemini/", "mistral/"))), "cloud"
    ),
    "vllm-qwen": "vllm",
    "ollama-qwen": "ollama",
    "lil-jerry": "ollama",
    "openai-gpt4o": "cloud",
    "boost": "optillm",
}


def litellm_source(path: str) -> str:
    """A source file of the installed LiteLLM, read without importing it."""
    spec = importlib.util.find_spec("litellm")
    assert spec is not None
    assert spec.origin is not None
    return (Path(spec.origin).parent / path).read_text(encoding="utf-8")


def test_holds_exactly_what_is_read() -> None:
    """Every variable that router.yaml names has a value, and every value has a reader."""
    assert set(ENV) == references(commented=False) | READ_BY_LITELLM.keys()


def test_commented_variables_belong_to_commented_deployments() -> None:
    """What is ready to uncomment in router.yaml has its variables here, and no others are commented."""
    assert COMMENTED_ENV.keys() == references(commented=True) - ENV.keys()
    assert {"TINYAGENTS_MODEL", "AFM_MODEL", "OPENVINO_MODEL"} <= COMMENTED_ENV.keys()


@pytest.mark.parametrize(
    ("name", "path"), [pytest.param(*item, id=item[0]) for item in READ_BY_LITELLM.items()]
)
def test_litellm_reads_it(name: str, path: str) -> None:
    """A variable that is meant for LiteLLM is one that the installed LiteLLM reads."""
    assert f'"{name}"' in litellm_source(path)


def test_lines_are_plain() -> None:
    """Each line is empty, a comment or NAME=value that a shell reads literally, each name once."""
    lines = [line for line in ENV_TEXT.splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[A-Z][A-Z0-9_]*=[A-Za-z0-9./:_-]*", line)] == []
    names = [*(line.partition("=")[0] for line in lines), *COMMENTED_ENV]
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_secrets_are_left_to_make_run() -> None:
    """Keys of this gateway start with sk-; the gate's does not, OptiLLM would send it to its upstream."""
    secrets = {name: value for name, value in ENV.items() if "generate" in value}
    assert secrets == {
        **dict.fromkeys(("LITELLM_MASTER_KEY", "OPEN_WEBUI_KEY", "PROMETHEUS_KEY"), "sk-generate"),
        **dict.fromkeys(("HOMELAB_SECRET", "OPTILLM_GATE_KEY"), "generate"),
        "OPTILLM_UPSTREAM_KEY": "sk-generate",
    }
    assert {value for name, value in ENV.items() if name.endswith("_KEY")} - set(secrets.values()) == {
        "none",
        "demo",
    }


def test_every_caller_has_a_key_of_its_own() -> None:
    """Each caller's key is a variable that the first `make run` fills with a fresh one."""
    keys = [section["key"].removeprefix("os.environ/") for section in CALLERS.values()]
    assert len(set(keys)) == len(keys) == 3
    assert {ENV[key] for key in keys} == {"sk-generate"}


def test_no_name_arms_something_else() -> None:
    """No variable is also read as a global default by LiteLLM or OptiLLM."""
    assert (ENV.keys() | COMMENTED_ENV.keys()) & ARMING == set()


@pytest.mark.parametrize("deployment", [pytest.param(d, id=d.group) for d in DEPLOYMENTS])
def test_default_is_the_demo_backend(deployment: Deployment) -> None:
    """Out of the box each deployment goes to the demo backend of its kind, on this machine."""
    address = urlsplit(deployment.api_base)
    assert (address.hostname, address.path) == ("127.0.0.1", "/v1")
    assert address.port == DEFAULT_PORTS[DEMO_BACKENDS[deployment.group]]


def test_demo_serves_every_default() -> None:
    """The demo, started with this environment, lists the model of each chat or embedding deployment."""
    served = models_from_env(ENV, DEFAULT_PORTS)
    for deployment in DEPLOYMENTS:
        backend = DEMO_BACKENDS[deployment.group]
        assert backend == "optillm" or deployment.upstream_model in served[backend], deployment.group


def test_listens_on_this_machine_only() -> None:
    """The gateway and the search stand-in are on 127.0.0.1: LiteLLM's own default is every interface."""
    assert ENV["HOST"] == "127.0.0.1"
    assert ENV["SEARXNG_API_BASE"] == f"http://127.0.0.1:{DEFAULT_PORTS['searxng']}"
