"""The gateway's environment file: ``env.local``, made from ``env.example`` with fresh secrets."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PLACEHOLDERS: Final[Mapping[str, str]] = {"generate": "", "sk-generate": "sk-"}
"""A value in ``env.example`` that is exactly one of these becomes a fresh secret with that prefix."""

_ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)")
_COMMENTED_OUT = re.compile(r"#\s*(?P<name>[A-Za-z_][A-Za-z0-9_]*)=")
# What `set -a; . env.local` would read otherwise than literally.
_SHELL_SYNTAX = re.compile(r"""[\s'"\\$`;&|<>()]|^~|:~""")


class EnvironmentFileError(ValueError):
    """The file cannot be used; the text lists every problem, one per line."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Variables by name, and what the operator should know about where they came from."""

    values: Mapping[str, str]
    notes: tuple[str, ...] = ()


def parse(text: str, path: str) -> dict[str, str]:
    """
    Read plain ``NAME=value`` lines; ``#`` starts a comment line.

    A value that a shell would read otherwise is refused, so that ``set -a; . FILE`` gives the same values.

    Raises:
        EnvironmentFileError: a line is something else, or a value is not plain.

    """
    values: dict[str, str] = {}
    problems: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        assignment = line.strip(" \t")
        if not assignment or assignment.startswith("#"):
            continue
        match = _ASSIGNMENT.fullmatch(assignment)
        if match is None:
            name = assignment.partition("=")[0]  # never the value: it may be a key
            problems.append(f"{path}:{number}: {name!r} is not a name (valid: NAME=value, without `export`)")
        elif (syntax := _SHELL_SYNTAX.search(match["value"])) is not None:
            problems.append(
                f"{path}:{number}: {match['name']}: its value has {syntax[0]!r}, which a shell would not "
                "read as it is written (valid: a plain value without spaces, quotes or $)"
            )
        else:
            values[match["name"]] = match["value"]
    if problems:
        raise EnvironmentFileError("\n".join(problems))
    return values


def repeated(text: str, path: str) -> list[str]:
    """One line for each name that a file sets more than once: the last value counts, as in a shell."""
    lines: dict[str, list[int]] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        match = _ASSIGNMENT.fullmatch(line.strip(" \t"))
        if match is not None:
            lines.setdefault(match["name"], []).append(number)
    return [
        f"{path}: {name} is set on lines {', '.join(map(str, numbers))}; the last one counts, "
        "remove the others"
        for name, numbers in lines.items()
        if len(numbers) > 1
    ]


def placeholders(values: Mapping[str, str], path: str) -> list[str]:
    """One line for each value that is still a placeholder of ``env.example``, which is public."""
    return [
        f"{path}: {name} still has the placeholder {value!r} of env.example; write a secret of your own "
        f"there (`echo {PLACEHOLDERS[value]}$(openssl rand -hex 16)` makes one), or delete the file and let "
        "`make run` write it"
        for name, value in values.items()
        if value in PLACEHOLDERS
    ]


def with_fresh_secrets(text: str) -> str:
    """The same lines, with a secret of 128 random bits in the place of each placeholder value."""
    return "\n".join(_fresh(line) for line in text.split("\n"))


def _fresh(line: str) -> str:
    match = _ASSIGNMENT.fullmatch(line.strip())
    if match is None or match["value"] not in PLACEHOLDERS:
        return line
    # Hexadecimal: no secret may look like an option (-x), and one without prefix must not start with sk-,
    # which OptiLLM would send on to its upstream (measured on OptiLLM 0.4.0).
    return f"{match['name']}={PLACEHOLDERS[match['value']]}{secrets.token_hex(16)}"


def prepare(example: Path, local: Path) -> Environment:
    """
    Read ``local``, made from ``example`` if there is none and never changed after that.

    A name that only ``example`` has gets the example's value, unless ``local`` has it commented out.

    Raises:
        EnvironmentFileError: neither file exists, one cannot be used, or ``local`` still has placeholders.

    """
    if not example.exists() and not local.exists():
        raise EnvironmentFileError(f"{local}: no such file, and no {example} to make it from")
    template = with_fresh_secrets(example.read_text()) if example.exists() else ""
    notes = []
    if not local.exists():
        _write_private(local, template)
        notes.append(f"{local}: made from {example}, with fresh keys")
    text = local.read_text()
    values, defaults = parse(text, str(local)), parse(template, str(example))
    if unchanged := placeholders(values, str(local)):
        raise EnvironmentFileError("\n".join(unchanged))
    notes += repeated(text, str(local))
    missing = [name for name in defaults if name not in values and name not in _commented_out(text)]
    if missing:
        notes.append(
            f"{local}: lacks {', '.join(missing)}: as in {example} for this start; add the lines to keep them"
        )
    return Environment({name: defaults[name] for name in missing} | values, tuple(notes))


def _commented_out(text: str) -> set[str]:
    return {match["name"] for line in text.split("\n") if (match := _COMMENTED_OUT.match(line.strip()))}


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
