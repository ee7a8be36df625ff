"""Reads router.yaml and checks all of it; every problem is reported at once, with its path."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from litellm_homelab.access import callers, openings
from litellm_homelab.advisories import checks as advisories_checks
from litellm_homelab.backends import checks as backends_checks
from litellm_homelab.config import (
    address_checks,
    entry_points,
    file_checks,
    includes,
    key_checks,
    promises,
    references,
    router_file,
    rust_checks,
    shape,
    text_file,
    yaml_text,
)
from litellm_homelab.config.findings import sorted_out
from litellm_homelab.config.includes import MergedFile
from litellm_homelab.config.references import ENV_PREFIX
from litellm_homelab.config.router_file import RouterFile
from litellm_homelab.config.sections import Homelab
from litellm_homelab.config.settings import Known, Settings, SettingsError
from litellm_homelab.config.wording import hide_keys, one_line, reason
from litellm_homelab.config.yaml_text import NotReadable
from litellm_homelab.fields import checks as fields_checks
from litellm_homelab.optillm import checks as optillm_checks
from litellm_homelab.page import checks as page_checks
from litellm_homelab.quotas import checks as quotas_checks
from litellm_homelab.showroom import discover_checks, placement
from litellm_homelab.showroom import handles as handles_room
from litellm_homelab.showroom import registry as registry_room
from litellm_homelab.timeouts import checks as timeouts_checks


def load(path: str | Path, environ: Mapping[str, str] | None = None, known: Known | None = None) -> Settings:
    """
    Read and check the router.yaml that LiteLLM was started with.

    `environ` defaults to the process environment. Messages name the file as `path` does.

    Raises:
        SettingsError: with every problem found, one a line.

    """
    environ = os.environ if environ is None else environ
    try:
        text = text_file.read(Path(path))
    except (OSError, ValueError) as error:
        raise SettingsError([f"{path}: {reason(error)}"]) from error
    return parse(text, path=path, environ=environ, known=known or Known())


def parse(text: str, *, path: str | Path, environ: Mapping[str, str], known: Known) -> Settings:
    """Check a router.yaml's text; relative file names in it are relative to `path`'s folder."""
    try:
        document = yaml_text.load(text)
    except NotReadable as error:
        raise SettingsError(_lines(path, [str(error)])) from error
    return check(document, path=path, environ=environ, known=known)


def check(document: object, *, path: str | Path, environ: Mapping[str, str], known: Known) -> Settings:
    """As `parse`, of what the YAML contains."""
    try:
        settings, found = examined(document, path=path, environ=environ, known=known)
    except NotReadable as error:
        raise SettingsError(_lines(path, [str(error)])) from error
    problems, cautions = sorted_out(found)
    if problems or settings is None:
        raise SettingsError(_lines(path, problems))
    return replace(settings, warnings=_lines(path, cautions))


def examined(
    document: object,
    *,
    path: str | Path,
    environ: Mapping[str, str],
    known: Known,
    merged: MergedFile | None = None,
) -> tuple[Settings | None, list[str]]:
    """
    The settings, None where the shape of `homelab:` is wrong, and every finding: problems and `Caution`s.

    `merged` is the document with what it includes, where that was read already.

    Raises:
        NotReadable: the document is not a mapping, or its `homelab:` section is not.

    """
    whole = includes.merged(document, Path(path)) if merged is None else merged
    router, raw = router_file.read(whole.content, str(path), environ)
    unset: dict[str, str] = {}
    later = references.late_values(router.document.get("environment_variables"), environ)
    resolved = _resolve(raw, "homelab", {**dict(later), **environ}, unset)
    homelab, wrong = shape.validate(resolved)
    found = [*file_checks.unset_problems(unset.items()), *entry_points.problems(router, homelab, environ)]
    found += [*file_checks.router_problems(router, known)]
    found += [*address_checks.problems(router, environ, vault=file_checks.has_vault(router))]
    found += [*whole.problems, *key_checks.problems(router, environ)]
    if homelab is None:
        return None, [*wrong, *found]
    settings, own = _assembled(homelab, router, Path(path).parent, environ, known)
    own += [*fields_checks.problems(settings, known), *optillm_checks.problems(settings, environ, known)]
    own += [*backends_checks.problems(settings), *quotas_checks.problems(settings, known.today)]
    own += [*advisories_checks.problems(homelab, known.version), *promises.cautions(settings)]
    own += [*rust_checks.problems(settings, environ)]
    own += [*timeouts_checks.problems(settings), *page_checks.problems(settings)]
    found += [one for one in own if one.split(": ", 1)[0] not in unset]
    return settings, found


def _lines(path: str | Path, findings: Iterable[str]) -> tuple[str, ...]:
    """Findings as they are printed: the file before each, and nothing that looks like a key."""
    return tuple(one_line(f"{path}: {hide_keys(one)}") for one in findings)


def _assembled(
    homelab: Homelab, router: RouterFile, folder: Path, environ: Mapping[str, str], known: Known
) -> tuple[Settings, list[str]]:
    """The settings with the files that they name, and what is wrong with either."""
    showroom = homelab.showroom
    lines, file_problems = handles_room.read(folder, showroom.handles_file)
    entries, registry_problems = registry_room.read(folder, showroom.registry)
    listed = frozenset(showroom.handles)  # the file may repeat what the list has
    settings = Settings(
        homelab=homelab,
        router=router.with_names(
            (*showroom.handles, *lines, *showroom.hidden, *showroom.internal), known.mode_of
        ),
        handles=(*showroom.handles, *(name for name in lines if name not in listed)),
        handles_lines=lines,
        registry=entries,
        master_key=master_key(router, environ),
        folder=folder,
    )
    own = [*file_problems, *registry_problems, *placement.problems(settings, folder)]
    own += discover_checks.problems(settings)
    return settings, [*own, *callers.problems(settings), *openings.problems(settings, known.has_route)]


def master_key(router: RouterFile, environ: Mapping[str, str]) -> str:
    """LiteLLM's master key, empty where there is none."""
    seen = {name: value for name, value in environ.items() if name not in router.late}
    key = references.resolve(router.sections.get("general_settings", {}).get("master_key"), seen)
    return key if isinstance(key, str) else environ.get("LITELLM_MASTER_KEY", "")


def _resolve(value: object, where: str, environ: Mapping[str, str], unset: dict[str, str]) -> object:
    """The section with its environment references resolved; those that are not set go to `unset`."""
    if isinstance(value, dict):
        return {key: _resolve(item, f"{where}.{key}", environ, unset) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, f"{where}[{n}]", environ, unset) for n, item in enumerate(value)]
    resolved = references.resolve(value, environ)
    if references.is_unset(resolved):
        unset[where] = str(value).removeprefix(ENV_PREFIX)
    return resolved
