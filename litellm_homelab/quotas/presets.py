"""Free tiers by name: dated data (`presets.toml`), read once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

from litellm_homelab.quotas.windows import Calendar, Per, Unit, Window

GOOD_FOR: Final = timedelta(days=180)
"""After this time a preset is to be compared with its source."""
HOSTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "api.groq.com": "groq",
        "generativelanguage.googleapis.com": "gemini",
        "api.mistral.ai": "mistral",
        "openrouter.ai": "openrouter",
        "api.cloudflare.com": "cloudflare",
        "api.cohere.com": "cohere",
        "api.cohere.ai": "cohere",
        "integrate.api.nvidia.com": "nvidia_nim",
        "router.huggingface.co": "huggingface",
        "api-inference.huggingface.co": "huggingface",
        "api.cerebras.ai": "cerebras",
        "api.openai.com": "openai",
    }
)
"""Providers by the host of their API: many deployments name LiteLLM's provider for compatible servers."""


@dataclass(frozen=True, slots=True)
class Preset:
    """What is documented of a free tier."""

    name: str
    provider: str
    checked: date
    source: str
    windows: tuple[Window, ...]
    ends: date | None = None
    """The day on which the tier ended, or will."""
    is_per_model: bool = False
    """Whether each model has these limits for itself."""

    @property
    def calendars(self) -> Mapping[Per, Calendar]:
        """The provider's calendar of each length of window."""
        return {one.calendar.per: one.calendar for one in self.windows}

    def doubts(self, today: date) -> Iterator[str]:
        """Why it may not be true any more, in a sentence each."""
        if self.ends is not None and today > self.ends:
            yield f"this free tier ended on {self.ends}; use another provider (see {self.source})"
        elif today > self.checked + GOOD_FOR:
            yield (
                f"its numbers are of {self.checked}, more than {GOOD_FOR.days} days ago; compare them with "
                f"{self.source}, and write windows where they differ"
            )


@cache
def presets() -> Mapping[str, Preset]:
    """Every preset by its name."""
    text = resources.files(__package__ or "").joinpath("presets.toml").read_text(encoding="utf-8")
    return {name: _preset(name, found) for name, found in tomllib.loads(text).items()}


def _preset(name: str, found: dict[str, Any]) -> Preset:
    return Preset(
        name=name,
        provider=found["provider"],
        checked=found["checked"],
        source=found["source"],
        windows=tuple(map(_window, found["windows"])),
        ends=found.get("ends"),
        is_per_model=found.get("per_model", False),
    )


def _window(found: dict[str, Any]) -> Window:
    calendar = Calendar(Per(found["per"]), found.get("zone", "UTC"))
    rolling = found.get("rolling", False)
    return Window(Unit(found["unit"]), found.get("limit"), calendar, rolling=rolling, documented=True)


def provider_at(host: str) -> str:
    """The provider whose API has this host; empty for any other."""
    return HOSTS.get(host.lower().rstrip("."), "")
