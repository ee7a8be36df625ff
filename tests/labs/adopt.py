"""Adds the plugin's lines and a `homelab:` section to an owner's file, and nothing else."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FILES = Path(__file__).parent / "files"


@dataclass(frozen=True)
class Lab:
    """An owner's file, the names that clients used, and what the file expects around it."""

    file: str
    chats: tuple[str, ...]
    others: tuple[str, ...] = ()
    internal: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=dict)
    fails_over: tuple[str, ...] = ()
    """Groups of a chain: each fails, and the last answers."""
    keys: bool = False
    """Whether clients get keys of their own."""

    @property
    def handles(self) -> tuple[str, ...]:
        """All that clients used."""
        return (*self.chats, *self.others)


LABS = (
    Lab("operator", ("qwen3-30b", "gpt-oss-20b"), fails_over=("qwen3-30b", "gpt-oss-20b"), keys=True),
    Lab("compose_ollama", ("qwen2.5:7b", "llama3.2:3b-instruct-q4_K_M"), ("nomic-embed-text:latest",)),
    Lab(
        "kubernetes_redis",
        ("local", "cloud"),
        fails_over=("local", "cloud"),
        environ={"REDIS_HOST": "127.0.0.1", "REDIS_PORT": "1", "OPENROUTER_API_KEY": "none"},
    ),
    Lab(
        "wildcards",
        ("openai/gpt-4o", "ollama/qwen2.5:7b", "openrouter/deepseek/deepseek-chat:free"),
        environ={"OPENAI_API_KEY": "sk-none-1", "OPENROUTER_API_KEY": "sk-none-2"},
    ),
    Lab(
        "hugging_face",
        ("mlx-community/Qwen3-4B-4bit", "Qwen/Qwen2.5-Coder-32B-Instruct"),
        ("BAAI/bge-m3-embed",),
    ),
    Lab("database", (), ("later",)),
    Lab(
        "four_steps",
        ("first", "second"),
        internal=("third", "fourth", "long"),
        fails_over=("first", "second", "third", "fourth"),
        environ={"OPENROUTER_API_KEY": "none"},
    ),
    Lab("own_guardrails", ("house",)),
    Lab("media", ("talk",), ("whisper-1", "tts-1", "picture", "bge-reranker", "text-embedding-3-small")),
    Lab("mcp_and_search", ("agent",)),
    Lab("balanced", ("twin", "reserve"), fails_over=("twin", "reserve")),
    Lab("auto_router", ("smart",), internal=("small", "large")),
    Lab(
        "included",
        ("near",),
        internal=("far",),
        fails_over=("near", "far"),
        environ={"OPENROUTER_API_KEY": "none"},
    ),
    Lab(
        "environment",
        ("chatty",),
        internal=("backup",),
        fails_over=("chatty", "backup"),
        environ={
            "LAB_CHAT_NAME": "chatty",
            "LAB_CHAT_MODEL": "org/model",
            "LAB_CHAT_API_BASE": "http://192.0.2.130:8000/v1",
            "LAB_BACKUP": "backup",
        },
    ),
)
"""One for each shape in which public home labs run LiteLLM."""


def written(lab: Lab, folder: Path, *, ours: bool) -> Path:
    """The lab's files in a folder; with `ours`, the plugin's lines and a section are added."""
    shutil.copytree(FILES, folder, dirs_exist_ok=True)
    path = folder / f"{lab.file}.yaml"
    if ours:
        path.write_text(adopted(path.read_text(encoding="utf-8"), lab), encoding="utf-8")
    return path


def adopted(text: str, lab: Lab) -> str:
    """The owner's YAML with our callbacks, `custom_auth` where keys are used, and a `homelab:` section."""
    document: dict[str, Any] = yaml.safe_load(text)
    litellm = document.setdefault("litellm_settings", {})
    own = litellm.get("callbacks", [])
    litellm["callbacks"] = [*([own] if isinstance(own, str) else own), "litellm_homelab.plugin"]
    document["homelab"] = {
        "showroom": {"handles": [*lab.handles], "internal": [*lab.internal]},
        "state": "memory://",
    }
    if lab.keys:
        document["homelab"]["callers"] = {"app": {"key": "sk-lab-app-key-1"}}
        document["general_settings"]["custom_auth"] = "litellm_homelab.gate"
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
