"""Wildcard groups (`model_name: ollama/*`): which concrete name leads to which model, as LiteLLM finds it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from litellm_homelab.config.deployments import Deployment

STAR: Final = "*"
SPECIAL: Final = "*+?\\^$|()"


def is_wildcard(group: str) -> bool:
    """Whether a `model_name` matches many names."""
    return STAR in group


@lru_cache(maxsize=512)
def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", "(.*)"))


def concrete(pattern: str, model: str, name: str) -> str | None:
    """
    The model of a deployment of the group `pattern` for a request for `name`; None where it is not below.

    As `PatternMatchRouter` does it, prefix match included (LiteLLM 1.106.2).
    """
    match = _regex(pattern).match(name)
    if match is None:
        return None
    if STAR not in model:
        return model
    if len(match.groups()) > model.count(STAR):
        return name
    for segment in match.groups():
        model = model.replace(STAR, segment, 1)
    return model


def group_for(name: str, patterns: Iterable[str]) -> str | None:
    """The wildcard group that LiteLLM takes a name to: the longest pattern comes first (1.106.2)."""
    found = [one for one in patterns if _regex(one).match(name)]
    return max(found, key=_specificity, default=None)


def _specificity(pattern: str) -> tuple[int, int]:
    text = _regex(pattern).pattern
    return len(text), sum(text.count(one) for one in SPECIAL)


def below(groups: Mapping[str, Sequence[Deployment]], names: Iterable[str]) -> Iterator[Deployment]:
    """
    Deployments for concrete names below wildcard groups: those of the wildcard, with the name and the model.

    A name that is a group of its own, or below none, has none.
    """
    patterns = [group for group in groups if is_wildcard(group)]
    for name in dict.fromkeys(names):
        if name in groups or is_wildcard(name):
            continue
        pattern = group_for(name, patterns)
        for one in groups[pattern] if pattern is not None else ():
            model = concrete(one.group, one.model, name)
            yield replace(one, group=name, model=model or one.model, wildcard=one.group)


def same_model(sent: object, model: str) -> bool:
    """
    Whether an attempt's model is a deployment's, its provider apart.

    LiteLLM's nested calls leave the provider out; the rule of attempts compares the rest.
    """
    if not isinstance(sent, str):
        return False
    return not {sent, sent.partition("/")[2]}.isdisjoint({model, model.partition("/")[2]} - {""})
