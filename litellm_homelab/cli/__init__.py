"""The command line, ``litellm-homelab``: one module per subcommand."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from litellm_homelab import __version__

INTERRUPTED = 130
"""Exit status after Ctrl-C, as a shell gives it: 128 and the number of SIGINT."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status: 0 good, 1 problems found, 2 unusable input."""
    try:
        words = sys.argv[1:] if argv is None else argv
        parser = _check_parser() if words and words[0] == "check" else _parser()
        args = parser.parse_args(words)
        run: Callable[[argparse.Namespace], int] = args.run
        return run(args)
    except KeyboardInterrupt:  # before the subcommand handles signals itself, while modules are imported
        return INTERRUPTED


def _check_parser() -> argparse.ArgumentParser:
    """For `check` alone, which runs before each commit: the modules of the other commands take their time."""
    from litellm_homelab.cli import check

    return _with(check)


def _parser() -> argparse.ArgumentParser:
    from litellm_homelab.cli import check, demo, init, schema, selftest, sync, up

    return _with(up, demo, init, check, sync, schema, selftest)


def _with(*commands: Any) -> argparse.ArgumentParser:  # noqa: ANN401 - modules
    parser = argparse.ArgumentParser(
        prog="litellm-homelab", description="Run stock LiteLLM with the homelab callbacks, and look after it."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for subcommand in commands:
        subcommand.add_parser(subparsers)
    return parser
