"""Every approach that OptiLLM 0.3.12 and 0.4.0 can be asked for, and what asking for it exposes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from litellm_homelab.config.wording import did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(StrEnum):
    """How far an approach reaches."""

    ORDINARY = "ordinary"
    """Calls back to the model and nothing else."""
    DANGEROUS = "dangerous"
    """Reaches past the model: code, the network, files, other callers' data, or a choice made elsewhere."""
    LOCAL_ONLY = "local-only"
    """Needs weights or a tokenizer on the OptiLLM host."""


class Selector(StrEnum):
    """The body field that selects it in OptiLLM."""

    APPROACH = "optillm_approach"
    DECODING = "decoding"
    """Read by OptiLLM's own inference only; for an upstream server it is an unknown argument: a 500."""


class Origin(StrEnum):
    """Where OptiLLM defines it."""

    BUILT_IN = "server.py, known_approaches"
    PLUGIN = "plugins/<name>_plugin.py"
    DECODING = "inference.py, decoding"


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """
    One approach of the catalogue.

    `exposes` is one line for the person who decides whether to list it; `since` is the first of the two
    versions read (0.3.12, 0.4.0) that has it.
    """

    name: str
    kind: Kind
    exposes: str
    origin: Origin
    since: str = "0.3.12"

    @property
    def selector(self) -> Selector:
        """The body field that selects it."""
        return Selector.DECODING if self.origin is Origin.DECODING else Selector.APPROACH


_NOTHING = "nothing beyond its calls to the model"
_RUNS_CODE = "runs Python written by the model on the OptiLLM host"

_ORDINARY: dict[str, tuple[str, Origin]] = {
    "none": ("nothing; request fields become arguments of OptiLLM's client", Origin.BUILT_IN),
    "mcts": (
        "nothing beyond its calls; on 0.3.12 a caller's mcts_* stays for every later caller",
        Origin.BUILT_IN,
    ),
    "bon": (_NOTHING, Origin.BUILT_IN),
    "moa": (_NOTHING, Origin.BUILT_IN),
    "rto": (_NOTHING, Origin.BUILT_IN),
    "self_consistency": (_NOTHING, Origin.BUILT_IN),
    "pvg": (_NOTHING, Origin.BUILT_IN),
    "rstar": (_NOTHING, Origin.BUILT_IN),
    "cot_reflection": (_NOTHING, Origin.BUILT_IN),
    "plansearch": (_NOTHING, Origin.BUILT_IN),
    "leap": (f"{_NOTHING}, whose number the model's answer sets", Origin.BUILT_IN),
    "re2": (_NOTHING, Origin.BUILT_IN),
    "cepo": ("nothing beyond its 48 calls, which ignore max_tokens", Origin.BUILT_IN),
    "mars": ("nothing beyond its 118 calls (15 with max_tokens up to 4000)", Origin.BUILT_IN),
    "deepthink": (_NOTHING, Origin.PLUGIN),
    "genselect": (_NOTHING, Origin.PLUGIN),
    "majority_voting": (_NOTHING, Origin.PLUGIN),
}

_DANGEROUS: dict[str, tuple[str, Origin]] = {
    "z3": (f"{_RUNS_CODE} (its source: 'NOT a security sandbox')", Origin.BUILT_IN),
    "coc": (_RUNS_CODE, Origin.PLUGIN),
    "executecode": ("runs Python from the prompt or the model on the OptiLLM host", Origin.PLUGIN),
    "readurls": ("fetches any URL of the prompt from the OptiLLM host, internal ones too", Origin.PLUGIN),
    "web_search": ("drives a Chrome on the OptiLLM host; the prompt leaves for Google", Origin.PLUGIN),
    "deep_research": ("web_search and readurls in a loop of 3 calls an iteration", Origin.PLUGIN),
    "mcp": ("the model calls every tool of the MCP servers configured on the OptiLLM host", Origin.PLUGIN),
    "memory": (
        "with OPTILLM_MEMORY_FILE set (0.4.0) texts of one caller reach the next one's prompt",
        Origin.PLUGIN,
    ),
    "spl": ("strategies learned from one caller's prompts reach another's, by a shared file", Origin.PLUGIN),
    "proxy": ("other providers' addresses and keys; it reuses the first caller's key", Origin.PLUGIN),
    "router": ("a downloaded classifier chooses the approach, z3 (runs code) among them", Origin.PLUGIN),
}

_LOCAL_ONLY: dict[str, tuple[str, Origin]] = {
    "json": ("a 0.5B model fetched to and run on the OptiLLM host; else one plain call", Origin.PLUGIN),
    "privacy": ("a spaCy model fetched to and run on the OptiLLM host", Origin.PLUGIN),
    "longcepo": ("a tokenizer fetched to the OptiLLM host; fails on both versions", Origin.PLUGIN),
    "cot_decoding": ("OptiLLM's own inference: no call to this gateway is made or counted", Origin.DECODING),
    "entropy_decoding": ("OptiLLM's own inference, in full precision", Origin.DECODING),
    "thinkdeeper": ("OptiLLM's own inference; output lengthened on the OptiLLM host", Origin.DECODING),
    "autothink": ("OptiLLM's own inference; a classifier and steering vectors fetched", Origin.DECODING),
    "deepconf": ("OptiLLM's own inference; up to 128 traces for one answer", Origin.DECODING),
}

_COMPACT = CatalogueEntry(
    "compact",
    Kind.ORDINARY,
    "nothing beyond its call and a look-up of /v1/models/{model} each time",
    Origin.PLUGIN,
    since="0.4.0",
)


def _entries() -> dict[str, CatalogueEntry]:
    tables = ((Kind.ORDINARY, _ORDINARY), (Kind.DANGEROUS, _DANGEROUS), (Kind.LOCAL_ONLY, _LOCAL_ONLY))
    known = [CatalogueEntry(name, kind, *row) for kind, table in tables for name, row in table.items()]
    return {entry.name: entry for entry in (*known, _COMPACT)}


CATALOGUE: Final[Mapping[str, CatalogueEntry]] = MappingProxyType(_entries())
"""
Approaches by name, as read in the sources of OptiLLM 0.4.0 and 0.3.12 and run where no weights are needed.

Dangerous and local-only ones are known, so that an operator can list them; none is ever implied.
"""

PREFIXES: Final[frozenset[str]] = frozenset(
    name for name, known in CATALOGUE.items() if known.selector is Selector.APPROACH
)
"""Names that OptiLLM takes off the start of a model name (`parse_combined_approach`)."""


def unknown(name: str) -> str | None:
    """Say why `name` is not an approach, and which are; None for one that is (for the settings loader)."""
    if name in CATALOGUE:
        return None
    tidy = name.strip().lower()
    if tidy in CATALOGUE:
        return f"approach {quoted(name)} must be written {quoted(tidy)}"
    if "&" in name or "|" in name:
        return f"{quoted(name)} is a combination; list its parts instead, which clients may then combine"
    known = ", ".join(sorted(CATALOGUE))
    return f"unknown approach {quoted(name)} (known: {known}){did_you_mean(name, CATALOGUE)}"
