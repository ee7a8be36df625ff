"""
What each kind of server is asked to find out whether it is there, and how its answers are read.

No question here loads a model or renews a keep-alive: Ollama's `/api/tags` and `/api/ps`, llama-swap's
`/v1/models` and `/running`, LM Studio's `/api/v0/models` and the `/v1/models` of the others only list
(documentation of Ollama's API, of llama-swap, of LM Studio's REST API v0, of vLLM's OpenAI server).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from litellm_homelab.backends.presence import Probed, ProbeOutcome

VERSION: Final = "/v1"
LATEST: Final = ":latest"
"""What Ollama puts behind a name without a tag."""


@dataclass(frozen=True, slots=True)
class ServerKind:
    """One kind of server."""

    asks: tuple[str, ...]
    """Paths below the server's root. The first says whether it is there and what it has."""
    models: Callable[[Any], frozenset[str] | None]
    """The models in the first answer; None where the list is not complete."""
    loaded: Callable[[list[Any]], frozenset[str]]
    """The models in memory, of all answers."""


def _unknown(_: object) -> None:
    return None


def _none(_: list[Any]) -> frozenset[str]:
    return frozenset()


def _rows(document: object, key: str) -> Iterator[Mapping[str, Any]]:
    rows = document.get(key) if isinstance(document, Mapping) else None
    return (one for one in rows if isinstance(one, Mapping)) if isinstance(rows, list) else iter(())


def _named(document: object, key: str, *fields: str) -> frozenset[str]:
    return frozenset(
        name for one in _rows(document, key) for field in fields if isinstance(name := one.get(field), str)
    )


def _listed(document: object) -> frozenset[str] | None:
    """The ids of an OpenAI-shaped list; None for anything else."""
    has_list = isinstance(document, Mapping) and isinstance(document.get("data"), list)
    return _named(document, "data", "id") if has_list else None


def _listed_with_aliases(document: object) -> frozenset[str] | None:
    """llama-swap lists aliases as entries of their own if it is configured so, else as `aliases`."""
    found = _listed(document)
    if found is None:
        return None
    aliases = (one.get("aliases") for one in _rows(document, "data"))
    return found | {
        name for each in aliases if isinstance(each, list) for name in each if isinstance(name, str)
    }


def _tagged(names: frozenset[str]) -> frozenset[str]:
    """Ollama's names, those with the tag `latest` without it as well."""
    return names | {name.removesuffix(LATEST) for name in names}


def _ollama(document: object) -> frozenset[str] | None:
    has_list = isinstance(document, Mapping) and isinstance(document.get("models"), list)
    return _tagged(_named(document, "models", "name", "model")) if has_list else None


def _ollama_loaded(answers: list[Any]) -> frozenset[str]:
    return _tagged(_named(answers[1], "models", "name", "model")) if len(answers) > 1 else frozenset()


def _running(answers: list[Any]) -> frozenset[str]:
    return _named(answers[1], "running", "model") if len(answers) > 1 else frozenset()


def _lm_studio_loaded(answers: list[Any]) -> frozenset[str]:
    rows = _rows(answers[0], "data") if answers else iter(())
    return frozenset(str(one.get("id")) for one in rows if one.get("state") == "loaded")


_OPENAI: Final = ServerKind((f"{VERSION}/models",), _unknown, _none)
KINDS: Final[Mapping[str, ServerKind]] = MappingProxyType(
    {
        "openai": _OPENAI,
        "mlx": _OPENAI,
        "ollama": ServerKind(("/api/tags", "/api/ps"), _ollama, _ollama_loaded),
        "llama-swap": ServerKind((f"{VERSION}/models", "/running"), _listed_with_aliases, _running),
        "lm-studio": ServerKind(("/api/v0/models",), _listed, _lm_studio_loaded),
        "vllm": ServerKind((f"{VERSION}/models",), _listed, _none),
    }
)
"""Kinds that are probed; `cloud` costs money or quota, and an OptiLLM would call back."""
LISTING: Final = tuple(name for name, one in KINDS.items() if one.models is not _unknown)
"""Kinds whose list of models is complete (the contract's section on backends)."""


def urls(kind: ServerKind, base: str) -> tuple[str, ...]:
    """The addresses to ask, for the `api_base` of a deployment."""
    root = base.rstrip("/").removesuffix(VERSION)
    return tuple(root + path for path in kind.asks)


def read(kind: ServerKind, answers: list[Any]) -> Probed:
    """What the answers to `urls`, in order, say; there is the first one at least."""
    return Probed(ProbeOutcome.ANSWERED, kind.models(answers[0]), kind.loaded(answers))
