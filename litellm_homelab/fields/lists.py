"""The lists behind the rule: which fields are documented, and what becomes of those of LiteLLM's own."""

from __future__ import annotations

import functools
import pkgutil
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

DOCUMENTED: Final = "documented.toml"
LITELLM: Final = "litellm.toml"


@dataclass(frozen=True, slots=True)
class Documented:
    """Fields that one source documents for some APIs, as of a date."""

    apis: tuple[str, ...]
    source: str
    date: str
    fields: frozenset[str]


SIDE_BY_SIDE: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"cursor": frozenset({"chat", "responses"})}
)
"""Routes that take the requests of several APIs: Cursor's takes both of OpenAI's (LiteLLM 1.106.2)."""


@dataclass(frozen=True, slots=True)
class Lists:
    """Every reviewed name, each with the reason for what becomes of it."""

    documented: tuple[Documented, ...]
    """In the order of documented.toml."""
    passed: Mapping[str, str]
    """Names that only LiteLLM knows and that pass on every route."""
    refused: Mapping[str, str]
    refused_prefixes: Mapping[str, str]
    refused_parts: Mapping[str, str]
    """A name that contains one of these is refused."""
    dropped: Mapping[str, str]
    metadata_refused: frozenset[str]
    metadata_dropped: frozenset[str]
    metadata_prefixes: tuple[str, ...]
    """Beginnings of metadata keys that are refused."""
    headers_passed: Mapping[str, str]
    headers_refused: Mapping[str, str]
    headers_dropped: Mapping[str, str]
    """Names, and beginnings of names where they end with `-`."""
    headers_known: Mapping[str, str]
    """Further names that LiteLLM's source has, each with what it is; the like."""
    in_extra_body: frozenset[str]
    """Fields that are refused inside `extra_body`: they would replace the request that was judged."""
    date: str
    versions: tuple[str, ...]
    """The LiteLLM versions that the lists were compared with."""

    def fields_of(self, api: str) -> frozenset[str]:
        """The documented fields of one API, or of those that a route takes side by side."""
        apis = SIDE_BY_SIDE.get(api, frozenset({api}))
        return frozenset().union(*(one.fields for one in self.documented if not apis.isdisjoint(one.apis)))

    @property
    def everywhere(self) -> frozenset[str]:
        """Every field that some API documents."""
        return frozenset().union(*(one.fields for one in self.documented))

    def reach(self, name: str) -> str | None:
        """Why a name reaches elsewhere; None where no list says so."""
        if name in self.refused:
            return self.refused[name]
        if name in self.dropped or name in self.passed:
            return None
        starts = (why for start, why in self.refused_prefixes.items() if name.startswith(start))
        parts = (why for part, why in self.refused_parts.items() if part in name)
        return next(starts, None) or next(parts, None)

    @property
    def headers(self) -> frozenset[str]:
        """Every header that has been reviewed."""
        return frozenset().union(
            self.headers_passed, self.headers_refused, self.headers_dropped, self.headers_known
        )

    def knows(self, name: str) -> bool:
        """Whether a name is on any list, so that it has been reviewed."""
        listed = name in self.passed or name in self.dropped or name in self.everywhere
        return listed or self.reach(name) is not None


@functools.cache
def reviewed() -> Lists:
    """The lists that this package was reviewed with."""
    return parse(_read(DOCUMENTED), _read(LITELLM))


def parse(documented: Mapping[str, Any], litellm: Mapping[str, Any]) -> Lists:
    """The lists of two documents in the form of documented.toml and litellm.toml."""
    metadata, headers = litellm["metadata"], litellm["headers"]
    return Lists(
        documented=tuple(_documented(one) for one in documented["list"]),
        passed=_reasons(litellm["pass"]),
        refused=_reasons(litellm["refuse"]),
        refused_prefixes=MappingProxyType(litellm["refuse_prefixes"]),
        refused_parts=MappingProxyType(litellm["refuse_parts"]),
        dropped=_reasons(litellm["drop"]),
        metadata_refused=frozenset(metadata["refuse"].split()),
        metadata_dropped=frozenset(metadata["drop"].split()),
        metadata_prefixes=tuple(metadata["refuse_prefixes"].split()),
        headers_passed=MappingProxyType(headers["pass"]),
        headers_refused=MappingProxyType(headers["refuse"]),
        headers_dropped=_reasons(headers["drop"]),
        headers_known=_reasons(headers["known"]),
        in_extra_body=frozenset(litellm["extra_body"]["refuse"].split()),
        date=str(litellm["date"]),
        versions=tuple(litellm["versions"]),
    )


def _documented(one: Mapping[str, Any]) -> Documented:
    return Documented(tuple(one["apis"]), one["source"], str(one["date"]), frozenset(one["fields"].split()))


def _reasons(groups: Iterable[Mapping[str, str]]) -> Mapping[str, str]:
    return MappingProxyType({name: group["reason"] for group in groups for name in group["names"].split()})


def _read(name: str) -> Mapping[str, Any]:
    return tomllib.loads((pkgutil.get_data(__package__, name) or b"").decode())
