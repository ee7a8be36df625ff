"""What is wrong with an environment file: its lines, placeholders, and names that OptiLLM reads itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from litellm_homelab.check.finding import Finding, MessageId
from litellm_homelab.cli import environment
from litellm_homelab.cli.environment import EnvironmentFileError, with_fresh_secrets
from litellm_homelab.config.wording import hide_keys, one_line
from litellm_homelab.optillm.addresses import LOOPBACK, host_of

IDS: Final = {
    one.id: one
    for one in (
        MessageId("env-unreadable", "error", "The environment file cannot be read."),
        MessageId(
            "env-line", "error", "A line that is not NAME=value, or a value that a shell reads otherwise."
        ),
        MessageId("env-twice", "warning", "A name that is set twice: the last value counts."),
        MessageId("env-placeholder", "error", "A value is still the placeholder of env.example."),
        MessageId("optillm-gate-key-variable", "error", "OPTILLM_GATE_KEY begins with `sk-`."),
        MessageId("optillm-host-variable", "error", "OPTILLM_HOST makes OptiLLM listen beyond loopback."),
        MessageId(
            "optillm-api-key-variable", "warning", "OPTILLM_API_KEY switches OptiLLM to local inference."
        ),
    )
}
_ASSIGNMENT: Final = re.compile(r"\s*(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)")
_PLACE: Final = re.compile(r":(\d+): ")


def read(path: Path, file: str, order: int) -> tuple[dict[str, str], list[Finding]]:
    """The variables of a file and what is wrong with it; placeholders of `*.example` count as fresh keys."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        return {}, [_finding("env-unreadable", file, 1, f"not readable: {reason}", order)]
    is_example = path.name.endswith(".example")
    found: list[Finding] = []
    try:
        values = environment.parse(with_fresh_secrets(text) if is_example else text, file)
    except EnvironmentFileError as error:
        found = [_line(one, file, order) for one in str(error).splitlines()]
        values = _readable(text)
    lines = {match["name"]: number for number, match in _assignments(text)}
    for line in environment.repeated(text, file):
        name = line.removeprefix(f"{file}: ").partition(" ")[0]
        found.append(_finding("env-twice", file, lines[name], line.removeprefix(f"{file}: "), order))
    for line in environment.placeholders(values, file):
        name = line.removeprefix(f"{file}: ").partition(" ")[0]
        found.append(_finding("env-placeholder", file, lines[name], line.removeprefix(f"{file}: "), order))
    found += [
        _finding(name, file, lines[variable], f"{variable}: {text}", order)
        for name, variable, text in _optillm(values)
    ]
    return values, found


def _optillm(values: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """(id, variable, what is wrong) for names that OptiLLM reads (measured on 0.3.12 and 0.4.0)."""
    if values.get("OPTILLM_GATE_KEY", "").startswith("sk-"):
        yield (
            "optillm-gate-key-variable",
            "OPTILLM_GATE_KEY",
            (
                "it begins with sk-, and OptiLLM would send it to the gateway in the place of its own "
                "key; choose "
                "one without"
            ),
        )
    host = values.get("OPTILLM_HOST", "")
    if host and (host_of(host) != LOOPBACK or host in {"0.0.0.0", "::", "0"}):  # noqa: S104 - looked for
        yield (
            "optillm-host-variable",
            "OPTILLM_HOST",
            (
                "OptiLLM runs code that prompts ask for, and would listen beyond this machine; remove "
                "it, or write "
                "127.0.0.1"
            ),
        )
    if values.get("OPTILLM_API_KEY"):
        yield (
            "optillm-api-key-variable",
            "OPTILLM_API_KEY",
            (
                "in OptiLLM's environment it switches to local inference; call it OPTILLM_GATE_KEY "
                "and give it to "
                "OptiLLM as --optillm-api-key"
            ),
        )


def _assignments(text: str) -> Iterator[tuple[int, re.Match[str]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        match = _ASSIGNMENT.fullmatch(line)
        if match is not None:
            yield number, match


def _readable(text: str) -> dict[str, str]:
    """What can be read of a file with mistakes, so that its other names are not reported as unset."""
    return {match["name"]: match["value"] for _, match in _assignments(text)}


def _line(problem: str, file: str, order: int) -> Finding:
    """A problem of `environment.parse`: `FILE:3: ...`."""
    number = _PLACE.search(problem)
    text = problem[number.end() :] if number else problem
    return _finding("env-line", file, int(number[1]) if number else 1, text, order)


def _finding(name: str, file: str, line: int, text: str, order: int) -> Finding:
    return Finding(name, IDS[name].severity, file, line, 1, "", one_line(hide_keys(text)), order)
