"""
The table of policies in docs/extension-points.md, made from the registry.

    python -m tests.docs.policies_page           # prints the table
    python -m tests.docs.policies_page --write   # puts it into the page
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from litellm_homelab.adapter.policy import STAGES, Policy
from litellm_homelab.policies import POLICIES, Registered
from tests.docs.extension_points import PAGE

BEGIN, END = "<!-- policies -->\n", "<!-- end of policies -->\n"


def table(registered: Iterable[Registered] = POLICIES) -> str:
    """The rows: name, section, stages, what it does, file."""
    head = "| policy, label `rule` | section | stages | what it does | file |\n|---|---|---|---|---|\n"
    return head + "".join(f"| {' | '.join(_cells(one))} |\n" for one in registered)


def _cells(one: Registered) -> Iterator[str]:
    policy = one.load()
    yield f"`{one.name}`"
    yield f"`homelab.{one.section}`" if one.section else "-"
    stages = [stage for stage in STAGES if getattr(policy, stage) is not getattr(Policy, stage)]
    yield ", ".join(f"`{stage}`" for stage in stages)
    yield (policy.__doc__ or "").strip().splitlines()[0].rstrip(".")
    yield f"`{policy.__module__.removeprefix('litellm_homelab.').replace('.', '/')}.py`"


def written(page: str, made: str) -> str:
    """The page with this table in the place of its own."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}{made}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), table()), encoding="utf-8")
    else:
        sys.stdout.write(table())
