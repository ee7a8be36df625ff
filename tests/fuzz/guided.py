"""
The guided fuzzer: libFuzzer (atheris) mutates inputs towards code that none has reached yet.

    python -m tests.fuzz.guided --inputs 1000000 [--target NAME] [--keep]

Each target runs in a process of its own, beginning from its seeds and its kept corpus. A finding is an
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
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.fuzz import SPLICES

HANG_SECONDS: Final = 1.0
RUN_SECONDS: Final = 6 * 3600.0
"""The longest run of one target."""
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


def fuzz(name: str, options: list[str]) -> None:
    """Run one target in this process, until it crashes or has had its inputs; never returns."""
    atheris = importlib.import_module("atheris")  # in the fuzzer's own venv only
    with atheris.instrument_imports(include=["litellm_homelab"]):
        from tests.fuzz.targets import TARGETS
    logging.disable(logging.CRITICAL)
    law = TARGETS[name].law

    def one(data: bytes) -> None:
        before = time.process_time()
        law(as_text(data))
        if (taken := time.process_time() - before) > HANG_SECONDS:
            raise TooSlow(f"{taken:.1f} s")

    atheris.Setup([name, *options], one)
    atheris.Fuzz()


class Run:
    """A run of one target: its inputs in a folder, what it has found."""

    def __init__(self, name: str, folder: Path) -> None:
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
            said = self._libfuzzer(f"-runs={inputs - self.count}", f"-seed={seed}", str(self.inputs))
            numbers = [int(number) for number in (DONE.findall(said.stderr) or COUNTED.findall(said.stderr))]
            self.count += numbers[-1] if numbers else 0
            if said.returncode == 0:
                return
            self.findings.append(self._finding(said))

    def kept(self) -> list[str]:
        """What is left of the inputs: libFuzzer has replaced those that shorter ones reach as much as."""
        texts = {as_text(path.read_bytes()) for path in self.inputs.iterdir()}
        short = sorted(
            (text for text in texts if len(text) <= LONGEST_KEPT), key=lambda text: (len(text), text)
        )
        return short[:MOST_KEPT]

    def _libfuzzer(self, *options: str) -> subprocess.CompletedProcess[str]:
        limits = [f"-timeout={ENDLESS_SECONDS}", f"-max_len={LONGEST}", "-rss_limit_mb=4096"]
        limits.append(f"-dict={self.words}")
        command = [sys.executable, "-m", "tests.fuzz.guided", "--run", self.name, *limits]
        return subprocess.run(
            [*command, f"-artifact_prefix={self.crashes}", *options],
            capture_output=True, text=True, errors="replace", check=False,
            timeout=RUN_SECONDS,
        )  # fmt: skip

    def _finding(self, said: subprocess.CompletedProcess[str]) -> str:
        inputs = [as_text(path.read_bytes()) for path in self.crashes.parent.glob("crash-*")]
        for path in self.crashes.parent.glob("crash-*"):
            path.unlink()
        raised = said.stdout.partition("Uncaught Python exception: ===")[2].strip()
        return f"{self.name}: {inputs!r}\n{raised or said.stderr[-1500:]}"


def main(arguments: list[str]) -> int:
    """Run all targets, or one; 1 with findings."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # LiteLLM fetches it otherwise when it is imported
    if arguments[:1] == ["--run"]:
        fuzz(arguments[1], arguments[2:])
    from tests.fuzz.targets import CORPUS, TARGETS

    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.guided", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--target", choices=TARGETS)
    parser.add_argument("--keep", action="store_true")
    asked = parser.parse_args(arguments)
    chosen = [asked.target] if asked.target else [*TARGETS]
    shares, total = sum(TARGETS[name].share for name in chosen), 0
    findings: list[str] = []
    for name in chosen:
        target = TARGETS[name]
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            run = Run(name, Path(folder) / name)
            run.begin([*target.seeds, *(target.kept(name) if (CORPUS / f"{name}.json").exists() else [])])
            run.fuzz(-(-asked.inputs * target.share // shares))
            print(f"{name}: {run.count} inputs, {len(run.findings)} findings", flush=True)
            print("".join(f"{one}\n" for one in run.findings), end="", flush=True)
            if asked.keep:
                kept = json.dumps(run.kept(), indent=0)
                (CORPUS / f"{name}.json").write_text(f"{kept}\n", encoding="utf-8")
        total, findings = total + run.count, findings + run.findings
    print(f"{total} inputs, {len(findings)} findings", flush=True)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
