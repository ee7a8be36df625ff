"""``litellm-homelab init``: drafts our section for a router.yaml that is already in use."""

from __future__ import annotations

import argparse
import secrets
import sys
from typing import TYPE_CHECKING

from litellm_homelab.cli import editing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_EPILOG = """\
exit status: 0 the drafted file starts, 1 something is left to do first, 2 there is nothing to draft from

Without --write nothing is changed: the diff is printed, and notes go to standard error. With --write the old
file is kept beside the new one; to undo, move it back. Comments, order and quotes stay.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the ``init`` subcommand; its parsed arguments carry ``run``."""
    parser = subparsers.add_parser(
        "init",
        help="draft the `homelab:` section for a router.yaml that you have",
        description="Draft what a router.yaml needs to run with this package: a `homelab:` section, the two "
        "lines that load it, and LiteLLM's settings that belong with it, with a note on every decision.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    editing.add_arguments(parser, "a router.yaml without `homelab:`")
    parser.add_argument(
        "--caller", metavar="NAME", action="append", default=[], help="a client that gets a key of its own"
    )
    parser.add_argument(
        "--handle",
        metavar="NAME",
        action="append",
        default=[],
        help="a name below a wildcard group, or of LiteLLM's database, that clients use",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the diff and the notes, and write the file where that is asked for; the exit status."""
    try:
        return _init(args, editing.environ_with(args.env))
    except editing.Unusable as error:
        return editing.unusable("init", error)


def _init(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from litellm_homelab.adopt import drafts
    from litellm_homelab.check.names import known_litellm

    path: Path = args.config
    wishes = drafts.Wishes(args.caller, args.handle)
    try:
        found = drafts.adopt(path, wishes, environ, known_litellm(environ))
    except (OSError, ValueError) as error:
        raise editing.Unusable(path, error) from error
    editing.show_or_write(
        path, (found.before, found.after), f"{path} (with litellm-homelab)", write=args.write
    )
    editing.say("note", found.draft.notes)
    for variable in found.draft.variables:
        print(f"note: set {variable}=sk-{secrets.token_hex(16)} where LiteLLM starts", file=sys.stderr)
    editing.say("to do", found.problems)
    return editing.PROBLEMS if found.problems else 0
