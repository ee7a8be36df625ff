"""What the rules know of router.yaml: its `homelab:` section and the file around it, checked and frozen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from litellm_homelab.config.wording import one_line
from litellm_homelab.showroom import modes

if TYPE_CHECKING:
    from litellm_homelab.config.router_file import RouterFile
    from litellm_homelab.config.sections import Homelab
    from litellm_homelab.showroom.registry import RegistryEntry


@dataclass(frozen=True, slots=True)
class Known:
    """What the installed LiteLLM understands, as the hooks report it (this module does not import it)."""

    retry_policy: frozenset[str] = frozenset()
    allowed_fails_policy: frozenset[str] = frozenset()
    params: frozenset[str] = frozenset()
    """Every parameter by which its functions take a request's fields."""
    port: int = 4000
    """The port that this gateway listens on, as it was started."""
    mode_of: Callable[[str, str], str] = lambda model, _: modes.guessed(model)
    """The mode of a model of a provider (empty: as its prefix says), where `model_info` has none."""
    version: str = ""
    """The version of LiteLLM; empty where it is not known, and then no advisory is looked for."""
    has_route: Callable[[str], bool] = lambda _: False
    """Whether it has a route of this path, as LiteLLM writes it, that need not be in routes.txt."""
    today: date | None = None
    """The day on which presets are looked at; None for today."""
    hostnames: tuple[str, ...] = ()
    """Names of this machine, under which its own port may be in an `api_base`."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the rules need, checked: the `homelab:` section and the router.yaml around it."""

    homelab: Homelab
    router: RouterFile
    handles: tuple[str, ...]
    """`showroom.handles`, then what the handles file adds."""
    handles_lines: Mapping[str, int] = field(default_factory=dict)
    """The handles of the handles file, each with its line."""
    registry: Mapping[str, RegistryEntry] = field(default_factory=dict)
    master_key: str = field(default="", repr=False)
    folder: Path = Path()
    """Where router.yaml lies; relative file names in it are relative to this."""

    warnings: tuple[str, ...] = ()
    """What does not stop the start and the operator should know, one line each."""

    @property
    def secret(self) -> str:
        """What signs lineage: `homelab.secret`, else the master key."""
        return self.homelab.secret or self.master_key


class SettingsError(ValueError):
    """Settings that must not be started with; `problems` has one line for each mistake."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(one_line(problem) for problem in problems)
        super().__init__("\n".join(self.problems))
