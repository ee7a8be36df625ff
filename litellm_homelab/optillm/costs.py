"""How many calls an approach makes back to the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

from litellm_homelab.optillm.parameters import PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from litellm_homelab.optillm.approaches import Approach

    Formula: TypeAlias = Callable[[Mapping[str, object], int], int]


@dataclass(frozen=True, slots=True)
class Cost:
    """
    Calls of one run of an approach with OptiLLM's defaults.

    `usual` was measured on OptiLLM 0.4.0 and 0.3.12 with an obliging model; `worst` is the most that the
    source allows, such as an upstream that rejects `n` > 1. Where `open_ended` the model's own answer sets
    the number, and only the running count can hold it. Repeats by OptiLLM's client after a failed call
    (up to 2) are not calls of the approach and not counted.
    """

    usual: int
    worst: int
    open_ended: bool = False


COSTS: Final[Mapping[str, Cost]] = MappingProxyType(
    {
        "none": Cost(1, 1),
        "mcts": Cost(14, 14),
        "bon": Cost(4, 7),
        "moa": Cost(3, 6),
        "rto": Cost(3, 4),
        "z3": Cost(2, 6),
        "self_consistency": Cost(5, 5),
        "pvg": Cost(17, 17),
        "rstar": Cost(25, 25),
        "cot_reflection": Cost(1, 1),
        "plansearch": Cost(4, 4),
        "leap": Cost(7, 7, open_ended=True),  # 3 and 2 more for each example that the model sees: 2 measured
        "re2": Cost(1, 1),
        "cepo": Cost(48, 48),
        "mars": Cost(118, 118),
        "coc": Cost(4, 4),
        "deepthink": Cost(7, 7),
        "genselect": Cost(2, 6),
        "majority_voting": Cost(1, 9),
        "memory": Cost(2, 2),
        "spl": Cost(2, 3),
        "executecode": Cost(2, 2),
        "mcp": Cost(1, 3),
        "json": Cost(1, 2),
        "router": Cost(1, 26),  # rstar, its dearest choice, and then its own fallback
        "privacy": Cost(1, 1),
        "compact": Cost(1, 1),
        "readurls": Cost(0, 0),
        "web_search": Cost(0, 0),
        "deep_research": Cost(18, 18),
        "proxy": Cost(1, 2, open_ended=True),  # and a probe for each model of its providers
        "longcepo": Cost(0, 0),  # fails before its first call, both versions
        "cot_decoding": Cost(0, 0),  # these five never leave the OptiLLM host
        "entropy_decoding": Cost(0, 0),
        "thinkdeeper": Cost(0, 0),
        "autothink": Cost(0, 0),
        "deepconf": Cost(0, 0),
    }
)
"""Calls by approach name: one entry for each of the catalogue."""

MARS_LIGHT_TOKENS: Final = 4000
"""Up to this many max_tokens mars takes its light configuration (mars.py of both versions)."""

MARS_LIGHT: Final = 15
"""Calls of that configuration, measured."""

MEMORY_CHUNK: Final = 100_000
"""Characters of context that memory reads with one call (memory_plugin.py of both versions)."""


def _mcts(fields: Mapping[str, object], _: int) -> int:
    # A simulation lists actions, tries three, walks `depth` steps of two calls, and rates: 14 for (2, 1).
    depth = int(PARAMETERS["mcts_depth"].read(fields))
    return int(PARAMETERS["mcts_simulations"].read(fields)) * (5 + 2 * depth)


def _mars(fields: Mapping[str, object], _: int) -> int:
    tokens = fields.get("max_completion_tokens")
    if tokens is None:
        tokens = fields.get("max_tokens")
    light = isinstance(tokens, int) and tokens <= MARS_LIGHT_TOKENS
    return MARS_LIGHT if light else COSTS["mars"].worst


def _memory(_: Mapping[str, object], prompt_chars: int) -> int:
    return max(1, -(-prompt_chars // MEMORY_CHUNK)) + 1


def _per(name: str, each: int, more: int) -> Formula:
    """Build the formula of an approach that makes `each` calls per unit of a parameter and `more` besides."""
    return lambda fields, _: each * int(PARAMETERS[name].read(fields)) + more


FORMULAS: Final[Mapping[str, Formula]] = MappingProxyType(
    {
        "mcts": _mcts,
        "mars": _mars,
        "memory": _memory,
        "genselect": _per("num_candidates", 1, 2),
        "majority_voting": _per("k", 1, 1),
        "deepthink": _per("deepthink_samples", 1, 4),
        "deep_research": _per("max_iterations", 3, 3),
    }
)
"""Worst case of the approaches whose number of calls a request can change; with no field given, `COSTS`'."""


def estimate(approach: Approach, n: int, params: Mapping[str, object], *, prompt_chars: int = 0) -> int:
    """
    Return the most calls that a request can cause, before any is made.

    The parts of a combination add up, in turn or side by side; `n` runs the whole again, except for `none`,
    which passes it on (all measured). `params` are the fields as they will be sent: one that
    is missing, or of the wrong type, counts with OptiLLM's default. `prompt_chars` matters to `memory` only.
    """
    calls = sum(_one(part, params, prompt_chars) for part in approach.parts)
    return calls if approach.is_none else calls * max(n, 0)


def _one(name: str, params: Mapping[str, object], prompt_chars: int) -> int:
    formula = FORMULAS.get(name)
    return formula(params, prompt_chars) if formula else COSTS[name].worst
