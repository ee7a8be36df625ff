"""The command line, ``litellm-homelab``: one module per subcommand."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from litellm_homelab import __version__
from litellm_homelab.cli import demo, up

if TYPE_CHECKING:
    from collections.abc import Callable

SUBCOMMANDS = (up, demo)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status: 0 good, 1 problems found, 2 unusable input."""
    args = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = args.run
    return run(args)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="litellm-homelab", description="Run stock LiteLLM with the homelab callbacks, and look after it."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for subcommand in SUBCOMMANDS:
        subcommand.add_parser(subparsers)
    return parser
