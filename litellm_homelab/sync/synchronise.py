"""The changed text of a router.yaml that is brought in line with its registry and its ensembles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from litellm_homelab.adopt import edits
from litellm_homelab.adopt.drafts import stopping
from litellm_homelab.config import includes, references, router_file, text_file, yaml_text
from litellm_homelab.showroom import handles
from litellm_homelab.sync import ensembles, models, patches, sources
from litellm_homelab.sync.plan import SyncFacts, SyncPlan

if TYPE_CHECKING:
    from litellm_homelab.config.settings import Known


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


class NothingToSync(ValueError):
    """There is no source, or a source cannot be read; the message says what is missing."""


def synchronise(request: SyncRequest, environ: Mapping[str, str], known: Known) -> Synchronised:
    """
    Draft the changes of a file.

    Raises:
        OSError, ValueError: a file cannot be read or edited; the text says what to do.

    """
    before = text_file.read(request.path)
    document = yaml_text.load(before)
    if not isinstance(document, dict):
        raise NothingToSync("expected a mapping at the top")
    facts = _facts(request, before, document, environ)
    plan = SyncPlan()
    models.decide(facts, plan)
    ensembles.decide(facts, plan)
    ends = "\r\n" if before.count("\n") == before.count("\r\n") > 0 else "\n"
    after, expected = patches.applied(before.replace(ends, "\n"), document, plan.patches)
    after = after.replace("\n", ends)
    edits.check(after, expected)
    stopped = stopping(document, request.path, environ, known)
    new = [one for one in stopping(expected, request.path, environ, known) if one not in stopped]
    return Synchronised(before, after, tuple(plan.notes), (*plan.left, *new))


def _facts(
    request: SyncRequest, text: str, document: dict[str, Any], environ: Mapping[str, str]
) -> SyncFacts:
    folder = request.path.parent
    merged = includes.merged(document, request.path).content
    router, _ = router_file.read(merged, str(request.path), environ)
    showroom = (document.get("homelab") or {}).get("showroom") or {}
    registry = request.registry or _named(folder, showroom.get("registry"), environ)
    listed = request.ensembles or _found(folder, registry)
    if registry is None and listed is None:
        raise NothingToSync(
            "there is no source: write `registry: registry.json` under homelab.showroom, "
            "or use --registry FILE"
        )
    if listed is not None and not document.get("homelab"):
        raise NothingToSync(f"{listed}: needs a `homelab:` section; `litellm-homelab init` drafts one")
    names, _ = handles.read(folder, showroom.get("handles_file"))
    return SyncFacts(
        content=document,
        router=router,
        folder=folder,
        registry=_read(sources.read_registry, registry),
        ensembles=_read(sources.read_ensembles, listed),
        marked=_marked(text),
        listed=frozenset(names),
    )


def _named(folder: Path, name: object, environ: Mapping[str, str]) -> Path | None:
    found = references.resolve(name, environ)
    return folder / found if isinstance(found, str) and found else None


def _found(folder: Path, registry: Path | None) -> Path | None:
    """An `ensembles.jsonl` beside router.yaml, or beside the registry."""
    places = (folder, registry.parent if registry else folder)
    return next((one / sources.ENSEMBLES for one in places if (one / sources.ENSEMBLES).is_file()), None)


def _read(read: Any, path: Path | None) -> Any:  # noqa: ANN401 - either of two readers
    if path is None:
        return None
    try:
        return read(path)
    except OSError as error:
        raise NothingToSync(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise NothingToSync(f"{path}: {error}") from error


def _marked(text: str) -> frozenset[str]:
    """Groups whose line says that a run of this command has added them."""
    lines = (line.partition("#") for line in text.splitlines() if line.rstrip().endswith(ensembles.MARK))
    return frozenset(
        str(one.get("model_name"))
        for before, _, _ in lines
        for one in (yaml_text.load(before.strip().removeprefix("- ")),)
        if isinstance(one, dict)
    )
