"""``litellm-homelab probe``: what a backend really does with each parameter of a request."""

from __future__ import annotations

import argparse
import getpass
import json
import os

from litellm_homelab.cli import no_key
from litellm_homelab.cli.progress import failed, has_colours, progress

PROBLEMS = 1
UNUSABLE = 2
CALLS = 160
SECONDS = 300.0
CALL_SECONDS = 60.0
_EPILOG = """\
verdicts: accepted (an effect was seen), ignored (let through, the effect is missing), rejected (refused
twice, served without it in between), not known (with the reason)

exit status: 0 probed, 1 a chat is not served as it should be, or not everything could be asked, 2 unusable:
no connection, no model, no key, or an address that cannot be used

It sends some 80 short requests. docs/probe.md has every experiment.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the ``probe`` subcommand; its parsed arguments carry ``run``."""
    parser = subparsers.add_parser(
        "probe",
        help="find out what a backend really does with a request",
        description="Find out which optional parameters an OpenAI-compatible server honours, ignores or "
        "rejects, by experiment, and print the entry for router.yaml.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", metavar="URL", help="the server's address, with or without /v1")
    parser.add_argument("--model", metavar="ID", default="", help="the model to ask (default: the first one)")
    key = parser.add_mutually_exclusive_group()
    key.add_argument("--key-env", metavar="NAME", default="", help="the variable that contains its key")
    key.add_argument("--ask-key", action="store_true", help="ask for its key on the terminal")
    no_key.add(parser, "use --key-env or --ask-key")
    parser.add_argument(
        "--wrong-values",
        action="store_true",
        help="also send values that the API forbids; some servers end on one",
    )
    parser.add_argument("--calls", metavar="N", type=int, default=CALLS, help=f"at most (default: {CALLS})")
    parser.add_argument(
        "--seconds", metavar="S", type=float, default=SECONDS, help=f"at most (default: {SECONDS:g})"
    )
    parser.add_argument("--json", action="store_true", help="print it for programs")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Probe, and print what was found; the exit status."""
    from litellm_homelab.probe import report
    from litellm_homelab.probe.asking import Asker, BudgetSpent, ProbeBudget
    from litellm_homelab.probe.run import Probe, ProbeFailed
    from litellm_homelab.probe.target import TargetUnusable, key_of, target

    try:
        key = getpass.getpass("key: ").strip() if args.ask_key else ""
        where = target(args.url, key_of(args.key_env, os.environ) if args.key_env else key)
    except (TargetUnusable, EOFError) as error:
        return failed("probe", str(error) or "no key was given", UNUSABLE)
    asker = Asker(where, ProbeBudget(args.calls, args.seconds, CALL_SECONDS))
    say, end = progress()
    probe = Probe(asker, args.model, with_wrong_values=args.wrong_values, progress=say)
    try:
        found = probe.run()
    except ProbeFailed as error:
        end()
        return failed("probe", f"{where.api_base}: {error}", UNUSABLE if error.is_unusable else PROBLEMS)
    except BudgetSpent as error:
        end()
        return failed("probe", f"{where.api_base}: nothing is known yet: {error}", PROBLEMS)
    finally:
        asker.close()
    end()
    text = (
        json.dumps(report.document(found, where, args.key_env), indent=2) + "\n"
        if args.json
        else report.written(found, where, args.key_env, colour=has_colours())
    )
    print(_without(text, where.key), end="")
    return PROBLEMS if found.problems else 0


def _without(text: str, key: str) -> str:
    """The text without the key, should a server have got it into an answer in some disguise."""
    return text.replace(key, "(hidden)") if key else text
