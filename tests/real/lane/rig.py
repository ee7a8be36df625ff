"""
The whole lane with real processes: client -> LiteLLM -> OptiLLM -> LiteLLM -> a recording backend.

    rig.gateway  <-- rig.back (relay) <--+
        |                                |
        +--> rig.wire (relay) --> OptiLLM
        +--> rig.upstreams (recording backend)
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from litellm_homelab.demo.config import DemoConfig, OptillmConfig
from litellm_homelab.demo.recorder import RecordedRequest
from litellm_homelab.demo.thread import running_demo
from litellm_homelab.testing.upstream import Upstreams
from tests.real.gateway import free_port, litellm
from tests.real.lane.relay import Call, Relay
from tests.real.optillm import optillm_server
from tests.real.upstreams import listening

DEMO = "demo"
"""In the place of an OptiLLM version: the demo's stand-in, which is faster."""
MASTER_KEY = "sk-master-key-of-the-rig"
GATE_KEY = "gate-key"
"""The key that the OptiLLM handles of the rig's router files have."""
OPTILLM = "OPTILLM_API_BASE"
OURS = "litellm_homelab."
PATIENCE = ("--timeout_worker_healthcheck", "60")
"""By default uvicorn ends a worker that does not answer for 5 s: on a busy machine, one that imports."""

Document = dict[str, Any]


@dataclass(slots=True)
class Rig:
    """A running lane: what to ask, and what was seen at each hop since the last `clear`."""

    url: str
    wire: Relay
    back: Relay
    upstreams: Upstreams
    log: Path
    """What LiteLLM says."""
    optillm_log: Path | None
    """What OptiLLM says; the stand-in says nothing."""
    environ: Mapping[str, str]
    document: Document
    client: httpx.Client = field(repr=False)

    def post(self, path: str, body: object, **kwargs: Any) -> httpx.Response:
        """POST JSON, with the master key unless `headers` says otherwise."""
        return self.client.post(path, json=body, **kwargs)

    def chat(self, model: str, text: str = "hello", **fields: object) -> httpx.Response:
        """One chat completion; `messages` among the fields takes the place of the text."""
        messages = [{"role": "user", "content": text}]
        return self.post("/v1/chat/completions", {"model": model, "messages": messages, **fields})

    @property
    def optillm_calls(self) -> list[Call]:
        """What was asked of OptiLLM."""
        return self.wire.posts

    @property
    def returns(self) -> list[Call]:
        """What OptiLLM asked of the gateway, marks and all."""
        return self.back.posts

    def backend_calls(self, name: str | None = None) -> list[RecordedRequest]:
        """What the backends were asked to generate; one of them by the name of its variable (`base`)."""
        seen = self.upstreams.recorder.requests(name)
        return [one for one in seen if one.method == "POST"]

    def clear(self) -> None:
        """Forget what was seen so far."""
        self.wire.calls.clear()
        self.back.calls.clear()
        self.upstreams.recorder.clear()


@contextlib.contextmanager
def rig(
    config: Path | Document,
    *,
    optillm: str = "0.4.0",
    hooks: bool = True,
    workers: int = 1,
    environ: Mapping[str, str] | None = None,
    back: Relay | None = None,
    optillm_key: str | None = None,
    approach: str = "none",
) -> Iterator[Rig]:
    """
    Run a lane on a router.yaml, a file or a document, for the length of the block.

    Each variable `NAME_API_BASE` that it reads is a recording backend called `name`; `OPTILLM_API_BASE` is
    OptiLLM in the given version.  Without `hooks` it is stock LiteLLM on the same file, where OptiLLM uses
    the master key, since stock LiteLLM knows no other without a database.  `back` stands between OptiLLM and
    the gateway; `optillm_key` is another key for OptiLLM's calls back than its own; `workers` needs a `state`
    that workers share.
    """
    document = read(config) if isinstance(config, Path) else config
    served = document if hooks else stock(document)
    port = free_port()
    back, wire, upstreams = back or Relay(), Relay(), Upstreams()
    back.target = f"http://127.0.0.1:{port}"
    key = optillm_key or (callers_key(document, "optillm") if hooks else MASTER_KEY)
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(listening(back)) + "/v1"
        wire.target, optillm_log = stack.enter_context(_optillm(optillm, upstream, key, approach))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lane-")))
        file = folder / "router.yaml"
        file.write_text(yaml.safe_dump(served, sort_keys=False), encoding="utf-8")
        bases = _bases(served, stack.enter_context(listening(upstreams)))
        variables = {
            "LITELLM_MASTER_KEY": MASTER_KEY,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # its price table would be fetched
            **bases,
            OPTILLM: stack.enter_context(listening(wire)) + "/v1",
            # By default all gateways of a machine that run several workers share one folder of samples.
            **({"PROMETHEUS_MULTIPROC_DIR": str(_samples(folder))} if workers > 1 else {}),
            **(environ or {}),
        }
        arguments = ("--num_workers", str(workers), *PATIENCE) if workers > 1 else ()
        log = stack.enter_context(litellm(file, port, variables, arguments))
        url, headers = f"http://127.0.0.1:{port}", bearer(MASTER_KEY)
        client = stack.enter_context(httpx.Client(base_url=url, headers=headers, timeout=120))
        yield Rig(url, wire, back, upstreams, log, optillm_log, variables, served, client)


@contextlib.contextmanager
def _optillm(version: str, upstream: str, key: str, approach: str) -> Iterator[tuple[str, Path | None]]:
    """The root address of an OptiLLM, and its log."""
    if version == DEMO:
        settings = OptillmConfig(upstream=upstream, upstream_key=key, gate_key=GATE_KEY, approach=approach)
        with running_demo(DemoConfig.for_tests(optillm=settings)) as demo:
            yield demo.url("optillm"), None
    else:
        with optillm_server(version, upstream, key, GATE_KEY, approach) as server:
            yield server.api_base.removesuffix("/v1"), server.log


def read(config: Path) -> Document:
    """A router.yaml, to be changed before it is served."""
    document: Document = yaml.safe_load(config.read_text(encoding="utf-8"))
    return document


def stock(document: Document) -> Document:
    """The same configuration for LiteLLM alone: no section, no callbacks, no gate of ours."""
    bare: Document = yaml.safe_load(yaml.safe_dump(document))
    del bare["homelab"]
    bare["general_settings"].pop("custom_auth", None)
    settings = bare["litellm_settings"]
    settings["callbacks"] = [name for name in settings["callbacks"] if not name.startswith(OURS)]
    return bare


def callers_key(document: Mapping[str, Any], name: str) -> str:
    """The key of a caller of the `homelab:` section."""
    key: str = document["homelab"]["callers"][name]["key"]
    return key


def bearer(key: str) -> dict[str, str]:
    """The header of a key."""
    return {"Authorization": f"Bearer {key}"}


def contents(bodies: Sequence[Any]) -> list[str]:
    """The texts of all messages of all bodies, a list's parts each for itself."""
    messages = [message for body in bodies for message in body["messages"]]
    found: list[str] = []
    for message in messages:
        content = message.get("content")
        found += [part.get("text", "") for part in content] if isinstance(content, list) else [content or ""]
    return found


def _bases(document: Document, root: str) -> dict[str, str]:
    names = set(re.findall(r"os\.environ/(\w+)_API_BASE", yaml.safe_dump(document)))
    return {f"{name}_API_BASE": f"{root}{Upstreams.path(name.lower())}/v1" for name in names}


def _samples(folder: Path) -> Path:
    """A folder for the samples of several workers: LiteLLM's workers need it before LiteLLM makes it."""
    made = folder / "samples"
    made.mkdir()
    return made
