"""A router.yaml as the rules of the check see it: its content, what it means, and what surrounds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from litellm_homelab.advisories import versions
from litellm_homelab.check.names import LiteLLMNames, litellm_names
from litellm_homelab.config.references import resolve

if TYPE_CHECKING:
    from litellm_homelab.config.router_file import Deployment, RouterFile
    from litellm_homelab.config.settings import Settings


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One entry of `model_list`, as it is written."""

    where: str
    name: str
    """Its `model_name`, of a reference the variable's value; empty where that is not a text."""
    entry: Mapping[Any, Any]
    params: Mapping[Any, Any]
    info: Mapping[Any, Any]


@dataclass(frozen=True)
class Document:
    """A file that is YAML and a mapping; the files that it includes are merged in."""

    path: Path
    content: Mapping[str, Any]
    router: RouterFile
    settings: Settings | None
    """The checked settings; None where the shape of the `homelab:` section is wrong."""
    environ: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    """LiteLLM's version; empty where none is installed."""
    has_environment: bool = False
    """Whether `environ` is what LiteLLM starts with, so that what it lacks is not set."""
    names: LiteLLMNames = field(default_factory=litellm_names)

    @cached_property
    def entries(self) -> tuple[ModelEntry, ...]:
        """The entries of `model_list` that are mappings."""
        listed = self.content.get("model_list")
        found = enumerate(listed if isinstance(listed, list) else ())
        return tuple(
            self._entry(f"model_list[{number}]", one) for number, one in found if isinstance(one, dict)
        )

    def _entry(self, where: str, one: Mapping[Any, Any]) -> ModelEntry:
        name = self.resolved(one.get("model_name"))
        params, info = _mapping(one, "litellm_params"), _mapping(one, "model_info")
        return ModelEntry(where, name if isinstance(name, str) else "", one, params, info)

    @cached_property
    def deployments(self) -> tuple[Deployment, ...]:
        """The deployments as LiteLLM resolves them."""
        return self.router.deployments

    def section(self, name: str) -> Mapping[Any, Any]:
        """A section of the file as it is written; empty where it is missing or no mapping."""
        return _mapping(self.content, name)

    def resolved(self, value: object) -> object:
        """A reference as the variable's value."""
        return resolve(value, self.environ)

    def is_at_least(self, version: str) -> bool:
        """Whether LiteLLM is this version or newer; without one the names' own version counts."""
        here, other = versions.ordered(self.version or self.names.version), versions.ordered(version)
        return here is not None and other is not None and here >= other

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text of the file with its place."""
        yield from _texts("", self.content)


def _mapping(parent: Mapping[Any, Any], name: str) -> Mapping[Any, Any]:
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def _texts(where: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(f"{where}[{number}]", item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(f"{where}.{name}" if where else str(name), item)
