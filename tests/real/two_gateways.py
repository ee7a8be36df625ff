"""Two gateways as real processes: each leads to the other through a relay, and each has an OptiLLM."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from litellm_homelab.demo.config import DemoConfig, OptillmConfig
from litellm_homelab.demo.recorder import RecordedRequest
from litellm_homelab.demo.thread import running_demo
from litellm_homelab.testing.upstream import Upstreams
from tests.real.gateway import free_port, litellm
from tests.real.lane.relay import CAP, Call, Relay
from tests.real.lane.rig import GATE_KEY, PATIENCE, bearer
from tests.real.upstreams import listening

KEYS: Final = {"client": "sk-client-of-both", "optillm": "sk-optillm-of-both"}
SECRET: Final = "one-secret-of-two-gateways"
LEADS: Final = {
    "main": "main",
    "long": "long",
    "loop": "loop",
    "chain": "chain",
    "base": "boost",
    "good": "main",
}
"""Groups of the first gateway with what each asks the second for."""


@dataclass(slots=True)
class Pair:
    """Both gateways, and what passed each relay and reached the backends since the last `clear`."""

    url: str
    to_first: Relay
    to_second: Relay
    upstreams: Upstreams
    client: httpx.Client = field(repr=False)

    def chat(self, model: str, **fields: object) -> httpx.Response:
        """One chat with the first gateway."""
        body = {"model": model, "messages": [{"role": "user", "content": "hello"}], **fields}
        return self.client.post("/v1/chat/completions", json=body, headers=bearer(KEYS["client"]))

    @property
    def passed(self) -> tuple[list[Call], list[Call]]:
        """What came in at the first gateway by way of its relay, and at the second."""
        return self.to_first.posts, self.to_second.posts

    def backend_calls(self) -> list[RecordedRequest]:
        """What the backends were asked to generate."""
        return [one for one in self.upstreams.recorder.requests() if one.method == "POST"]

    def clear(self) -> None:
        """Forget what was seen so far."""
        self.to_first.calls.clear()
        self.to_second.calls.clear()
        self.upstreams.recorder.clear()


@contextlib.contextmanager
def two_gateways(*, shared: bool, workers: int = 1) -> Iterator[Pair]:
    """Run both; `shared` is one secret, one master key and one state, and `workers` of the first."""
    to_first, to_second, upstreams = Relay(cap=CAP), Relay(cap=CAP), Upstreams()
    ports = free_port(), free_port()
    to_first.target, to_second.target = (f"http://127.0.0.1:{port}" for port in ports)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateways-")))
        root = stack.enter_context(listening(upstreams))
        first_at, second_at = (stack.enter_context(listening(one)) + "/v1" for one in (to_first, to_second))
        optillms = [stack.enter_context(_optillm(at)) for at in (first_at, second_at)]
        first = _first(first_at, second_at, optillms[0])
        second = _second(first_at, optillms[1], root)
        for name, document, port, count in (
            ("first", first, ports[0], workers),
            ("second", second, ports[1], 1),
        ):
            own = folder / name
            (own / "samples").mkdir(parents=True)
            document["homelab"]["secret"] = SECRET if shared else f"{SECRET}-{name}"
            document["homelab"]["state"] = f"sqlite:///{folder if shared else own}/state.db"
            (own / "router.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
            environ = {
                "LITELLM_MASTER_KEY": f"sk-master-{'both' if shared else name}",
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                **({"PROMETHEUS_MULTIPROC_DIR": str(own / "samples")} if count > 1 else {}),
            }
            arguments = ("--num_workers", str(count), *PATIENCE) if count > 1 else ()
            stack.enter_context(litellm(own / "router.yaml", port, environ, arguments))
        url = f"http://127.0.0.1:{ports[0]}"
        client = stack.enter_context(httpx.Client(base_url=url, timeout=120))
        yield Pair(url, to_first, to_second, upstreams, client)


@contextlib.contextmanager
def _optillm(upstream: str) -> Iterator[str]:
    settings = OptillmConfig(upstream=upstream, upstream_key=KEYS["optillm"], gate_key=GATE_KEY)
    with running_demo(DemoConfig.for_tests(optillm=settings)) as demo:
        yield demo.url("optillm") + "/v1"


def _first(own: str, other: str, optillm: str) -> dict[str, Any]:
    """`self` leads back through the relay, `boost` through OptiLLM to the second's `boost`."""
    models = [_group(name, asked, other) for name, asked in LEADS.items()]
    models += [_group("self", "self", own), _group("twice", "main", own)]
    models += [_group("boost", "base", optillm), _group("nice", "good", optillm)]
    return _document(models, ["base", "good"], ["boost", "nice"], {"chain": ["long"]})


def _second(other: str, optillm: str, root: str) -> dict[str, Any]:
    """`loop` leads back to the first's, `chain` to a loop of the first's own; `long` has a fallback."""
    backends = {"main": "main", "spare": "spare", "long": "away"}
    models = [_group(name, f"real-{name}", f"{root}{Upstreams.path(at)}/v1") for name, at in backends.items()]
    models += [_group("loop", "loop", other), _group("chain", "self", other)]
    models += [_group("boost", "base", optillm), _group("base", "boost", other)]
    return _document(models, ["base", "spare"], ["boost"], {"long": ["spare"]})


def _group(name: str, model: str, base: str) -> dict[str, Any]:
    key = GATE_KEY if name in ("boost", "nice") else KEYS["client"]
    params = {"model": f"openai/{model}", "api_base": base, "api_key": key, "use_chat_completions_api": True}
    return {"model_name": name, "litellm_params": params, "model_info": {"id": f"id-{name}", "mode": "chat"}}


def _document(
    models: list[dict[str, Any]], internal: list[str], lanes: list[str], fallbacks: Mapping[str, list[str]]
) -> dict[str, Any]:
    handles = [one["model_name"] for one in models if one["model_name"] not in internal]
    return {
        "homelab": {
            "showroom": {"handles": handles, "internal": internal},
            "callers": {
                "client": {"key": KEYS["client"]},
                "optillm": {"key": KEYS["optillm"], "role": "optillm"},
            },
            "optillm": {name: {"approaches": ["none", "re2", "moa"]} for name in lanes},
        },
        "model_list": models,
        # Retries and fallbacks as people have them: none of them may follow a loop.
        "router_settings": {
            "num_retries": 2,
            "fallbacks": [{name: targets} for name, targets in fallbacks.items()],
        },
        "litellm_settings": {
            "callbacks": ["litellm_homelab.plugin"],
            "use_chat_completions_url_for_anthropic_messages": True,
            "disable_hf_tokenizer_download": True,
        },
        "general_settings": {
            "master_key": "os.environ/LITELLM_MASTER_KEY",
            "custom_auth": "litellm_homelab.gate",
            "disable_model_info_refresh": True,
        },
    }
