"""`make soak`: slopes beside stock's; exit 1 if one passes its bound or a count is wrong."""

from __future__ import annotations

import argparse
import sys

from tests.real.gateway import STARTER
from tests.soak.run import BOUNDS, OVER_STOCK, soak
from tests.soak.slope import PER, above, over

WARM_UP = 0.3
"""The part of a run that is left out."""


def main(arguments: list[str]) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.command", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1800)
    asked = parser.parse_args(arguments)
    try:
        result = soak(asked.seconds, asked.seconds * WARM_UP, lambda line: print(line, flush=True))
    finally:
        STARTER.end()
    found = result.slopes()
    print(f"\nadded in {PER} requests, after a warm-up of {result.warm_up:.0f} s:")
    for side, values in found.items():
        print(f"  {side}: " + ", ".join(f"{name} {value:+.2f}" for name, value in values.items()))
    for name, one in (("ours", result.ours), ("stock", result.stock)):
        print(f"  {name}: {one.load.requests} requests, {one.received} at the backends")
        print(f"    {dict(one.load.seen)}")
    more = over(found["ours"], found["stock"])
    wrong = [*above(found["ours"], BOUNDS), *above(more, OVER_STOCK, "more than stock"), *result.untrue]
    print("\n".join(wrong) or "every bound is kept, every count is true")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
