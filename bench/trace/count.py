"""
Counts the calls and opcodes of a block of code, function by function, in every task and thread.

Times say little on a shared machine; the number of opcodes is the same in every run. Work inside C
functions (a regular expression, JSON, SQLite) is one opcode, however long it takes.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

GENERATED: Final = "<string>"
"""The file name of methods that `dataclasses` writes; their globals are those of the class's module."""
Tracer = Callable[[FrameType, str, Any], Any]


class Owner(StrEnum):
    """Whose code a function is."""

    OURS = "ours"
    STAND_IN = "stand-in"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Package:
    """
    The package whose code is ours, by the files that its code objects name.

    `stand_ins` are folders, in the package or elsewhere, whose code takes the place of upstreams and clients.
    """

    folder: Path
    stand_ins: tuple[Path, ...] = ()

    def place(self, file: str) -> tuple[Owner, str]:
        """The owner of a file, and its path below the package if it is one of the package's."""
        path = Path(file)
        if any(path.is_relative_to(one) for one in self.stand_ins):
            return Owner.STAND_IN, file
        if path.is_relative_to(self.folder):
            return Owner.OURS, str(path.relative_to(self.folder))
        return Owner.OTHER, file


@dataclass(slots=True, eq=False)
class Function:
    """One code object, and what was counted of it. It keeps the object, so that its `id` stays its own."""

    code: CodeType
    owner: Owner
    file: str
    """Path below the package; the whole path of a file that is not in it."""
    calls: int = 0
    opcodes: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One function of ours: its file, its qualified name, and what it cost."""

    file: str
    function: str
    calls: int
    opcodes: int


@dataclass(frozen=True, slots=True)
class Count:
    """What one block cost."""

    calls: int
    """Entries into functions of ours: calls, and resumptions of coroutines (as `sys.setprofile` counts)."""
    files: int
    """Distinct files of ours that were entered."""
    opcodes: int
    """Opcodes of ours."""
    whole: int
    """Opcodes of the whole process but those of stand-ins."""
    lines: tuple[Line, ...]
    """Every function of ours that ran."""


class Counter:
    """
    Counts while `counting` is open.

    Make it before the threads that are to be counted start: Python 3.11 has no way to trace one that runs.
    """

    def __init__(self, package: Package) -> None:
        self._package = package
        # By identity: code objects that look alike are equal, wherever they were written.
        self._functions: dict[int, tuple[Function, Tracer]] = {}
        self._ours: list[Function] = []
        self._open = False
        self._before = threading.gettrace()
        threading.settrace(self._trace)

    def close(self) -> None:
        """Trace new threads as before."""
        threading.settrace(self._before)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count from 0 until the block ends, without garbage collection; `count` has the result."""
        for function, _ in self._functions.values():
            function.calls = function.opcodes = 0
        gc.collect()
        gc.disable()
        before = sys.gettrace()  # coverage's, where it measures
        self._open = True
        sys.settrace(self._trace)
        try:
            yield
        finally:
            sys.settrace(before)
            self._open = False
            gc.enable()

    def ours(self) -> int:
        """Opcodes of ours so far."""
        return sum(one.opcodes for one in self._ours)

    def count(self) -> Count:
        """What the last `counting` block cost."""
        ran = [one for one, _ in self._functions.values() if one.opcodes or one.calls]
        ours = [one for one in ran if one.owner is Owner.OURS]
        return Count(
            calls=sum(one.calls for one in ours),
            files=len({one.file for one in ours}),
            opcodes=sum(one.opcodes for one in ours),
            whole=sum(one.opcodes for one in ran if one.owner is not Owner.STAND_IN),
            lines=tuple(Line(one.file, one.code.co_qualname, one.calls, one.opcodes) for one in ours),
        )

    def _trace(self, frame: FrameType, event: str, arg: object) -> Tracer | None:  # noqa: ARG002
        """Python's global trace function: called for every frame that is entered or resumed."""
        if not self._open:
            return None
        function, tracer = self._functions.get(id(frame.f_code)) or self._meet(frame)
        function.calls += 1
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        return tracer

    def _meet(self, frame: FrameType) -> tuple[Function, Tracer]:
        code = frame.f_code
        file = code.co_filename
        if file == GENERATED:
            file = str(frame.f_globals.get("__file__") or file)
        function = Function(code, *self._package.place(file))
        if function.owner is Owner.OURS:
            self._ours.append(function)
        self._functions[id(code)] = known = function, _tracer(function)
        return known


def _tracer(function: Function) -> Tracer:
    def trace(frame: FrameType, event: str, arg: object) -> Tracer:  # noqa: ARG001 - sys.settrace's
        if event == "opcode":
            function.opcodes += 1
        return trace

    return trace
