"""The command line, ``litellm-homelab``: one module per subcommand."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Final

from litellm_homelab import __version__

COMMANDS: Final = (
    "up",
    "demo",
    "init",
    "check",
    "map",
    "status",
    "verify",
    "sync",
    "probe",
    "warmup",
    "mcp",
    "schema",
    "selftest",
)
"""Subcommands in the order of `--help`; each is a module of this name."""
INTERRUPTED = 130
"""Exit status after Ctrl-C, as a shell gives it: 128 and the number of SIGINT."""
UNREAD = 141
"""Exit status where the reader of the output has gone (`| head`), as a shell gives it: 128 and SIGPIPE."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status: 0 good, 1 problems found, 2 unusable input."""
    try:
        words = sys.argv[1:] if argv is None else argv
        args = _parser(words).parse_args(words)
        run: Callable[[argparse.Namespace], int] = args.run
        status = run(args)
        sys.stdout.flush()
    except KeyboardInterrupt:  # before the subcommand handles signals itself, while modules are imported
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes once more at its end (docs.python.org/3/library/signal.html#note-on-sigpipe).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    return status


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser; where the words name a command, the modules of the others are not imported."""
    parser = argparse.ArgumentParser(
        prog="litellm-homelab", description="Run stock LiteLLM with the homelab callbacks, and look after it."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in words[:1] if words[:1] and words[0] in COMMANDS else COMMANDS:
        importlib.import_module(f"{__name__}.{name}").add_parser(subparsers)
    return parser
