"""The changed text of a router.yaml that is brought in line with its registry and its ensembles."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from litellm_homelab.adopt import edits
from litellm_homelab.adopt.drafts import stopping
from litellm_homelab.config import text_file, yaml_text
from litellm_homelab.config.references import ENV_PREFIX, is_unset
from litellm_homelab.config.wording import reason, shown
from litellm_homelab.sync import ensembles, models, patches, reading, sources
from litellm_homelab.sync.facts import SyncFacts, SyncSources
from litellm_homelab.sync.plan import SyncPlan
from litellm_homelab.sync.reading import NothingToSync

if TYPE_CHECKING:
    from litellm_homelab.config.settings import Known

__all__ = ["NothingToSync", "SyncRequest", "Synchronised", "synchronise"]

STEPS: Final = (models.add, ensembles.bring_in, ensembles.remove_gone, models.remove_gone, models.set_limits)
"""Each sees the file as those before it leave it: what one removes, the next does not count on."""
ROUNDS: Final = 8
"""How often the steps may have something to change; two are usual: what one removes may free a name."""
NUMBER: Final = re.compile(r"\[\d+\]")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """A router.yaml, and the files that `--registry` and `--ensembles` name in the place of its own."""

    path: Path
    registry: Path | None = None
    ensembles: Path | None = None


@dataclass(frozen=True, slots=True)
class Synchronised:
    """A changed file."""

    before: str
    after: str
    notes: tuple[str, ...]
    left: tuple[str, ...]
    """What a person has to do, what the start would stop for since the change among it."""


def synchronise(request: SyncRequest, environ: Mapping[str, str], known: Known) -> Synchronised:
    """
    Draft the changes of a file.

    Raises:
        OSError, ValueError: a file cannot be read or edited; the text says what to do, a line for each.

    """
    before = text_file.read(request.path)
    document = yaml_text.load(before)
    if not isinstance(document, dict):
        raise NothingToSync(f"expected a mapping at the top, got {shown(document)}")
    ends = "\r\n" if before.count("\n") == before.count("\r\n") > 0 else "\n"
    text, content = before.replace(ends, "\n"), document
    given = _sources(request, reading.facts(request.path, text, content, environ))
    done: list[str] = []
    by_hand: dict[str, None] = {}
    for _ in range(ROUNDS):
        plan, text, content = _round(request.path, text, content, environ, given)
        done += plan.done
        by_hand |= dict.fromkeys(plan.by_hand)
        if not plan.patches:
            break
    else:
        raise NothingToSync("its sources want the same name for two things; rename one of them")
    after = text.replace("\n", ends)
    edits.check(after, content)
    left = (*by_hand, *plan.left, *_stopping_now(document, content, request.path, environ, known))
    return Synchronised(before, after, (*done, *plan.notes), left)


def _round(
    path: Path, text: str, content: dict[str, Any], environ: Mapping[str, str], given: SyncSources
) -> tuple[SyncPlan, str, dict[str, Any]]:
    """All steps once: what they decided, and the file as they leave it."""
    whole = SyncPlan()
    for step in STEPS:
        plan = SyncPlan()
        step(reading.facts(path, text, content, environ, given), plan)
        text, content = patches.applied(text, content, plan.patches)
        whole.add(plan)
    return whole, text, content


def _stopping_now(
    before: Mapping[str, Any], after: Mapping[str, Any], path: Path, environ: Mapping[str, str], known: Known
) -> list[str]:
    """What the start would stop for since the change; an entry that has another number now is the same."""
    stopped = {NUMBER.sub("[]", one) for one in stopping(before, path, environ, known)}
    found = stopping(after, path, environ, known)
    return [one for one in found if NUMBER.sub("[]", one) not in stopped]


def _sources(request: SyncRequest, facts: SyncFacts) -> SyncSources:
    registry = request.registry or _named(facts)
    listed = request.ensembles or _found(facts.folder, registry)
    if registry is None and listed is None:
        raise NothingToSync(
            "there is nothing to bring it in line with: write `registry: registry.json` under "
            "homelab.showroom, or name a file with --registry FILE or --ensembles FILE"
        )
    if listed is not None and not facts.homelab:
        raise NothingToSync(
            f"{listed}: needs a `homelab:` section in router.yaml; `litellm-homelab init` drafts one"
        )
    return SyncSources(
        None if registry is None else _read(sources.read_registry, registry),
        None if listed is None else _read(sources.read_ensembles, listed),
    )


def _named(facts: SyncFacts) -> Path | None:
    """The registry that router.yaml names."""
    found = facts.section("showroom").get("registry")
    if is_unset(found):
        raise NothingToSync(
            f"homelab.showroom.registry: {str(found).removeprefix(ENV_PREFIX)} is not set; set it, name the "
            "file that has it with --env, or name a registry with --registry"
        )
    return facts.folder / found if found else None


def _found(folder: Path, registry: Path | None) -> Path | None:
    """An `ensembles.jsonl` beside router.yaml, or beside the registry."""
    places = (folder, registry.parent if registry else folder)
    return next((one / sources.ENSEMBLES for one in places if (one / sources.ENSEMBLES).is_file()), None)


def _read(read: Callable[[Path], Found], path: Path) -> Found:
    try:
        return read(path)
    except OSError as error:
        raise NothingToSync(
            f"{path}: {error.strerror}; name another with --registry or --ensembles"
        ) from error
    except UnicodeDecodeError as error:
        raise NothingToSync(f"{path}: {reason(error)}") from error
    except ValueError as error:
        raise NothingToSync("\n".join(f"{path}: {one}" for one in str(error).split("\n"))) from error
