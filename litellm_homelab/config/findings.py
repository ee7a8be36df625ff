"""What a check finds: a problem, which stops the start, or a caution, which the start logs."""

from __future__ import annotations

from collections.abc import Iterable


class Caution(str):
    """
    A finding that LiteLLM can start with; every other text that a check yields is a problem.

    It reads like one: where it is, what is wrong, what to do.
    """

    __slots__ = ()


def sorted_out(findings: Iterable[str]) -> tuple[list[str], list[str]]:
    """Problems and cautions, each in their order and each once."""
    found = list(dict.fromkeys(findings))
    problems = [one for one in found if not isinstance(one, Caution)]
    return problems, [str(one) for one in found if isinstance(one, Caution)]
