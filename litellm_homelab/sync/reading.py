"""Reads what a synchronisation starts from out of a router.yaml and the files that it includes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from litellm_homelab.config import includes, references, router_file
from litellm_homelab.config.references import is_unset
from litellm_homelab.config.yaml_text import section_of
from litellm_homelab.showroom import handles
from litellm_homelab.sync import ensembles, shapes
from litellm_homelab.sync.facts import SyncFacts, SyncSources
from litellm_homelab.sync.patches import commented_items

NO_SOURCES: Final = SyncSources()


class NothingToSync(ValueError):
    """There is no source, or a file cannot be used; the message says what is missing, a line for each."""


def facts(
    path: Path,
    text: str,
    content: Mapping[str, Any],
    environ: Mapping[str, str],
    sources: SyncSources = NO_SOURCES,
) -> SyncFacts:
    """
    What is known of a router.yaml, whose `text` has lines that end with a newline alone.

    Raises:
        NothingToSync: a part of it, or of a file that it includes, has another shape than it should.

    """
    router, homelab, included = read(path, content, environ)
    named = section_of(homelab, "showroom").get("handles_file")
    found, problems = handles.read(path.parent, None if is_unset(named) else named)
    if problems:
        raise NothingToSync("\n".join(problems))
    return SyncFacts(
        content=content,
        router=router,
        homelab=homelab,
        folder=path.parent,
        sources=sources,
        included=included,
        marked=commented_items(text, "model_list", "model_name", ensembles.MARK),
        listed=frozenset(found),
    )


def read(
    path: Path, content: Mapping[str, Any], environ: Mapping[str, str]
) -> tuple[router_file.RouterFile, Mapping[str, Any], Mapping[str, Mapping[Any, Any]]]:
    """
    A router.yaml with what it includes, its `homelab:` section resolved, and the included files by name.

    Raises:
        NothingToSync: as `facts`.

    """
    merged = includes.merged(content, path)
    included = {_name(place, path.parent): one.content for place, one in merged.files.items()}
    wrong = [*merged.problems, *shapes.problems(content)]
    wrong += [f"{name}: {one}" for name, each in included.items() for one in shapes.problems(each)]
    if wrong:
        raise NothingToSync("\n".join(wrong))
    router, homelab = router_file.read(merged.content, str(path), environ)
    late = references.late_values(router.document.get("environment_variables"), environ)
    return router, _resolved(homelab, {**dict(late), **environ}), included


def _name(place: str, folder: Path) -> str:
    """An included file's name, as seen from router.yaml's folder where it is below it."""
    found, near = Path(place), folder.absolute()
    return str(found.relative_to(near)) if found.is_relative_to(near) else place


def _resolved(value: Any, environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - YAML of any shape
    """A section with its references resolved, in lists too, as our own settings are read."""
    if isinstance(value, dict):
        return {key: _resolved(one, environ) for key, one in value.items()}
    if isinstance(value, list):
        return [_resolved(one, environ) for one in value]
    return references.resolve(value, environ)
