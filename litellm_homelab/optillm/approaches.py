"""The grammar of `optillm_approach`, and whether a handle allows what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from litellm_homelab.optillm.catalogue import CATALOGUE, PREFIXES, Selector

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

Operator: TypeAlias = Literal["single", "and", "or"]

_SIGNS: Final[dict[str, Operator]] = {"&": "and", "|": "or"}

MAX_PARTS: Final = 64
"""Parts of one combination. OptiLLM has no bound (40 measured); this one keeps the work of a rule bounded."""

_SHOWN: Final = 60
"""Characters of a caller's text that an error repeats."""


@dataclass(frozen=True, slots=True)
class Approach:
    """An approach as OptiLLM runs it: one, several in turn (`and`), or several side by side (`or`)."""

    operator: Operator
    parts: tuple[str, ...]

    @property
    def text(self) -> str:
        """The text that OptiLLM parses back to this very approach: the only form that is ever sent."""
        return {"single": "", "and": "&", "or": "|"}[self.operator].join(self.parts)

    @property
    def is_none(self) -> bool:
        """True for `none`, which is sent to OptiLLM as no approach at all."""
        return self.parts == ("none",)

    @property
    def selector(self) -> Selector:
        """The body field that selects it in OptiLLM."""
        return CATALOGUE[self.parts[0]].selector


NONE: Final = Approach("single", ("none",))
"""The plain pass-through."""


@dataclass(frozen=True, slots=True)
class InvalidApproach:
    """Why a text is not an approach here: `reason` is a sentence for the person who wrote it."""

    reason: str


def parse(text: object) -> Approach | InvalidApproach:
    """
    Read the value of `optillm_approach` as OptiLLM 0.4.0 and 0.3.12 would, refusing what they would bend.

    One name, or names joined by `&` (in turn) or by `|` (side by side), repeats allowed. OptiLLM puts
    the text and a dash before the model name and reads that, so whatever it does not know becomes part of
    the model's name: spaces, case and dashes are therefore a problem here, never repaired.
    """
    if not isinstance(text, str):
        return InvalidApproach(
            f"optillm_approach must be a text, got {_kind(text)}; leave it out for the default"
        )
    if not text.strip():
        return InvalidApproach("optillm_approach is empty; leave it out for the default")
    signs = [sign for sign in _SIGNS if sign in text]
    if len(signs) > 1:
        return InvalidApproach(
            f"approach {_shown(text)} mixes & with |; OptiLLM would read | as part of a name"
        )
    return _combination(text, signs[0]) if signs else _single(text)


def _single(text: str) -> Approach | InvalidApproach:
    problem = _name_problem(text)
    return InvalidApproach(problem) if problem else Approach("single", (text,))


def _combination(text: str, sign: str) -> Approach | InvalidApproach:
    parts = tuple(text.split(sign, MAX_PARTS))
    if len(parts) > MAX_PARTS:
        return InvalidApproach(f"approach {_shown(text)} has more than {MAX_PARTS} parts")
    for part in parts:
        problem = _name_problem(part) or _part_problem(part)
        if problem:
            return InvalidApproach(f"approach {_shown(text)}: {problem}")
    return Approach(_SIGNS[sign], parts)


def _name_problem(name: str) -> str | None:
    if name in CATALOGUE:
        return None
    tidy = name.strip().lower()
    if not tidy:
        return "a part is empty"
    if tidy == "auto":
        return "auto would let the model name choose the approach; name one"
    if tidy in CATALOGUE:
        return f"{_shown(name)} must be written {tidy!r}: no spaces, lower case"
    if "-" in name:
        return f"{_shown(name)} contains a dash; what follows it would become part of the model's name"
    return f"unknown approach {_shown(name)}"


def _part_problem(name: str) -> str | None:
    if name == "none":
        return "none cannot be combined with other approaches"
    if CATALOGUE[name].selector is Selector.DECODING:
        return f"{name} works inside OptiLLM's own inference and cannot be combined"
    return None


def decide(asked: Sequence[object], allowed: Collection[str], default: str) -> Approach | InvalidApproach:
    """
    Choose the approach of one request to one handle.

    `asked` has every value that the client gave (body field, `extra_body`, name prefix; a JSON null is a
    value), none at all meaning `default`. Values that differ are a problem: OptiLLM's precedence among them
    is not the client's to play with. Each part must be in `allowed` by its own name.
    """
    values = list(asked) or [default]
    if any(type(value) is not type(values[0]) or value != values[0] for value in values[1:]):
        return InvalidApproach(f"the request names more than one approach: {_listed(values)}")
    approach = parse(values[0])
    if isinstance(approach, InvalidApproach):
        return InvalidApproach(f"{approach.reason} ({_allowed(allowed)})")
    refused = [part for part in dict.fromkeys(approach.parts) if part not in allowed]
    if refused:
        return InvalidApproach(f"approach {', '.join(refused)} is not allowed here ({_allowed(allowed)})")
    return approach


def split_prefix(name: str, handles: Collection[str]) -> tuple[str, str] | None:
    """
    Split `moa-boost` into approach text and handle, or None for any other name.

    A name that is itself a handle is that handle. The text before the first dash is the approach (no
    approach contains a dash); whether it is allowed is for `decide`.
    """
    text, dash, handle = name.partition("-")
    if not dash or name in handles or handle not in handles:
        return None
    return None if isinstance(parse(text), InvalidApproach) else (text, handle)


def eaten_by_optillm(name: str) -> bool:
    """
    Whether OptiLLM would take the start of this model name for an approach.

    The rule of `parse_combined_approach` in both versions: the part before the first dash is a known name, or
    contains `&` or `|`. Plugins that an operator adds are not known here.
    """
    first = name.partition("-")[0]
    return first in PREFIXES or "&" in first or "|" in first


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "a truth value", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")


def _listed(values: Sequence[object]) -> str:
    return ", ".join(_shown(value) if isinstance(value, str) else _kind(value) for value in values[:4])


def _allowed(allowed: Collection[str]) -> str:
    return f"allowed: {', '.join(allowed)}" if allowed else "no approach is allowed"
