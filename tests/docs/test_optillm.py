"""docs/optillm.md: its table is the catalogue, and what it says of the wire is what the rule does."""

from __future__ import annotations

import re

import pytest

from litellm_homelab.optillm import wire
from litellm_homelab.optillm.approaches import Approach
from litellm_homelab.optillm.catalogue import CATALOGUE
from litellm_homelab.optillm.costs import COSTS, Cost
from litellm_homelab.optillm.parameters import PARAMETERS, Parameter
from tests.config.shipped import FOLDER, LANES
from tests.docs.blocks import REPOSITORY

TEXT = (REPOSITORY / "docs" / "optillm.md").read_text(encoding="utf-8")
OPTILLMS_OWN = {"OPTILLM_API_KEY", "OPTILLM_MEMORY_FILE"}
"""Variables that the page warns of and nothing of ours sets."""
CODE = re.compile(r"`([^`]+)`")


def _row(name: str) -> str:
    known = CATALOGUE[name]
    version = "" if known.since == "0.3.12" else f" (from {known.since})"
    fields = ", ".join(_field(one) for one in PARAMETERS.values() if name in one.approaches) or "-"
    return f"| `{name}`{version} | {known.kind} | {_calls(COSTS[name])} | {known.exposes} | {fields} |"


def _calls(cost: Cost) -> str:
    span = str(cost.usual) if cost.usual == cost.worst else f"{cost.usual} to {cost.worst}"
    return f"{span} and more" if cost.open_ended else span


def _field(parameter: Parameter) -> str:
    bounds = "not sent" if parameter.server_wide else f"{parameter.least:g} to {parameter.most:.10g}"
    return f"`{parameter.name}` ({bounds})"


def _cells(section: str) -> list[list[str]]:
    """The rows of the one table of a section, without its head."""
    part = TEXT.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_the_table_is_the_catalogue() -> None:
    """Every approach has its row: kind, calls, what it exposes, what it reads, as the package has them."""
    rows = [line for line in TEXT.splitlines() if line.startswith("| `") and line.count("|") == 6]
    assert "\n".join(rows) == "\n".join(map(_row, CATALOGUE))


def test_the_shipped_approaches_are_named() -> None:
    """The page says which approaches the shipped handle allows."""
    assert f"`approaches: [{', '.join(LANES['boost']['approaches'])}]`" in TEXT


@pytest.mark.parametrize(
    ("approach", "row"),
    [pytest.param("none", 1, id="passed-on"), pytest.param("moa", 0, id="with-every-approach")],
)
def test_the_wire_is_as_said(approach: str, row: int) -> None:
    """The fields that the page says leave with an approach do leave, and no others of those it names do."""
    rows = _cells("What leaves for OptiLLM")
    named = {name for cells in rows for name in CODE.findall(cells[0])}
    said = {name for cells in rows[: row + 1] for name in CODE.findall(cells[0])}
    value = {"n": 1}
    reduced = wire.reduce(
        {name: value.get(name, "x") for name in named},
        Approach("single", (approach,)),
        wire.HandleLimits(),
        frozenset(),
    )
    assert reduced.fields.keys() - {"optillm_approach"} == said


def test_files_and_variables_exist() -> None:
    """What the page names in config/ is there, and every variable it sets is one that something reads."""
    names = set(re.findall(r"config/optillm/(\w+\.\w+)", TEXT))
    assert names == {file.name for file in (FOLDER / "optillm").iterdir()}
    read = "".join(
        (FOLDER / name).read_text(encoding="utf-8")
        for name in ("env.example", "router.yaml", "optillm/start.sh")
    )
    for variable in set(re.findall(r"\bOPTILLM_[A-Z_]+\b", TEXT)) - OPTILLMS_OWN:
        assert variable in read, variable
