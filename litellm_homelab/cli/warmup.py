"""``litellm-homelab warmup``: loads models before the first client asks, for ``ExecStartPost``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from litellm_homelab.cli import editing, no_key
from litellm_homelab.cli.progress import failed, progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litellm_homelab.probe.target import ProbeTarget
    from litellm_homelab.warmup.planning import WarmupPlan
    from litellm_homelab.warmup.sending import Warmer

PROBLEMS = 1
UNUSABLE = 2
SECONDS = 120.0
MASTER_KEY = "LITELLM_MASTER_KEY"
_EPILOG = """\
exit status: 0 each request was answered, 1 one was not, 2 unusable: an address, key or file that cannot be
used, no model named where several are listed, or no answer at all in time

A URL is a gateway, an OptiLLM or a model server. With --config the requests go through the gateway of that
file, with the key in LITELLM_MASTER_KEY, to its local handles. docs/warmup.md says what to put into a unit.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the ``warmup`` subcommand; its parsed arguments carry ``run``."""
    parser = subparsers.add_parser(
        "warmup",
        help="load models before the first client asks",
        description="Wait until a server answers, and send one tiny request for each model, so that it is "
        "loaded and keys and names are known to be right.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", metavar="URL", nargs="?", default="", help="whom to ask")
    parser.add_argument("--config", metavar="FILE", type=Path, help="a router.yaml: its local handles")
    parser.add_argument("--env", metavar="FILE", type=Path, help="its environment, NAME=value a line")
    parser.add_argument(
        "--model", metavar="ID", action="append", default=[], help="what to load; may be given again"
    )
    parser.add_argument(
        "--all", action="store_true", help="load all that is listed, also several on one server"
    )
    parser.add_argument("--router", action="store_true", help="also load the classifier of OptiLLM's router")
    parser.add_argument("--key-env", metavar="NAME", default="", help="the variable that contains the key")
    no_key.add(parser, "use --key-env")
    parser.add_argument(
        "--seconds", metavar="S", type=float, default=SECONDS, help=f"in all (default: {SECONDS:g})"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Send the requests, a line for each; the exit status."""
    from litellm_homelab.probe.asking import BudgetSpent
    from litellm_homelab.probe.target import TargetUnusable
    from litellm_homelab.warmup.sending import Warmer

    if not args.url and args.config is None:
        return failed("warmup", "name a URL, or a router.yaml with --config", UNUSABLE)
    say, end = progress()
    warmer = Warmer(args.seconds, say)
    try:
        plan = _plan(args, editing.environ_with(args.env), warmer)
    except editing.Unusable as error:
        return editing.unusable("warmup", error)
    except TargetUnusable as error:
        return failed("warmup", str(error), UNUSABLE)
    except BudgetSpent:
        return failed("warmup", f"{args.url}: no answer within {args.seconds:g} s", UNUSABLE)
    else:
        return _send(warmer, plan)
    finally:
        end()
        warmer.close()


def _plan(args: argparse.Namespace, environ: Mapping[str, str], warmer: Warmer) -> WarmupPlan:
    from litellm_homelab.probe.target import TargetUnusable, key_of, target
    from litellm_homelab.warmup import planning

    variable = args.key_env or (MASTER_KEY if args.config is not None else "")
    key = key_of(variable, environ) if variable else ""
    where = target(args.url or planning.gateway_address(environ), key)
    if args.config is None:
        models = args.model or _listed(warmer, where, with_all=args.all)
        return planning.for_models(models, where, with_router=args.router)
    from litellm_homelab.drawing import reading

    found = reading.read(args.config, environ)
    if found is None:
        raise TargetUnusable(f"{args.config}: cannot be read; `litellm-homelab check` says why")
    chosen = {"with_all": args.all, "with_router": args.router}
    return planning.planned(found.settings, where, args.model, **chosen)


def _listed(warmer: Warmer, where: ProbeTarget, *, with_all: bool) -> list[str]:
    """The model to load where none is named: the only one that is listed."""
    from litellm_homelab.probe.target import TargetUnusable

    found = warmer.listed(where)
    if not found:
        raise TargetUnusable(f"{where.api_base} lists no model; name one with --model")
    if len(found) > 1 and not with_all:
        raise TargetUnusable(
            f"{where.api_base} lists {len(found)} models; name those to load with --model, or use --all"
        )
    return found


def _send(warmer: Warmer, plan: WarmupPlan) -> int:
    from litellm_homelab.config.wording import hide_keys, one_line

    editing.say("note", (f"left out: {one}" for one in plan.left_out))
    if not plan.steps:
        print("nothing to load")
    is_failed = False
    for one in warmer.send(plan.steps):
        is_failed = is_failed or bool(one.why)
        said = f"not loaded: {one.why}" if one.why else f"answered after {one.seconds:.1f} s"
        print(one_line(hide_keys(f"{one.step.name}: {said}")), flush=True)
    sys.stdout.flush()
    return PROBLEMS if is_failed else 0
