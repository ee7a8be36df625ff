"""`python -m bench trace`: what is counted, what is compared, and what is said about it."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import importlib.util
import json
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import pytest
import yaml

from bench import __main__ as bench
from bench.trace import kinds, recorded, run, show
from bench.trace.count import Count, Counter, Line, Package
from bench.trace.recorded import Record, Row, Setting

WORK = """
from dataclasses import dataclass
import asyncio
import json

def step():
    return 1

def once():
    step()

def twice():
    step()
    step()

def thrice():
    step()
    step()
    step()

def elsewhere():
    json.dumps({})

async def waits():
    await asyncio.sleep(0)

@dataclass
class Pair:
    first: int
    second: int

def makes():
    Pair(1, 2)
"""
Load = Callable[[str, str], ModuleType]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Write a module into a small package and import it."""

    def loaded(file: str, source: str) -> ModuleType:
        path = tmp_path / "package" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
        name = f"traced_{path.parent.name}_{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module

    return loaded


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    """A counter of that package, whose `testing` is a stand-in."""
    folder = tmp_path / "package"
    made = Counter(Package(folder, (folder / "testing",)))
    yield made
    made.close()


def counted(counter: Counter, work: Callable[[], object]) -> Count:
    """What a function costs when CPython has specialised it."""
    for _ in range(20):
        work()
    with counter.counting():
        work()
    return counter.count()


# --- counting --------------------------------------------------------------------------------------


def test_a_planted_call_changes_the_count_by_its_cost(counter: Counter, load: Load) -> None:
    """One call more for each planted one, and each time as many opcodes more."""
    work = load("work.py", WORK)
    one, two, three = (counted(counter, one) for one in (work.once, work.twice, work.thrice))
    assert [count.calls for count in (one, two, three)] == [2, 3, 4]
    (step,) = (line for line in one.lines if line.function == "step")
    assert three.opcodes - two.opcodes == two.opcodes - one.opcodes > step.opcodes > 0


def test_a_count_is_the_same_every_time(counter: Counter, load: Load) -> None:
    """Two counts of the same work are equal, and each begins at 0."""
    work = load("work.py", WORK)
    assert counted(counter, work.thrice) == counted(counter, work.thrice)


def test_each_function_is_listed_with_its_file(counter: Counter, load: Load) -> None:
    """Calls by function; equal code in two files is counted for each."""
    one, other = load("work.py", WORK), load("deep/work.py", WORK)

    def both() -> None:
        one.twice()
        other.once()

    count = counted(counter, both)
    calls = {(line.file, line.function): line.calls for line in count.lines}
    assert calls == {
        ("work.py", "twice"): 1,
        ("work.py", "step"): 2,
        ("deep/work.py", "once"): 1,
        ("deep/work.py", "step"): 1,
    }
    assert (count.calls, count.files) == (5, 2)
    assert count.opcodes == sum(line.opcodes for line in count.lines)


def test_other_code_is_part_of_the_whole_alone(counter: Counter, load: Load) -> None:
    """A library that ours calls counts for the whole process, not for us."""
    work = load("work.py", WORK)
    count = counted(counter, work.elsewhere)
    assert [line.function for line in count.lines] == ["elsewhere"]
    assert count.whole > count.opcodes + 10


def test_stand_ins_do_not_count(counter: Counter, load: Load) -> None:
    """Neither as ours nor as a part of the whole."""
    work, stand_in = load("work.py", WORK), load("testing/work.py", WORK)

    def little() -> None:
        work.once()
        stand_in.once()

    def much() -> None:
        work.once()
        stand_in.thrice()

    count = counted(counter, much)
    assert {line.file for line in count.lines} == {"work.py"}
    assert count == counted(counter, little)


def test_a_generated_method_counts_for_its_module(counter: Counter, load: Load) -> None:
    """The `__init__` that `dataclasses` writes has no file; its class's module does."""
    work = load("work.py", WORK)
    lines = {(line.file, line.function) for line in counted(counter, work.makes).lines}
    assert lines == {("work.py", "makes"), ("work.py", "__create_fn__.<locals>.__init__")}


async def test_a_resumed_coroutine_counts(counter: Counter, load: Load) -> None:
    """In a task of its own: entered once, resumed once after its `await`."""
    work = load("work.py", WORK)
    with counter.counting():
        await asyncio.create_task(work.waits())
    (line,) = counter.count().lines
    assert (line.function, line.calls) == ("waits", 2)


def test_threads_count(counter: Counter, load: Load) -> None:
    """One that starts in the block, and one of a pool that started before it."""
    work = load("work.py", WORK)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work.once).result()
        with counter.counting():
            thread = Thread(target=work.once)
            thread.start()
            thread.join()
            pool.submit(work.once).result()
    assert counter.count().calls == 4


def test_nothing_counts_outside_of_the_block(counter: Counter, load: Load) -> None:
    """Garbage collection and the trace function are as before; an exception of the block passes."""
    work = load("work.py", WORK)
    before = sys.gettrace()
    seen: list[bool] = []

    def fails() -> None:
        with counter.counting():
            seen.append(gc.isenabled())
            work.once()
            raise ValueError("planted")

    with pytest.raises(ValueError, match=r"^planted$"):
        fails()
    assert seen == [False]
    assert gc.isenabled()
    assert sys.gettrace() is before
    work.thrice()
    assert (counter.count().calls, counter.ours()) == (2, counter.count().opcodes)


def test_the_round_with_least_work_is_taken() -> None:
    """Timers and background tasks only add to what a request costs."""
    rounds = [Count(1, 1, ours, whole, ()) for ours, whole in ((30, 900), (10, 700), (20, 950))]
    assert run.least(rounds) == Count(1, 1, 10, 700, ())


# --- with the plugin and without -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("callbacks", "left"),
    [
        pytest.param(["prometheus", "litellm_homelab.plugin"], ["prometheus"], id="one plugin"),
        pytest.param(["litellm_homelab.plugin", "other.hook"], ["other.hook"], id="several"),
        pytest.param("litellm_homelab.plugin", [], id="a string"),
        pytest.param("prometheus", ["prometheus"], id="a string of another's"),
    ],
)
def test_stock_has_nothing_of_ours(callbacks: object, left: list[str]) -> None:
    """No section, no callback and no auth function of this package, whatever they are called."""
    document = {
        "homelab": {"state": "memory://"},
        "model_list": [{"model_name": "main"}],
        "litellm_settings": {"callbacks": callbacks, "cache": False},
        "general_settings": {"custom_auth": "litellm_homelab.gate", "master_key": "k"},
    }
    before = json.dumps(document)
    assert kinds.stock(document) == {
        "model_list": [{"model_name": "main"}],
        "litellm_settings": {"callbacks": left, "cache": False},
        "general_settings": {"master_key": "k"},
    }
    assert json.dumps(document) == before


def test_stock_keeps_an_auth_function_of_others() -> None:
    """And a file without settings stays one."""
    assert kinds.stock({"general_settings": {"custom_auth": "mine.auth"}}) == {
        "general_settings": {"custom_auth": "mine.auth"}
    }


def test_the_shipped_router_file_is_what_is_counted(tmp_path: Path) -> None:
    """Both sides have the same models; only one names the package."""
    on, off = (kinds.write(tmp_path / str(plugin), plugin=plugin) for plugin in (True, False))
    with_plugin, without = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in (on, off))
    assert with_plugin["model_list"] == without["model_list"]
    assert "homelab" in with_plugin
    assert kinds.PACKAGE in on.read_text(encoding="utf-8")
    assert kinds.PACKAGE not in off.read_text(encoding="utf-8")
    models = {one["model_name"] for one in with_plugin["model_list"]}
    assert {one.model for one in kinds.KINDS.values() if one.status == 200} <= models


def test_a_kind_may_have_settings_beside_the_shipped_ones(tmp_path: Path) -> None:
    """They are added to the section; what it has itself stays."""
    shipped = yaml.safe_load(kinds.ROUTER.read_text(encoding="utf-8"))["homelab"]
    written = kinds.write(tmp_path / "more", plugin=True, homelab=kinds.KINDS["quota"].homelab)
    section = yaml.safe_load(written.read_text(encoding="utf-8"))["homelab"]
    assert section["quotas"] == {**shipped["quotas"], **kinds.QUOTAS}
    assert section["backends"]["main"]["at"] == [kinds.SERVER]
    assert section["showroom"] == shipped["showroom"]
    written = kinds.write(tmp_path / "less", plugin=True, homelab=kinds.KINDS["bare"].homelab)
    section = yaml.safe_load(written.read_text(encoding="utf-8"))["homelab"]
    assert {"backends", "timeouts"}.isdisjoint(section)
    assert section["showroom"] == shipped["showroom"]


def test_kinds_of_other_settings_run_in_other_processes() -> None:
    """Work of a setting is not counted for a kind without it."""
    parts = [*run.by_settings([*kinds.KINDS])]
    assert parts[0][0] == "plain"
    assert parts[1:] == [["bare"], ["probed"], ["quota"]]
    assert sorted(name for part in parts for name in part) == sorted(kinds.KINDS)


# --- comparing -------------------------------------------------------------------------------------

SETTING = Setting("2026-01-02", "3.11.7", "1.2.3")


def made(setting: Setting = SETTING, **opcodes: int) -> Record:
    """A record of which only the opcodes of ours matter."""
    return Record(setting, {name: Row(10, 2, number, 10_000, 9_900) for name, number in opcodes.items()})


@pytest.mark.parametrize(
    ("now", "fails"),
    [
        pytest.param(500, False, id="less"),
        pytest.param(1000, False, id="the same"),
        pytest.param(1100, False, id="10 %"),
        pytest.param(1101, True, id="more than 10 %"),
        pytest.param(1200, True, id="20 %"),
    ],
)
def test_more_than_a_tenth_is_a_problem(now: int, fails: bool) -> None:
    """Each kind of request is compared by itself: what one saves does not pay for another."""
    found = recorded.problems(made(plain=1000, streamed=9000), made(plain=now, streamed=3000))
    assert bool(found) is fails


def test_a_problem_says_what_grew_and_by_how_much() -> None:
    """The request, the recorded figure, the new one, the growth and what is allowed."""
    assert recorded.problems(made(plain=10_000), made(plain=12_340)) == [
        "plain chat: 12,340 opcodes of ours, recorded 10,000: +23.4%, allowed +10%"
    ]


def test_a_kind_without_a_record_is_a_problem() -> None:
    """A new kind of request is not passed over."""
    (line,) = recorded.problems(made(plain=1), made(plain=1, streamed=1))
    assert line.startswith("streamed: no figure is recorded")
    assert recorded.RECORD in line


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Each Python version has its own; a new record replaces only that of its version."""
    file = tmp_path / "trace.json"
    assert recorded.read("3.11", file) is None
    newer = dataclasses.replace(SETTING, python="3.12.1")
    for record in (made(plain=1), made(newer, plain=7), made(plain=2)):
        recorded.write(record, file)
    assert recorded.read("3.11", file) == made(plain=2)
    assert recorded.read("3.12", file) == made(newer, plain=7)
    assert recorded.read("3.13", file) is None


def test_the_shipped_record_has_every_kind() -> None:
    """Of one Python version at least, with the share over stock where there is one."""
    documents = json.loads(recorded.FILE.read_text(encoding="utf-8"))
    assert documents
    for document in documents.values():
        rows = Record.read(document).rows
        assert list(rows) == list(kinds.KINDS)
        assert [row.over_stock is not None for row in rows.values()] == [
            kind.comparable for kind in kinds.KINDS.values()
        ]


def test_what_is_ours_in_a_stock_process_is_the_harness() -> None:
    """MockProxy itself uses code of the package: without the plugin it is no part of the whole."""
    row = Row.of(Count(5, 2, 100, 1_100, ()), Count(1, 1, 50, 1_050, ()))
    assert row.stock == 1_000
    assert row.over_stock == pytest.approx(0.1)


# --- the command -----------------------------------------------------------------------------------


def traced(monkeypatch: pytest.MonkeyPatch, record: Record, file: Path) -> None:
    """Let the command count this, and keep its record in that file."""

    def count(names: list[str], rounds: int, *, stock: bool) -> tuple[Record, dict[str, Count]]:
        lines = (Line("a.py", "first", 1, 100), Line("b.py", "second", 9, 800), Line("a.py", "third", 2, 100))
        return record, dict.fromkeys(names, Count(12, 2, 1000, 9000, lines))

    read, write = recorded.read, recorded.write
    monkeypatch.setattr(run, "count", count)
    monkeypatch.setattr(recorded, "read", lambda minor: read(minor, file))
    monkeypatch.setattr(recorded, "write", lambda made: write(made, file))


@pytest.mark.parametrize(
    ("now", "status", "said"),
    [
        pytest.param(1000, 0, "", id="the same"),
        pytest.param(
            1200, 1, rf"recorded 1,000: \+20.0%, allowed \+10%\n.*--where.*{recorded.RECORD}", id="20 %"
        ),
        pytest.param(800, 0, f"Cheaper than recorded .*plain chat.*{recorded.RECORD}", id="less"),
    ],
)
def test_the_check_fails_when_a_request_costs_more(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    now: int,
    status: int,
    said: str,
) -> None:
    """Exit 1 with what grew, how to find the cause and how to record anew."""
    file = tmp_path / "trace.json"
    recorded.write(made(plain=1000), file)
    traced(monkeypatch, made(plain=now), file)
    assert bench.main(["trace", "--check"]) == status
    err = capsys.readouterr().err
    assert bool(err) is bool(said)
    assert re.search(said, err, re.DOTALL)


def test_another_python_is_not_compared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its opcodes are other ones; the check says that it compared nothing."""
    file = tmp_path / "trace.json"
    recorded.write(made(dataclasses.replace(SETTING, python="3.12.1"), plain=1), file)
    traced(monkeypatch, made(plain=1000), file)
    assert bench.main(["trace", "--check"]) == 0
    assert "no figures are recorded for Python 3.11" in capsys.readouterr().err


def test_what_is_recorded_is_checked_against(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--record` writes the figures, and prints them; `--json` prints them for a machine."""
    file = tmp_path / "trace.json"
    traced(monkeypatch, made(plain=1000), file)
    assert bench.main(["trace", "--record", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(file.read_text(encoding="utf-8"))["3.11"]
    assert bench.main(["trace", "--check"]) == 0


def test_where_lists_files_and_functions_the_most_expensive_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With their opcodes, their share of ours, and their calls."""
    traced(monkeypatch, made(plain=1000), tmp_path / "trace.json")
    assert bench.main(["trace", "--where", "plain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "plain chat: 12 calls, 2 files, 1,000 opcodes of ours"
    rows = [line.split(maxsplit=3) for line in lines if "%" in line]
    assert rows == [
        ["800", "80.0%", "9", "b.py"],
        ["200", "20.0%", "3", "a.py"],
        ["800", "80.0%", "9", "b.py: second"],
        ["100", "10.0%", "1", "a.py: first"],
        ["100", "10.0%", "2", "a.py: third"],
    ]


def test_a_count_that_fails_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1, and no table."""

    def count(*_: object, **__: object) -> Any:
        raise RuntimeError("plain chat: answered 500")

    monkeypatch.setattr(run, "count", count)
    assert bench.main(["trace"]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "plain chat: answered 500\n")


def test_the_tables_have_a_row_for_each_kind() -> None:
    """Numbers with thousands, shares in percent; a kind without stock has empty cells."""
    rows = {"plain": Row(10, 2, 5_100, 100_300, 100_000), "refused": Row(1, 1, 50, 60)}
    record = Record(SETTING, rows)
    assert show.table(record).splitlines()[-2:] == [
        "plain chat       10      2            5,100        100,300  100,000      +0.30%",
        "refused name      1      1               50             60",
    ]
    assert show.markdown(record).splitlines()[-1] == "| refused name | 1 | 1 | 50 | 60 |  |  |"


def test_the_check_shows_what_was_recorded() -> None:
    """The growth of each kind; empty cells for one without a record."""
    lines = show.comparison(made(plain=1000), made(plain=1050, streamed=9)).splitlines()
    assert [line.split() for line in lines] == [
        ["request", "calls", "files", "opcodes", "of", "ours", "recorded", "growth"],
        ["plain", "chat", "10", "2", "1,050", "1,000", "+5.0%"],
        ["streamed", "10", "2", "9"],
    ]
