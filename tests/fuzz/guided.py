"""
The guided fuzzer: libFuzzer (atheris) mutates inputs towards code that none has reached yet.

    python -m tests.fuzz.guided --inputs 1000000 [--target NAME] [--keep]

Each target runs in a child of this process, beginning from its seeds and its kept corpus. A finding is an
exception that a law does not allow, or an input that takes more than a second of processor time. It is
printed with its input, and the target goes on. `--keep` writes the inputs that reached something new to
tests/fuzz/corpus, the shortest ones. Exit 1 with findings.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

from tests.fuzz import SPLICES

HANG_SECONDS: Final = 1.0
ENDLESS_SECONDS: Final = 60
"""When libFuzzer ends an input that does not come back, on a busy machine too."""
LONGEST: Final = 4096
MOST_FINDINGS: Final = 5
"""Of one target: then it is left."""
MOST_KEPT: Final = 120
"""Inputs of a target in the repository, the shortest ones."""
LONGEST_KEPT: Final = 400
DONE: Final = re.compile(r"^Done (\d+) in", re.MULTILINE)
COUNTED: Final = re.compile(r"^#(\d+)\t", re.MULTILINE)


def as_text(data: bytes) -> str:
    """The text that a parser gets for the fuzzer's bytes; those that are not UTF-8 become lone surrogates."""
    return data.decode("utf-8", "surrogateescape")


def _quoted(piece: str) -> str:
    """A word of libFuzzer's dictionary."""
    raw = piece.encode("utf-8", "surrogatepass")
    return '"' + "".join(f"\\x{byte:02x}" for byte in raw) + '"'


class TooSlow(AssertionError):
    """An input took more than `HANG_SECONDS` of processor time."""


def started() -> tuple[Any, Any]:
    """The fuzzer's module, and that of the targets, whose parsers report what they reach."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # LiteLLM fetches it otherwise when it is imported
    atheris = importlib.import_module("atheris")  # in the fuzzer's own venv only
    with atheris.instrument_imports(include=["litellm_homelab"]):
        targets = importlib.import_module("tests.fuzz.targets")
    logging.disable(logging.CRITICAL)
    return atheris, targets


class Run:
    """A run of one target: its inputs in a folder, what it has found."""

    def __init__(self, name: str, law: Callable[[str], None], atheris: Any, folder: Path) -> None:
        self._law, self._atheris = law, atheris
        self.name, self.inputs, self.crashes = name, folder / "inputs", folder / "crash-"
        self.words = folder / "words"
        self.inputs.mkdir(parents=True)
        self.findings: list[str] = []
        self.count = 0

    def begin(self, texts: list[str]) -> None:
        """Write the inputs to begin from."""
        lines = (f"{_quoted(piece)}\n" for piece in SPLICES if piece)
        self.words.write_text("".join(lines), encoding="ascii")
        for number, text in enumerate(dict.fromkeys(texts)):
            (self.inputs / f"kept-{number}").write_bytes(text.encode("utf-8", "surrogateescape"))

    def fuzz(self, inputs: int) -> None:
        """Have libFuzzer make so many inputs, going on after a finding."""
        while self.count < inputs and len(self.findings) < MOST_FINDINGS:
            seed = len(self.findings) + 1
            code, said = self._libfuzzer(f"-runs={inputs - self.count}", f"-seed={seed}", str(self.inputs))
            numbers = [int(number) for number in (DONE.findall(said) or COUNTED.findall(said))]
            self.count += numbers[-1] if numbers else 0
            if code == 0:
                return
            self.findings.append(self._finding(said))

    def kept(self) -> list[str]:
        """What is left of the inputs: libFuzzer has replaced those that shorter ones reach as much as."""
        texts = {as_text(path.read_bytes()) for path in self.inputs.iterdir()}
        short = sorted(
            (text for text in texts if len(text) <= LONGEST_KEPT), key=lambda text: (len(text), text)
        )
        return short[:MOST_KEPT]

    def _libfuzzer(self, *options: str) -> tuple[int, str]:
        """Run libFuzzer in a child of this process: its exit code, and what it said."""
        limits = [f"-timeout={ENDLESS_SECONDS}", f"-max_len={LONGEST}", "-rss_limit_mb=4096"]
        limits += [f"-dict={self.words}", f"-artifact_prefix={self.crashes}"]
        with tempfile.TemporaryFile() as said:
            pid = os.fork()
            if pid == 0:
                self._be_libfuzzer(said.fileno(), [self.name, *limits, *options])
            _, status = os.waitpid(pid, 0)
            said.seek(0)
            return os.waitstatus_to_exitcode(status), said.read().decode("utf-8", "replace")

    def _be_libfuzzer(self, output: int, arguments: list[str]) -> NoReturn:
        """Never goes back into what the parent is doing."""
        try:
            os.dup2(output, 1)
            os.dup2(output, 2)
            self._atheris.Setup(arguments, self._one)
            self._atheris.Fuzz()
        except BaseException:  # noqa: BLE001 - the child must not go on as its parent
            traceback.print_exc()
        finally:
            os._exit(1)

    def _one(self, data: bytes) -> None:
        before = time.process_time()
        self._law(as_text(data))
        if (taken := time.process_time() - before) > HANG_SECONDS:
            raise TooSlow(f"{taken:.1f} s")

    def _finding(self, said: str) -> str:
        inputs = [as_text(path.read_bytes()) for path in self.crashes.parent.glob("crash-*")]
        for path in self.crashes.parent.glob("crash-*"):
            path.unlink()
        raised = said.rpartition("Uncaught Python exception: ===")[2].partition("\n==")[0].strip()
        return f"{self.name}: {inputs!r}\n{raised[-1500:]}"


def main(arguments: list[str]) -> int:
    """Run all targets, or one; 1 with findings."""
    atheris, module = started()
    corpus, targets = module.CORPUS, module.TARGETS
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.guided", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--target", choices=targets)
    parser.add_argument("--keep", action="store_true")
    asked = parser.parse_args(arguments)
    chosen = [asked.target] if asked.target else [*targets]
    shares, total = sum(targets[name].share for name in chosen), 0
    findings: list[str] = []
    for name in chosen:
        target = targets[name]
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            run = Run(name, target.law, atheris, Path(folder) / name)
            run.begin([*target.seeds, *(target.kept(name) if (corpus / f"{name}.json").exists() else [])])
            run.fuzz(-(-asked.inputs * target.share // shares))
            print(f"{name}: {run.count} inputs, {len(run.findings)} findings", flush=True)
            print("".join(f"{one}\n" for one in run.findings), end="", flush=True)
            if asked.keep:
                kept = json.dumps(run.kept(), indent=0)
                (corpus / f"{name}.json").write_text(f"{kept}\n", encoding="utf-8")
        total, findings = total + run.count, findings + run.findings
    print(f"{total} inputs, {len(findings)} findings", flush=True)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
