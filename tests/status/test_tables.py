"""What a gateway says, as tables for a terminal."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_homelab.status import tables
from litellm_homelab.status.asking import PARTS
from tests.page import sample
from tests.status import fake_gateway

GOLDEN = """\
litellm-homelab 0.1.0 on LiteLLM 1.108.7, 1 worker

Problems
  warning: nas is not reachable; fallbacks answer for main.
    Start the server, or check that the gateway reaches its address and port.

Handles
  HANDLE      STATE             MODE            TOKENS/S  WAITING  BACKENDS  THEN
  main        fallback answers  chat                45.0        -  nas       cloud
  cloud       not watched       chat                   -        -  there     -
  boost       not watched       chat                   -        -  lane      -
  secret-one  up                chat, hidden           -        3  gpu       -
  base        up                chat, internal         -        3  gpu       -

Backends
  BACKEND  STATE         FOR  KIND     IN USE  WAITING  LOADED  SERVES
  gpu      up           60 s  vllm     2 of 2        3  qwen    secret-one, base
  nas      absent       30 s  ollama        -        -  -       main
  there    not watched     -  cloud         -        -  -       cloud
  lane     not watched     -  optillm       -        -  -       boost

Requests through OptiLLM
  REQUEST   HANDLE  APPROACH  CALLER  CALLS DONE          TOKENS  FOR
  aaaaaaaa  boost   moa       app     2 of 3, at most 64     120  4 s

Quotas
  QUOTA  WINDOW            USED  RESETS            LIMIT FROM
  free   requests/day  40 of 50  2026-11-26 19:40  configuration

Last refusals
  AGO  TIMES  STATUS  TYPE             CALLER  REASON
  5 s      1     404  model_not_found  app     no

7 refusals and 1 blocked loop in the last 24 hours, counted for 60 min.
"""


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times are shown in the time zone of this machine."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_whole_text() -> None:
    """Problems first, then a table for each part that has rows."""
    assert tables.written(fake_gateway.view(), sample.NOW, colour=False) == GOLDEN


def test_no_problem_is_said() -> None:
    """A table without rows is left out, and so is a column without a value."""
    said = tables.written(QUIET, sample.NOW, colour=False)
    assert said == (
        "litellm-homelab 0.1.0 on LiteLLM 1.108.7, 1 worker\n\nProblems\n  none\n\nHandles\n"
        "  HANDLE  STATE  MODE\n  main    up     chat\n\n"
        "? refusals and ? blocked loops in the last 24 hours.\n"
    )


QUIET: dict[str, Any] = {
    "gateway": {"version": "0.1.0", "litellm": "1.108.7", "workers": 1, "workers_seen": 1, "is_exact": True},
    "problems": [],
    "handles": [{"name": "main", "state": "up", "mode": "chat", "waiting": 0, "tokens_per_second": None}],
    **{name: [] for name in ("backends", "roots", "quotas", "refusals")},
}


@pytest.mark.parametrize(
    ("severities", "found"),
    [
        pytest.param([], False, id="none"),
        pytest.param(["info"], False, id="good to know"),
        pytest.param(["info", "warning"], True, id="warning"),
        pytest.param(["error"], True, id="error"),
    ],
)
def test_what_counts_as_a_problem(severities: list[str], found: bool) -> None:
    """Errors and warnings."""
    problems = [{"severity": one, "what": "x", "first": "y"} for one in severities]
    assert tables.has_problems({**QUIET, "problems": problems}) == found


def test_several_workers() -> None:
    """Numbers of some of them say so."""
    gateway = {**QUIET["gateway"], "workers": 3, "workers_seen": 2, "is_exact": False}
    said = tables.written({**QUIET, "gateway": gateway}, sample.NOW, colour=False)
    assert said.startswith(
        "litellm-homelab 0.1.0 on LiteLLM 1.108.7, 2 of 3 workers (some numbers are incomplete)\n"
    )


def test_colours_change_no_column() -> None:
    """Without them the text is the same; the state of a handle and the severity of a problem have one."""
    plain = tables.written(fake_gateway.view(), sample.NOW, colour=False)
    coloured = tables.written(fake_gateway.view(), sample.NOW, colour=True)
    assert re.sub(r"\x1b\[\d+m", "", coloured) == re.sub(r" +(?=\n)", "", plain)
    assert "\x1b[33mwarning\x1b[0m: nas" in coloured
    assert "\x1b[31mabsent     \x1b[0m" in coloured
    assert "\x1b" not in plain


@pytest.mark.parametrize("hostile", ["\x1b[2J", "a\nerror: b", "\u202egnp", "\x9b31m", "\x07", "\ud800"])
@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("problems", "what"),
        ("problems", "severity"),
        ("handles", "name"),
        ("handles", "state"),
        ("backends", "loaded"),
        ("roots", "caller"),
        ("quotas", "name"),
        ("refusals", "handle"),
        ("refusals", "message"),
    ],
)
def test_a_name_cannot_write_to_the_terminal(part: str, name: str, hostile: str) -> None:
    """Clients choose some names and words: each is one line, its control characters shown as text."""
    view = fake_gateway.view()
    view[part][0][name] = [hostile] if name == "loaded" else hostile
    for colour in (False, True):
        said = re.sub(r"\x1b\[(?:1|0|3[123])m", "", tables.written(view, sample.NOW, colour=colour))
        assert all(one.isprintable() or one == "\n" for one in said)
        assert len(said.splitlines()) == len(GOLDEN.splitlines())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
FIELDS = (
    *(
        "name",
        "state",
        "mode",
        "place",
        "waiting",
        "tokens_per_second",
        "backends",
        "since",
        "loaded",
        "slots",
    ),
    *(
        "severity",
        "what",
        "resets_at",
        "closed_until",
        "is_rolling",
        "limit",
        "used",
        "at",
        "times",
        "status",
    ),
)
ROW = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6)


@settings(max_examples=200, deadline=None)
@given(
    st.fixed_dictionaries({name: st.lists(ROW, max_size=2) for name in PARTS}),
    JSON,
    JSON,
)
def test_any_values_are_shown(view: dict[str, Any], gateway: object, counts: object) -> None:
    """A gateway of another version, or a server that is none: text, whatever it says."""
    said = tables.written({**view, "gateway": gateway, "counts": counts}, sample.NOW, colour=False)
    assert all(one.isprintable() or one == "\n" for one in said)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-5, "0 s"), (4, "4 s"), (89, "89 s"), (120, "2 min"), (7200, "2 h"), (400_000, "5 days")],
)
def test_age(seconds: float, shown: str) -> None:
    """In the unit in which it is read at a glance."""
    assert tables.age(seconds) == shown
