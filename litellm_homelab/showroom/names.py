"""One request, one name: the places where a request names its model must agree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from litellm_homelab import refusals
from litellm_homelab.decision import Refuse
from litellm_homelab.optillm import lineage

Place: TypeAlias = Literal["body", "extra_body", "form", "query", "header", "path", "id"]
"""Where a request may name a model: all that LiteLLM 1.106.2 reads one from, on some route."""

PREFIX: Final = "models/"
"""What Google's SDKs put before a name."""
INSIDE: Final[frozenset[Place]] = frozenset({"body", "extra_body", "form"})
"""Places that are ignored where the path names a model: Azure's SDK sends a model of its own there."""
WORDS: Final[dict[Place, str]] = {
    "body": "the body's `model`",
    "extra_body": "the `model` in `extra_body`",
    "form": "the form's `model`",
    "query": "`?model=`",
    "header": "the header `x-litellm-model`",
    "path": "the path",
    "id": "an id",
}


@dataclass(frozen=True, slots=True)
class Named:
    """A name of a model as a request has it, and where; for an id the group that it leads to."""

    place: Place
    value: object


def bare(value: object) -> object:
    """A name without lineage token and `models/`; anything else as it is."""
    return value.split(lineage.MARKER, 1)[0].removeprefix(PREFIX) if isinstance(value, str) else value


def disagreement(named: Iterable[Named]) -> Refuse | None:
    """
    The refusal of a request that names its model differently in two places, or twice in one.

    Names are compared as they are, case and white space included; null and the empty text are not names. A
    name in the path takes the place of the body's, which is then not compared.
    """
    every = [one for one in named if one.value is not None and one.value != ""]
    by_path = any(one.place == "path" for one in every)
    compared = [one for one in every if not (by_path and one.place in INSIDE)]
    for other in compared[1:]:
        if bare(other.value) != bare(compared[0].value):
            return refusals.two_models(WORDS[compared[0].place], WORDS[other.place])
    return None
