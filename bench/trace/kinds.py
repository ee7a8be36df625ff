"""The kinds of request that are counted, on the shipped router.yaml with the plugin and without it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any, Final

import yaml

from bench.processes import REPOSITORY

ROUTER: Final = REPOSITORY / "config" / "router.yaml"
PACKAGE: Final = "litellm_homelab."
"""What the names of our callbacks and of our auth function begin with, whatever follows."""
NEVER: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request: a chat completion."""

    title: str
    model: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    fails: str | None = None
    """The group whose first attempt is answered with a 500."""
    status: int = 200
    comparable: bool = True
    """Whether stock LiteLLM does the same with it."""
    homelab: Mapping[str, Any] = field(default_factory=dict)
    """
    What the shipped router.yaml's `homelab:` section has besides, None for what it leaves out.

    Kinds with the same share a process.
    """
    stock: str | None = None
    """The kind that is the same request for stock LiteLLM; None is this one."""


MOA: Final = {"optillm_approach": "moa"}
SERVER: Final = "http://main.invalid"
"""Where MockProxy has `main`."""
PRESENCE: Final = {"probe_seconds": 3600}  # a probe would be counted with the request
QUOTAS: Final = {"main": {"groups": ["main"], "windows": [{"requests": NEVER, "per": "day"}]}}


PATIENT: Final = ("backends", "timeouts", "priorities", "keep_alive")
STATE: Final = "sqlite:///{folder}/state.db"
BACKENDS: Final = {"main": {"at": [SERVER], "presence": PRESENCE}}
KINDS: Final = {
    "plain": Kind("plain chat", "main"),
    # LiteLLM refuses an unknown name, too, but in the router and with a list of its models.
    "refused": Kind("refused name", "no-such-model", status=404, comparable=False),
    "fallback": Kind("one fallback", "vllm-qwen", fails="vllm-qwen"),
    "bare": Kind("plain, no backends, no timeouts", "main", homelab=dict.fromkeys(PATIENT), stock="plain"),
    "probed": Kind("probed, with slots", "vllm-qwen", homelab={"state": STATE}),
    "streamed": Kind("streamed", "main", {"stream": True}),
    "optillm": Kind("OptiLLM moa", "boost", MOA),
    "optillm-streamed": Kind("OptiLLM moa streamed", "boost", {**MOA, "stream": True}),
    "quota": Kind(
        "plain, presence, quota",
        "main",
        homelab={"backends": BACKENDS, "quotas": QUOTAS, "state": STATE},
        stock="plain",
    ),
}


def write(folder: Path, *, plugin: bool, homelab: Mapping[str, Any] | None = None) -> Path:
    """Write the shipped router.yaml, and the files beside it, into a folder; without the plugin as stock."""
    copytree(ROUTER.parent, folder, ignore=ignore_patterns("*.db*", "env.local", "__pycache__"))
    document = yaml.safe_load(ROUTER.read_text(encoding="utf-8"))
    for name, part in (homelab or {}).items():
        own = document["homelab"]
        if part is None:
            own.pop(name, None)
            continue
        own[name] = part.format(folder=folder) if isinstance(part, str) else {**own.get(name, {}), **part}
    # Else the third request that falls back would find its first deployment at rest.
    settings = document["router_settings"]
    settings["allowed_fails"] = NEVER
    settings["allowed_fails_policy"] = dict.fromkeys(settings["allowed_fails_policy"], NEVER)
    file = folder / ROUTER.name
    content = document if plugin else stock(document)
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return file


def stock(document: Mapping[str, Any]) -> dict[str, Any]:
    """The router.yaml without what is ours: the section, the auth function, and every callback."""
    made = copy.deepcopy({name: part for name, part in document.items() if name != "homelab"})
    settings, general = made.get("litellm_settings") or {}, made.get("general_settings") or {}
    listed = settings.get("callbacks") or []
    callbacks = [listed] if isinstance(listed, str) else listed
    if callbacks:
        settings["callbacks"] = [one for one in callbacks if not one.startswith(PACKAGE)]
    if str(general.get("custom_auth") or "").startswith(PACKAGE):
        del general["custom_auth"]
    return made
