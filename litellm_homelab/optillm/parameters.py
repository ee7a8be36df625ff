"""The request fields that an approach reads, with their bounds, and everything else that OptiLLM reads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Parameter:
    """
    A number that a client may give to an approach.

    `approaches` are those that read it, `default` is OptiLLM's, `least` and `most` are our bounds. One that
    is `server_wide` is never sent, since OptiLLM keeps it for later callers. `whole` asks for an int.
    """

    name: str
    approaches: frozenset[str]
    default: float
    least: float
    most: float
    whole: bool = True
    server_wide: bool = False

    def bounded(self, value: object) -> int | float | None:
        """Bring a value within the bounds; None for anything but a number of the right kind."""
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            return None
        if isinstance(value, float) and not math.isfinite(value):
            return None
        capped = min(max(value, self.least), self.most)
        return int(capped) if self.whole else capped

    def read(self, fields: Mapping[str, object]) -> int | float:
        """Return the number that OptiLLM would work with after `bounded`: the field's, else the default."""
        value = self.bounded(fields.get(self.name))
        return self.default if value is None else value


def _parameters(*parameters: Parameter) -> Mapping[str, Parameter]:
    return MappingProxyType({parameter.name: parameter for parameter in parameters})


_MCTS = frozenset({"mcts"})
_GENSELECT = frozenset({"genselect"})
_COMPACT = frozenset({"compact"})
_RESEARCH = frozenset({"deep_research"})

PARAMETERS: Final[Mapping[str, Parameter]] = _parameters(
    # 0.3.12 writes a caller's mcts_* into its server's configuration: 90 calls for everybody, measured.
    Parameter("mcts_simulations", _MCTS, default=2, least=1, most=8, server_wide=True),
    Parameter("mcts_depth", _MCTS, default=1, least=1, most=4, server_wide=True),
    Parameter("mcts_exploration", _MCTS, default=0.2, least=0, most=2, whole=False, server_wide=True),
    Parameter("k", frozenset({"majority_voting"}), default=8, least=1, most=16),
    Parameter("num_candidates", _GENSELECT, default=4, least=1, most=16),
    Parameter("comparison_temperature", _GENSELECT, default=0.3, least=0, most=2, whole=False),
    Parameter("max_iterations", _RESEARCH, default=5, least=1, most=20),
    Parameter("max_sources", _RESEARCH, default=30, least=1, most=60),
    Parameter("num_results", frozenset({"web_search"}), default=10, least=1, most=20),
    Parameter("deepthink_samples", frozenset({"deepthink"}), default=3, least=1, most=10),
    Parameter("confidence_threshold", frozenset({"deepthink"}), default=0.7, least=0, most=1, whole=False),
    Parameter("compact_context_window", _COMPACT, default=128_000, least=1_024, most=4_000_000),
    Parameter("compact_threshold", _COMPACT, default=0.75, least=0.1, most=1, whole=False),
    Parameter("compact_keep_recent", _COMPACT, default=4, least=0, most=64),
)
"""Parameters by name: read in the sources of OptiLLM 0.4.0, those that multiply calls also measured."""

READERS: Final = frozenset().union(*(parameter.approaches for parameter in PARAMETERS.values()))
"""The approaches that read any of them."""

NEVER_SENT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "mars_config": "sets how many agents and rounds mars runs, without bounds",
        "proxy_wrap": "names another approach behind the list of allowed ones",
        "wrap": "names another approach behind the list of allowed ones",
        "wrapped_approach": "names another approach behind the list of allowed ones",
        "spl_learning": "writes one caller's prompts into the strategies of all",
        "session_manager": "takes over another request's browser",
        "headless": "steers the OptiLLM host's browser",
        "delay_seconds": "occupies an OptiLLM thread for as long as the caller likes",
        "comparison_mode": "rewords genselect's own prompt",
        "include_reasoning": "rewords genselect's own prompt",
        "enable_self_discover": "changes deepthink's stages",
        "reasoning_modules_limit": "changes deepthink's stages",
        "best_of_n": "a server option in both versions; not a caller's",
        "rstar_max_depth": "a server option in both versions; not a caller's",
        "rstar_num_rollouts": "a server option in both versions; not a caller's",
        "rstar_c": "a server option in both versions; not a caller's",
        "return_full_response": "a server option in both versions; not a caller's",
        "steering_dataset": "makes autothink fetch a data set of the caller's choice",
        "target_layer": "steers autothink's local inference",
        "pattern_strengths": "steers autothink's local inference",
    }
)
"""What OptiLLM reads, or is documented to read, and no client may send; the value says why."""

RELATIVES: Final[frozenset[str]] = frozenset({"optillm_approach", "decoding", *PARAMETERS, *NEVER_SENT})
"""
Every field that means something to OptiLLM only, so that no other deployment should see it.

Fields that OptiLLM shares with the rest of the world (`n`, `temperature`, `top_p`, `top_k`, `timeout`) are
not among them.
"""


def readable(approaches: Iterable[str]) -> Mapping[str, Parameter]:
    """Return the parameters that one of `approaches` reads and that may be sent."""
    parts = READERS.intersection(approaches)
    if not parts:  # of nearly every request
        return {}
    return {
        name: parameter
        for name, parameter in PARAMETERS.items()
        if parameter.approaches & parts and not parameter.server_wide
    }
