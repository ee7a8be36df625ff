"""``litellm-homelab sync``: brings a registry of models and OptiLLM's ensembles into router.yaml."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litellm_homelab.sync.synchronise import Synchronised

PROBLEMS: Final = 1
UNUSABLE: Final = 2
_EPILOG = """\
exit status: 0 nothing is left to do, 1 something is (a line `to do:` says what), 2 a file cannot be used

Without --write nothing is changed: the diff is printed, and notes go to standard error. With --write the old
file is kept beside the new one. Comments, order and quotes stay; a second run changes nothing.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the ``sync`` subcommand; its parsed arguments carry ``run``."""
    parser = subparsers.add_parser(
        "sync",
        help="bring a registry of models into router.yaml",
        description="Bring router.yaml in line with its registry (homelab.showroom.registry): the models' "
        "token limits, models that are new and models that are gone; and with an ensembles.jsonl where there "
        "is one: OptiLLM's handles, each with its approach and its base.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", metavar="CONFIG", type=Path, help="a router.yaml")
    parser.add_argument("--env", metavar="FILE", type=Path, help="its environment, NAME=value a line")
    parser.add_argument("--write", action="store_true", help="change the file, and keep the old one")
    parser.add_argument(
        "--registry", metavar="FILE", type=Path, help="a registry in the place of the one that it names"
    )
    parser.add_argument(
        "--ensembles", metavar="FILE", type=Path, help="in the place of the ensembles.jsonl beside it"
    )
    parser.add_argument(
        "--from-backends",
        action="store_true",
        help="print a registry of the models that its own servers list, and change nothing",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the diff and the notes, and write the file where that is asked for; the exit status."""
    from litellm_homelab.check.names import known_litellm
    from litellm_homelab.cli import environment
    from litellm_homelab.config import text_file
    from litellm_homelab.sync.synchronise import SyncRequest, synchronise

    try:
        given = environment.parse(text_file.read(args.env), str(args.env)) if args.env else {}
    except (OSError, ValueError) as error:
        return _unusable(args.env, error)
    environ = {**os.environ, **given}
    try:
        if args.from_backends:
            return _draft(args.config, environ)
        request = SyncRequest(args.config, args.registry, args.ensembles)
        found = synchronise(request, environ, known_litellm(environ))
        return _result(args.config, found, write=args.write)
    except (OSError, ValueError) as error:
        return _unusable(args.config, error)


def _result(path: Path, found: Synchronised, *, write: bool) -> int:
    from litellm_homelab.adopt import writing

    if found.after == found.before:
        print(f"{path}: nothing to change")
    elif write:
        try:
            print(f"{path}: written; the old file is {writing.write(path, found.after)}")
        except OSError as error:
            return _unusable(path, ValueError(f"not written: {error.strerror}"))
    else:
        print(
            writing.diff(found.before, found.after, str(path), f"{path} (in line with its sources)"), end=""
        )
    _say("note", found.notes)
    _say("to do", found.left)
    return PROBLEMS if found.left else 0


def _draft(path: Path, environ: Mapping[str, str]) -> int:
    from litellm_homelab.sync import backends

    draft, notes, failed = backends.drafted(path, environ)
    print(json.dumps(draft, indent=2))
    _say("note", notes)
    _say("to do", failed)
    return PROBLEMS if failed else 0


def _say(what: str, lines: tuple[str, ...]) -> None:
    from litellm_homelab.config.wording import hide_keys, one_line

    for line in lines:
        print(f"{what}: {one_line(hide_keys(line))}", file=sys.stderr)


def _unusable(path: Path, error: OSError | ValueError) -> int:
    from litellm_homelab.config.wording import hide_keys, one_line, reason

    why = reason(error) if isinstance(error, OSError) else str(error)
    print(f"litellm-homelab sync: {path}: {one_line(hide_keys(why))}", file=sys.stderr)
    return UNUSABLE
