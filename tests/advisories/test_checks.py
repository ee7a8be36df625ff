"""What the start says about advisories, word for word."""

from __future__ import annotations

import pytest

from litellm_homelab.advisories.checks import problems
from litellm_homelab.advisories.listed import Advisories, Advisory
from litellm_homelab.advisories.versions import Range
from litellm_homelab.config.findings import sorted_out
from litellm_homelab.config.loading import parse
from litellm_homelab.config.sections import Homelab
from litellm_homelab.config.settings import Known, SettingsError

WORST = Advisory(
    "A-1",
    "keys leak",
    "nothing helps",
    (Range("1.107.0", "1.108.3"),),
    ("1.108.3",),
    aliases=("B-1",),
    exploited=True,
)
OTHER = Advisory("A-2", "a smaller hole", "closed here", (Range(before="1.109.0"),))
PLANTED = Advisories("2026-11-26", (WORST, OTHER))
UPGRADE = "Upgrade: pip install --upgrade litellm-homelab 'litellm[proxy]>=1.106'"
HOLE = (
    "LiteLLM 1.108.2 has a hole that is known to be exploited: A-1 (B-1): keys leak. Here: nothing helps. "
    f"Fixed in 1.108.3. {UPGRADE}; to start anyway, add `accept_advisories: [A-1]` to homelab"
)
ROUTER = """
homelab: {showroom: {handles: [main]}}
model_list:
  - {model_name: main, litellm_params: {model: openai/main, api_base: 'http://127.0.0.1:9/v1', api_key: a}}
litellm_settings: {callbacks: [litellm_homelab.plugin]}
"""


def _said(version: str, *accepted: str) -> tuple[list[str], list[str]]:
    """Problems and warnings."""
    homelab = Homelab.model_validate({"showroom": {"handles": ["main"]}, "accept_advisories": list(accepted)})
    return sorted_out(problems(homelab, version, PLANTED))


def test_an_exploited_hole_stops_the_start() -> None:
    """It says which hole, what it means here, where it is fixed, and how to go on with it."""
    stops, warns = _said("1.108.2")
    assert stops == [HOLE]
    assert warns == [f"LiteLLM 1.108.2 has a known hole: A-2: a smaller hole. Here: closed here. {UPGRADE}"]


def test_an_accepted_one_is_a_warning() -> None:
    """The log goes on saying it at each start."""
    stops, warns = _said("1.108.2", "A-1")
    assert stops == []
    assert warns[0] == (
        "LiteLLM 1.108.2: accepted in homelab.accept_advisories: A-1 (B-1): keys leak. Here: nothing helps. "
        f"Fixed in 1.108.3. {UPGRADE}"
    )


def test_an_unknown_id_is_a_problem() -> None:
    """A misspelt acceptance accepts nothing; all known ids are listed."""
    stops, _ = _said("1.110.2", "A-11")
    assert stops == [
        "homelab.accept_advisories[0]: unknown advisory 'A-11'; did you mean 'A-1'? (known: A-1, A-2)"
    ]


@pytest.mark.parametrize("version", ["", "1.110.2"], ids=["unknown", "fixed"])
def test_nothing_is_said_of_others(version: str) -> None:
    """A version without holes, and one that nobody knows."""
    assert _said(version) == ([], [])


def test_a_version_that_cannot_be_compared_is_a_warning() -> None:
    """A build of one's own starts, and the log says that nothing was compared."""
    stops, warns = _said("main")
    assert (stops, len(warns)) == ([], 1)
    assert "LiteLLM main: cannot be compared with published advisories" in warns[0]


def test_the_settings_ask_with_the_running_version() -> None:
    """The published ones through the whole loader: 1.83.6 does not start, 1.106.2 does."""
    with pytest.raises(SettingsError) as caught:
        parse(ROUTER, path="router.yaml", environ={}, known=Known(version="1.83.6"))
    assert [one.partition(": ")[2].split(": ")[1].split()[0] for one in caught.value.problems] == [
        "CVE-2026-42208",
        "CVE-2026-42271",
        "CVE-2026-59822",
    ]
    found = parse(ROUTER, path="router.yaml", environ={}, known=Known(version="1.106.2"))
    assert not [one for one in found.warnings if "hole" in one]
