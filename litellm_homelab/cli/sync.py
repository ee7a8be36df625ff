"""``litellm-homelab sync``: brings a registry of models and OptiLLM's ensembles into router.yaml."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from litellm_homelab.cli import editing

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    editing.add_arguments(parser, "a router.yaml")
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
    try:
        environ = editing.environ_with(args.env)
        try:
            return _draft(args.config, environ) if args.from_backends else _sync(args, environ)
        except (OSError, ValueError) as error:
            raise editing.Unusable(args.config, error) from error
    except editing.Unusable as error:
        return editing.unusable("sync", error)


def _sync(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from litellm_homelab.check.names import known_litellm
    from litellm_homelab.sync.synchronise import SyncRequest, synchronise

    path: Path = args.config
    request = SyncRequest(path, args.registry, args.ensembles)
    found = synchronise(request, environ, known_litellm(environ))
    if found.after == found.before:
        print(f"{path}: nothing to change")
    else:
        texts = found.before, found.after
        editing.show_or_write(path, texts, f"{path} (in line with its sources)", write=args.write)
    editing.say("note", found.notes)
    editing.say("to do", found.left)
    return editing.PROBLEMS if found.left else 0


def _draft(path: Path, environ: Mapping[str, str]) -> int:
    from litellm_homelab.sync import backends

    draft, notes, failed = backends.drafted(path, environ)
    print(json.dumps(draft, indent=2))
    editing.say("note", notes)
    editing.say("to do", failed)
    return editing.PROBLEMS if failed else 0
