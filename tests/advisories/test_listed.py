"""The data file of advisories."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from litellm_homelab.advisories.listed import LITELLM, OPTILLM, Advisory, published, read
from litellm_homelab.advisories.versions import ordered
from litellm_homelab.optillm.catalogue import CATALOGUE

NAME = re.compile(r"(CVE|PYSEC|MAL)-\d{4}-\d+|GHSA(-\w{4}){3}|optillm#\d+")
ADVISORIES = published().advisories
ONE = """\
date = "2026-11-26"
[[advisory]]
id = "A-1"
what = "a hole"
here = "nothing"
"""


def test_the_file_is_dated_and_names_nothing_twice() -> None:
    """A date, and one meaning for each id and alias."""
    assert dt.date.fromisoformat(published().date) >= dt.date(2026, 11, 26)
    assert len(set(published().ids)) == len(published().ids)


@pytest.mark.parametrize("one", [pytest.param(one, id=one.id) for one in ADVISORIES])
def test_each_says_what_it_is(one: Advisory) -> None:
    """The hole and what it means here, in plain clauses; bounds that are versions; known approaches."""
    assert one.package in (LITELLM, OPTILLM)
    assert all(NAME.fullmatch(name) for name in one.ids)
    assert one.what
    assert one.here
    assert not (one.what + one.here).endswith(".")
    assert one.affected
    bounds = [bound for held in one.affected for bound in (held.introduced, held.before, held.last) if bound]
    assert all(ordered(bound) is not None for bound in (*bounds, *one.fixed))
    assert set(one.approaches) <= set(CATALOGUE)
    assert bool(one.approaches) == (one.package == OPTILLM)


@pytest.mark.parametrize("one", [pytest.param(one, id=one.id) for one in ADVISORIES if one.fixed])
def test_a_fixed_version_is_not_affected(one: Advisory) -> None:
    """What the file recommends is outside of every range."""
    for fixed in map(ordered, one.fixed):
        assert fixed is not None
        assert not any(held.holds(fixed) for held in one.affected)


def test_known_exploited_are_those_of_the_lists() -> None:
    """CISA's list as of the file's date, and the malware."""
    exploited = {one.id for one in ADVISORIES if one.exploited}
    assert exploited == {"CVE-2026-42208", "CVE-2026-42271", "CVE-2026-59822", "MAL-2026-2144"}


@pytest.mark.parametrize(
    ("line", "named"),
    [
        pytest.param("", "A-1", id="no range"),
        pytest.param('affected = [{upto = "1.0"}]', "A-1", id="unknown bound"),
        pytest.param("affected = [{}]\nexploitable = true", "A-1", id="unknown field"),
    ],
)
def test_a_wrong_entry_is_named(line: str, named: str) -> None:
    """A field that nobody reads would be a rule that nobody applies."""
    with pytest.raises(ValueError, match=named):
        read(f"{ONE}{line}\n")


def test_what_is_left_out_is_empty() -> None:
    """Aliases, fixed versions and approaches may be missing; not exploited unless it says so."""
    (one,) = read(f"{ONE}affected = [{{}}]\n").advisories
    assert (one.package, one.aliases, one.fixed, one.approaches, one.exploited) == (
        LITELLM,
        (),
        (),
        (),
        False,
    )
