"""Checks a router.yaml: the start's own findings and the rules of this package, each with its place."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from litellm_homelab.check import env_file, optillm_file, positions, start_ids
from litellm_homelab.check.document import Document
from litellm_homelab.check.finding import Finding, Severity
from litellm_homelab.check.names import installed_version, known_litellm, own_port
from litellm_homelab.check.positions import Mark, Positions
from litellm_homelab.check.registry import CHECKS
from litellm_homelab.config import includes, loading, router_file, text_file, yaml_text
from litellm_homelab.config.findings import Caution
from litellm_homelab.config.wording import hide_keys, one_line, reason
from litellm_homelab.config.yaml_text import NotReadable

UNSET_AT_THE_START = frozenset({start_ids.UNSET, "variable-unset-key"})


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What to check, and with what."""

    path: Path
    env: Path | None = None
    optillm: Path | None = None
    litellm: str | None = None
    """LiteLLM's version; None for the one that is installed."""
    text: str | None = None
    """The file's text, where it comes from elsewhere; file names in it are relative to `path`."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was found, in the order of the files."""

    findings: tuple[Finding, ...]
    unset: tuple[str, ...] = ()
    """Variables that the file names and that are not known here; empty with an environment file."""
    unusable: bool = False
    """Whether the file could not be read at all."""


def check_file(request: CheckRequest, environ: Mapping[str, str] | None = None) -> CheckReport:
    """
    Check one file with what belongs to it.

    `environ` defaults to the environment of this process; the variables of `request.env` count before it.
    """
    known = dict(os.environ if environ is None else environ)
    found: list[Finding] = []
    if request.env is not None:
        values, found = env_file.read(request.env, str(request.env), order=1000)
        known |= values
    if request.optillm is not None:
        found += _optillm(request.optillm, known)
    report = _router(request, known)
    once = dict.fromkeys((*report.findings, *found))
    ordered = sorted(once, key=lambda one: (one.order, one.line, one.column))
    return CheckReport(tuple(ordered), report.unset, report.unusable)


def _router(request: CheckRequest, environ: Mapping[str, str]) -> CheckReport:
    file = str(request.path)
    try:
        text = text_file.read(request.path) if request.text is None else request.text
    except (OSError, ValueError) as error:
        return CheckReport((_unreadable(file, reason(error)),), unusable=True)
    try:
        document = yaml_text.load(text)
    except NotReadable as error:
        return CheckReport((_unreadable(file, str(error)),))
    return _document(request, text, document, environ)


def _document(request: CheckRequest, text: str, document: object, environ: Mapping[str, str]) -> CheckReport:
    file, version = str(request.path), installed_version() if request.litellm is None else request.litellm
    merged = includes.merged(document, request.path)
    try:
        settings, said = loading.examined(
            document, path=file, environ=environ, known=known_litellm(environ, version), merged=merged
        )
        router, _ = router_file.read(merged.content, file, environ)
    except NotReadable as error:
        return CheckReport((_unreadable(file, str(error)),))
    where = positions.read(text, file, document, merged.files)
    doc = Document(
        path=request.path,
        content=router.document,
        router=settings.router if settings else router,
        settings=settings,
        environ=environ,
        version=version,
        has_environment=request.env is not None,
    )
    started, unset = _of_the_start(said, where, doc, with_env=request.env is not None)
    return CheckReport((*started, *_of_the_rules(doc, where)), unset)


def _of_the_rules(doc: Document, where: Positions) -> Iterator[Finding]:
    for one in CHECKS:
        for place, text in one.find(doc):
            message = f"{place}: {text}" if place else text
            yield _finding(one.message.id, one.message.severity, where.of(place), place, message)


def _of_the_start(
    said: list[str], where: Positions, doc: Document, *, with_env: bool
) -> tuple[list[Finding], tuple[str, ...]]:
    """The start's findings; without an environment file, variables that are not set are left out of them."""
    ids = [(start_ids.id_of(one, doc.router.aliases), one) for one in said]
    unset = {one.split(": ", 1)[0]: one for name, one in ids if name in UNSET_AT_THE_START}
    found = []
    for name, text in ids:
        place = text.split(": ", 1)[0]
        if place in unset and (name not in UNSET_AT_THE_START or not with_env):
            continue
        mark = where.of(_spot(place, text, doc))
        setting = place if " " not in place else ""  # a sentence about the file or its environment
        found.append(_finding(name, "warning" if isinstance(text, Caution) else "error", mark, setting, text))
    names = {_variable(one) for one in unset.values()} - {""}  # a name that no variable has
    return found, () if with_env else tuple(sorted(names))


def _spot(place: str, text: str, doc: Document) -> str:
    """Where a message of the start is: those about a group name it behind `model_list: `."""
    if place == "model_list":
        for one in doc.entries:
            if one.name and (f"'{one.name}'" in text or text.startswith(f"model_list: {one.name}")):
                return one.where
    return place if not place.startswith(("LiteLLM", "environment variable")) else ""


def _variable(message: str) -> str:
    return message.partition("the environment variable ")[2].partition(" ")[0]


def _finding(name: str, severity: Severity, mark: Mark, where: str, message: str) -> Finding:
    text = one_line(hide_keys(message))
    return Finding(
        name, severity, mark.file, mark.line, mark.column, one_line(hide_keys(where)), text, mark.order
    )


def _unreadable(file: str, text: str) -> Finding:
    """A file that is not YAML: the message has a line where the parser gives one."""
    place, _, rest = text.partition(": ")
    line, _, column = place.removeprefix("line ").partition(", column ")
    mark = Mark(file, int(line), int(column)) if line.isdecimal() and column.isdecimal() else Mark(file)
    return _finding(start_ids.id_of(text, {}), "error", mark, "", rest if mark.line > 1 or column else text)


def _optillm(path: Path, environ: Mapping[str, str]) -> list[Finding]:
    file, order = str(path), 2000
    try:
        text = text_file.read(path)
        content = yaml_text.load(text)
    except (OSError, ValueError) as error:
        why = str(error) if isinstance(error, NotReadable) else reason(error)
        return [_finding("optillm-file-unreadable", "error", Mark(file, order=order), "", why)]
    where = positions.read(text, file, None)
    found = []
    for name, (place, what) in optillm_file.findings(content, environ, own_port(environ)):
        mark = where.of(place)
        spot = Mark(mark.file, mark.line, mark.column, order)
        found.append(_finding(name, optillm_file.IDS[name].severity, spot, place, f"{place}: {what}"))
    return found
