"""The command line, ``litellm-homelab``: one module per subcommand."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from litellm_homelab import __version__

INTERRUPTED = 130
"""Exit status after Ctrl-C, as a shell gives it: 128 and the number of SIGINT."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status: 0 good, 1 problems found, 2 unusable input."""
    try:
        args = _parser().parse_args(argv)
        run: Callable[[argparse.Namespace], int] = args.run
        return run(args)
    except KeyboardInterrupt:  # before the subcommand handles signals itself, while modules are imported
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    from litellm_homelab.cli import check, demo, init, schema, selftest, up

    parser = argparse.ArgumentParser(
        prog="litellm-homelab", description="Run stock LiteLLM with the homelab callbacks, and look after it."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for subcommand in (up, demo, init, check, schema, selftest):
        subcommand.add_parser(subparsers)
    return parser
