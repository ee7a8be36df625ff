"""What the check finds, and how a rule says it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from litellm_homelab.check.document import Document

Severity: TypeAlias = Literal["error", "warning", "hint"]
"""An error stops the start or a request, a warning is a setting that does something else, a hint advice."""
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "hint")
Found: TypeAlias = tuple[str, str]
"""(where it is, what is wrong and what to do)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem, at one place of a file."""

    id: str
    severity: Severity
    file: str
    line: int
    column: int
    where: str
    """The setting: `model_list[0].litellm_params.timeout`; empty for the file as a whole."""
    message: str
    """What is wrong and what to do, with the setting in front of it."""
    order: int = field(default=0, compare=False)
    """Which of the files it is in: findings are reported file by file."""


@dataclass(frozen=True, slots=True)
class MessageId:
    """A stable id, with what the documentation says about it."""

    id: str
    severity: Severity
    title: str


@dataclass(frozen=True, slots=True)
class FileCheck:
    """A rule of the check: a message id, and the function that finds it in a document."""

    message: MessageId
    find: Callable[[Document], Iterable[Found]]


def check(
    name: str, severity: Severity, title: str
) -> Callable[[Callable[[Document], Iterable[Found]]], FileCheck]:
    """Make a function that finds one kind of problem a rule of the check."""

    def decorate(find: Callable[[Document], Iterable[Found]]) -> FileCheck:
        return FileCheck(MessageId(name, severity, title), find)

    return decorate
