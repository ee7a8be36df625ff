"""The command line, ``litellm-homelab``: one module per subcommand."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Final

from litellm_homelab import __version__

COMMANDS: Final = ("up", "demo", "init", "check", "map", "status", "sync", "schema", "selftest")
"""Subcommands in the order of `--help`; each is a module of this name."""
INTERRUPTED = 130
"""Exit status after Ctrl-C, as a shell gives it: 128 and the number of SIGINT."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status: 0 good, 1 problems found, 2 unusable input."""
    try:
        words = sys.argv[1:] if argv is None else argv
        args = _parser(words).parse_args(words)
        run: Callable[[argparse.Namespace], int] = args.run
        return run(args)
    except KeyboardInterrupt:  # before the subcommand handles signals itself, while modules are imported
        return INTERRUPTED


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
