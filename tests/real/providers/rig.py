"""Two real LiteLLM processes on tests/routers/providers.yaml, with our hooks and without."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from litellm_homelab.demo.recorder import RecordedRequest, Recorder
from tests.real.gateway import free_port, litellm
from tests.real.providers.backend import AnyApi
from tests.real.providers.routes import Request
from tests.real.providers.trap import trap
from tests.real.upstreams import listening_to_all

ROUTER = Path(__file__).parents[2] / "routers" / "providers.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(ROUTER.read_text(encoding="utf-8"))
PROVIDERS = ("openai", "lm_studio", "mistral", "openrouter", "hosted_vllm", "azure", "ollama", "ollama_chat")
CLIENT_KEY: str = DOCUMENT["homelab"]["callers"]["client"]["key"]
MASTER_KEY = "sk-master-of-providers-0001"
CLOUD_KEY = "sk-cloud-of-the-operator-0001"
"""What the environment holds for the default providers: no request may carry it anywhere."""
FAR, SPARE, TRAP, SEARCH = "far", "spare", "trap", "search"
LIMITS = httpx.Limits(max_connections=32, keepalive_expiry=2)
"""LiteLLM's server hangs up after five idle seconds."""
TENANT = "/tenant"
"""Where the deployments are at their host: what climbs out of it is seen."""


@dataclass(frozen=True, slots=True)
class Rig:
    """A running gateway: a client of it, its key, and what its upstreams were sent."""

    client: httpx.Client
    key: str
    recorder: Recorder
    trap_url: str
    log: Path

    def ask(self, request: Request, *places: str) -> tuple[httpx.Response, list[RecordedRequest]]:
        """Send one request; the calls since then to some places, or to all of them."""
        before = self.recorder.requests()
        last = before[-1].number if before else 0
        response = request.send(self.client, self.key)
        calls = [one for one in self.recorder.requests() if one.number > last]
        return response, [one for one in calls if not places or one.backend in places]


def _apps(recorder: Recorder) -> dict[str, AnyApi]:
    return {name: AnyApi(name, recorder) for name in (*PROVIDERS, FAR, SPARE, SEARCH)}


def _environ(urls: Mapping[str, str], trap_url: str) -> dict[str, str]:
    bases = {"AT_SEARCH": urls[SEARCH]}
    for provider in PROVIDERS:
        end = "" if provider.startswith(("azure", "ollama")) else "/v1"
        bases[f"AT_{provider.upper()}"] = urls[provider] + TENANT + end
        bases[f"FAR_{provider.upper()}"] = f"{urls[FAR]}/{provider}{end}"
        bases[f"SPARE_{provider.upper()}"] = f"{urls[SPARE]}/{provider}{end}"
    keys = ("OPENAI", "MISTRAL", "OPENROUTER", "AZURE", "ANTHROPIC", "GEMINI", "COHERE", "GROQ")
    return {
        **bases,
        **{f"{name}_API_KEY": CLOUD_KEY for name in keys},
        "LITELLM_MASTER_KEY": MASTER_KEY,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        # What would leave for the internet comes to the trap.
        "HTTP_PROXY": trap_url,
        "HTTPS_PROXY": trap_url,
        "NO_PROXY": "127.0.0.1,localhost",
    }


def stock(folder: Path) -> Path:
    """The same router without our section, callbacks and keys."""
    document = {name: dict(value) if isinstance(value, dict) else value for name, value in DOCUMENT.items()}
    del document["homelab"], document["litellm_settings"]["callbacks"]
    del document["general_settings"]["custom_auth"]
    config = folder / "router.yaml"
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    return config


@contextlib.contextmanager
def _gateway(config: Path, key: str) -> Iterator[Rig]:
    recorder, port = Recorder(max_requests=100_000), free_port()
    with contextlib.ExitStack() as stack:
        urls = stack.enter_context(listening_to_all(_apps(recorder)))
        trap_url = stack.enter_context(trap(TRAP, recorder))
        log = stack.enter_context(litellm(config, port, _environ(urls, trap_url)))
        url = f"http://127.0.0.1:{port}"
        client = stack.enter_context(httpx.Client(base_url=url, timeout=60, limits=LIMITS, trust_env=False))
        yield Rig(client, key, recorder, trap_url, log)


@contextlib.contextmanager
def ours() -> Iterator[Rig]:
    """The gateway with our hooks, asked with a client's key."""
    with _gateway(ROUTER, CLIENT_KEY) as rig:
        yield rig


@contextlib.contextmanager
def without() -> Iterator[Rig]:
    """The same without our hooks: it has one key for everybody."""
    with (
        tempfile.TemporaryDirectory(prefix="stock-") as folder,
        _gateway(stock(Path(folder)), MASTER_KEY) as rig,
    ):
        yield rig


@contextlib.contextmanager
def both() -> Iterator[tuple[Rig, Rig]]:
    """Both, started side by side."""
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        starting = [pool.submit(stack.enter_context, make()) for make in (ours, without)]
        first, second = (one.result() for one in starting)
        yield first, second
