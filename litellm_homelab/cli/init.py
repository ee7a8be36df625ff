"""``litellm-homelab init``: drafts our section for a router.yaml that is already in use."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from litellm_homelab.adopt.drafts import Adoption

PROBLEMS: Final = 1
UNUSABLE: Final = 2
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
    parser.add_argument("config", metavar="CONFIG", type=Path, help="a router.yaml without `homelab:`")
    parser.add_argument("--env", metavar="FILE", type=Path, help="its environment, NAME=value a line")
    parser.add_argument("--write", action="store_true", help="change the file, and keep the old one")
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
    from litellm_homelab.adopt import drafts, writing
    from litellm_homelab.check.names import known_litellm
    from litellm_homelab.cli import environment
    from litellm_homelab.config import text_file

    path: Path = args.config
    try:
        given = environment.parse(text_file.read(args.env), str(args.env)) if args.env else {}
    except (OSError, ValueError) as error:
        return _unusable(args.env, error)
    environ, wishes = {**os.environ, **given}, drafts.Wishes(args.caller, args.handle)
    try:
        found = drafts.adopt(path, wishes, environ, known_litellm(environ))
    except (OSError, ValueError) as error:
        return _unusable(path, error)
    if args.write:
        try:
            print(f"{path}: written; the old file is {writing.write(path, found.after)}")
        except OSError as error:
            return _unusable(path, error, "not written")
    else:
        print(found.diff(str(path)), end="")
    _notes(found)
    return PROBLEMS if found.problems else 0


def _unusable(path: Path, error: OSError | ValueError, what: str = "") -> int:
    from litellm_homelab.config.wording import one_line, reason

    why = f"{what}: {error.strerror}" if what and isinstance(error, OSError) else reason(error)
    print(f"litellm-homelab init: {path}: {one_line(why)}", file=sys.stderr)
    return UNUSABLE


def _notes(found: Adoption) -> None:
    from litellm_homelab.config.wording import hide_keys, one_line

    for note in found.draft.notes:
        print(f"note: {one_line(hide_keys(note))}", file=sys.stderr)
    for variable in found.draft.variables:
        print(f"note: set {variable}=sk-{secrets.token_hex(16)} where LiteLLM starts", file=sys.stderr)
    for problem in found.problems:
        print(f"to do: {one_line(hide_keys(problem))}", file=sys.stderr)
