"""What the start says about advisories: problems that stop it, and cautions for the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from litellm_homelab.advisories import listed, rule
from litellm_homelab.advisories.listed import Advisory
from litellm_homelab.config.findings import Caution
from litellm_homelab.config.wording import did_you_mean, quoted

if TYPE_CHECKING:
    from litellm_homelab.advisories.listed import Advisories
    from litellm_homelab.config.sections import Homelab

WHERE: Final = "homelab.accept_advisories"
UPGRADE: Final = "pip install --upgrade litellm-homelab 'litellm[proxy]>=1.106'"


def problems(homelab: Homelab, version: str, published: Advisories | None = None) -> Iterator[str]:
    """
    Every finding about the running LiteLLM `version` (empty: unknown) and the listed approaches.

    `published` defaults to the data file of this package.
    """
    known = listed.published() if published is None else published
    accepted = homelab.accept_advisories
    for number, name in enumerate(accepted):
        if name not in known.ids:
            yield (
                f"{WHERE}[{number}]: unknown advisory {quoted(name)}{did_you_mean(name, known.ids)} "
                f"(known: {', '.join(one.id for one in known.advisories)})"
            )
    if version and not rule.is_readable(version):
        yield Caution(
            f"LiteLLM {version}: cannot be compared with published advisories (as of {known.date}); check "
            "yourself that it is not older than 1.106"
        )
    for one in rule.concerns(version, known.advisories, accepted):
        yield _about(version, one)
    for handle, lane in homelab.optillm.items():
        for approach, advisory in rule.of_approaches(lane.approaches, known.advisories, accepted):
            yield Caution(
                f"homelab.optillm.{handle}.approaches: {approach}: {advisory.id} (not fixed in any version): "
                f"{advisory.what}; take it off the list, or run that OptiLLM where nothing else runs and add "
                f"`accept_advisories: [{advisory.id!r}]` to homelab"
            )


def _about(version: str, concern: rule.Concern) -> str:
    """One line: what is wrong, what it means here, what to do."""
    advisory = concern.advisory
    hole = f"{_named(advisory)}: {advisory.what}. Here: {advisory.here}"
    if concern.stops:
        return (
            f"LiteLLM {version} has a hole that is known to be exploited: {hole}. {_upgrade(advisory)}; to "
            f"start anyway, add `accept_advisories: [{advisory.id}]` to homelab"
        )
    if concern.accepted:
        return Caution(f"LiteLLM {version}: accepted in {WHERE}: {hole}. {_upgrade(advisory)}")
    return Caution(f"LiteLLM {version} has a known hole: {hole}. {_upgrade(advisory)}")


def _named(advisory: Advisory) -> str:
    return " ".join((advisory.id, *(f"({one})" for one in advisory.aliases[:1])))


def _upgrade(advisory: Advisory) -> str:
    fixed = f"Fixed in {' and '.join(advisory.fixed)}. " if advisory.fixed else ""
    return f"{fixed}Upgrade: {UPGRADE}"
