"""Runs the counting processes (see `bench.trace.child`) and sums up their rounds."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from bench.processes import REPOSITORY, environ
from bench.trace import kinds
from bench.trace.count import Count, Line
from bench.trace.kinds import KINDS
from bench.trace.recorded import Record, Row, Setting

SEED: Final = {"PYTHONHASHSEED": "0"}
SECONDS: Final = 600
"""Longest time for one process: on two idle cores it takes half a minute."""


class Child:
    """A counting process; its output is in a folder of its own."""

    def __init__(self, folder: Path, names: Sequence[str], rounds: int, *, plugin: bool) -> None:
        router = kinds.write(folder, plugin=plugin, homelab=KINDS[names[0]].homelab)
        self._output, self._log = folder / "counts.json", folder / "child.log"
        command = [sys.executable, "-m", "bench.trace.child", str(router), str(self._output), str(rounds)]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command line
                [*command, *names],
                env={**environ(), **SEED},
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def counts(self) -> dict[str, Count]:
        """
        Wait for it; the count of each kind.

        Raises:
            RuntimeError: it failed, or does not end; with the end of its log.

        """
        try:
            status = self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            status = None
        if status != 0:
            log = self._log.read_text(errors="replace")[-3000:]
            raise RuntimeError(f"trace: a counting process failed (exit {status}); its log:\n{log}")
        document = json.loads(self._output.read_text(encoding="utf-8"))
        return {name: least(map(_count, rounds)) for name, rounds in document.items()}

    def end(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


def count(names: Sequence[str], rounds: int, *, stock: bool) -> tuple[Record, dict[str, Count]]:
    """
    Count requests of these kinds, with the plugin and, if `stock`, without.

    Raises:
        RuntimeError: a request was not answered as it should be.

    """
    compared = dict.fromkeys(KINDS[name].stock or name for name in names if stock and KINDS[name].comparable)
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        folder = Path(place)
        children = [
            Child(folder / f"plugin-{number}", part, rounds, plugin=True)
            for number, part in enumerate(by_settings(names))
        ]
        try:
            if compared:
                children.append(Child(folder / "stock", [*compared], rounds, plugin=False))
            found = [child.counts() for child in children]
        finally:
            for child in children:
                child.end()
    without = found.pop() if compared else {}
    ours = {name: one for counts in found for name, one in counts.items()}
    rows = {name: Row.of(ours[name], without.get(KINDS[name].stock or name)) for name in names}
    return Record(Setting.this(), rows), ours


def by_settings(names: Sequence[str]) -> Iterable[list[str]]:
    """Kinds that need the same settings, and so may share a process."""
    parts: list[list[str]] = []
    for name in names:
        fitting = (part for part in parts if KINDS[part[0]].homelab == KINDS[name].homelab)
        part = next(fitting, None)
        if part is None:
            parts.append([name])
        else:
            part.append(name)
    return parts


def least(rounds: Iterable[Count]) -> Count:
    """The round with the fewest opcodes of ours, and the least of the whole: timers and polls only add."""
    found = sorted(rounds, key=lambda one: one.opcodes)
    one = found[0]
    whole = min(other.whole for other in found)
    return Count(one.calls, one.files, one.opcodes, whole, one.lines)


def _count(document: dict[str, Any]) -> Count:
    return Count(**{**document, "lines": tuple(Line(**line) for line in document["lines"])})
