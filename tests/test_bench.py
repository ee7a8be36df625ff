"""The benchmark's arithmetic, its tables, and what it takes for a failure."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench import __main__ as bench
from bench import figure, hooks, lane, replay, report, router, taps, upstream, wrk
from bench.entry import command as entry
from bench.entry import mock, results
from bench.entry.memory import Peak, resident_mb
from bench.entry.results import DIRECT, Result
from bench.figure import Aim, Figure, Measure
from bench.machine import Machine
from bench.plan import QUICK
from bench.processes import processor_seconds
from bench.wrk import LoadFailed

HUNDRED = [float(number) for number in range(1, 101)]
MACHINE = Machine("2026-01-02 03:04 UTC", "Linux x86_64", "a CPU", 2, "3.11", "1.2.3", "0.0.1", 0.25)


def made(**fields: Any) -> Figure:
    """A figure of which only the given fields matter."""
    some = {"section": "load", "what": "latency", "unit": "ms", "how": "by looking"}
    return Measure(**{**some, **{name: value for name, value in fields.items() if name != "rounds"}}).of(
        fields.get("rounds", [1.0, 2.0, 4.0])
    )


# --- figures ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "percent", "expected"),
    [
        pytest.param(HUNDRED, 99, 99.0, id="99 of 100"),
        pytest.param(HUNDRED, 100, 100.0, id="the worst"),
        pytest.param(HUNDRED, 0, 1.0, id="the best"),
        pytest.param([7.0], 99, 7.0, id="one"),
        pytest.param([1.0, 2.0], 50, 1.0, id="none in between"),
    ],
)
def test_a_percentile_is_one_that_was_measured(numbers: list[float], percent: float, expected: float) -> None:
    """The nearest rank, never a number between two rounds."""
    assert figure.percentile(numbers, percent) == expected


def test_rounds_are_summed_up_whatever_their_order() -> None:
    """Median, p99, least and most, and how many rounds there were."""
    summed = made(rounds=HUNDRED[::-1])
    assert (summed.n, summed.median, summed.p99, summed.least, summed.most) == (100, 50.5, 99.0, 1.0, 100.0)


def test_few_rounds_have_no_p99() -> None:
    """It would be the worst round by another name."""
    assert made(rounds=HUNDRED[:99]).p99 is None


def test_nothing_measured_is_no_figure() -> None:
    """A section that measured nothing fails instead of printing a zero."""
    with pytest.raises(ValueError, match=r"load: nothing was measured of 'latency'"):
        made(rounds=[])


@pytest.mark.parametrize(
    ("aim", "rounds", "reached"),
    [
        pytest.param(None, [1.0], None, id="no aim"),
        pytest.param(Aim(2.0), [1.0, 1.5, 9.0], True, id="median below"),
        pytest.param(Aim(1.5), [1.0, 1.5, 9.0], False, id="not below at the bound"),
        pytest.param(Aim(99.5, "p99"), HUNDRED, True, id="p99 below"),
        pytest.param(Aim(98.5, "p99"), HUNDRED, False, id="p99 above"),
        pytest.param(Aim(98.5, "p99"), [1.0], None, id="too few rounds for a p99"),
    ],
)
def test_an_aim_is_reached_or_missed(aim: Aim | None, rounds: list[float], reached: bool | None) -> None:
    """The aim says which number of the figure is meant."""
    summed = made(aim=aim, rounds=rounds)
    assert summed.reached is reached
    assert summed.document()["reached"] is reached


def test_rounds_are_compared_in_pairs() -> None:
    """A slow moment that hits both rounds of a pair is not in the quotient."""
    assert figure.paired([10.0, 1000.0], [5.0, 500.0]) == [2.0, 2.0]
    assert figure.losses([98.0, 49.0], [100.0, 50.0]) == pytest.approx([2.0, 2.0])
    assert figure.losses([110.0], [100.0]) == pytest.approx([-10.0])
    assert figure.differences([3.0, 5.0], [1.0, 4.0]) == [2.0, 1.0]


@pytest.mark.parametrize(
    ("first", "second"),
    [pytest.param([1.0], [1.0, 2.0], id="a partner is missing"), pytest.param([1.0], [0.0], id="by nothing")],
)
def test_rounds_without_a_partner_are_not_compared(first: list[float], second: list[float]) -> None:
    """Rather no figure than one of another run's rounds."""
    with pytest.raises(ValueError, match=r"paired|compared"):
        figure.paired(first, second)


def test_sides_take_turns() -> None:
    """ABBA: each side is as often first as last."""
    assert figure.turns(["on", "off"], 3) == [("on", "off"), ("off", "on"), ("on", "off")]


# --- the report ------------------------------------------------------------------------------------

FIGURES = [
    made(section="hooks", what="gate", hooks="on", parameters={"prompt": "1 KB"}, aim=Aim(3.0), how="a"),
    made(section="hooks", what="door", hooks="on", how="b"),
    made(what="requests per second", unit="1/s", hooks="off", rounds=[1234.5]),
]


def test_json_has_machine_and_figures() -> None:
    """Every figure with its unit and how it was measured; the machine beside them."""
    document = json.loads(report.as_json(MACHINE, FIGURES))
    assert document["machine"]["cpu"] == "a CPU"
    first = document["figures"][0]
    assert first["parameters"] == {"prompt": "1 KB"}
    assert first["aim"] == {"below": 3.0, "of": "median"}
    assert {name: first[name] for name in ("unit", "how", "median", "reached", "n")} == {
        "unit": "ms",
        "how": "a",
        "median": 2.0,
        "reached": True,
        "n": 3,
    }


def test_text_has_aligned_tables() -> None:
    """A table for each section, the aims before them, each way of measuring below its own."""
    lines = report.as_text(MACHINE, FIGURES).splitlines()
    assert lines[0].startswith("2026-01-02 03:04 UTC; a CPU, 2 cores")
    titles = [lines[number + 1] for number, line in enumerate(lines) if not line]
    assert titles == [report.SECTIONS[name] for name in ("aims", "hooks", "load")]
    heads = [line for line in lines if line.startswith("what ")]
    assert len(heads) == 3
    assert any(line.startswith("gate") and line.endswith("median < 3.00: reached") for line in lines)
    assert [line for line in lines if line.startswith("  How")] == [
        "  How (gate): a.",
        "  How (door): b.",
        "  How: by looking.",
    ]
    start = heads[1].index("hooks")
    assert [line[start : start + 4].strip() for line in lines if line.startswith("door")] == ["on"]


def test_markdown_has_as_many_cells_everywhere() -> None:
    """Each row of a table has the cells of its head."""
    rows = [line for line in report.as_markdown(MACHINE, FIGURES).splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {len(report.COLUMNS) + 1}
    assert len(rows) == 3 * 2 + len(FIGURES) + 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.123456, "0.12"), (12.345, "12.3"), (-12.345, "-12.3"), (1234.5, "1,234"), (99.99, "100.0")],
)
def test_a_number_has_the_digits_that_say_something(value: float, shown: str) -> None:
    """Three of them, or all that stand before the point."""
    assert report.number(value) == shown


def test_a_page_gets_the_numbers_between_its_marks(tmp_path: Path) -> None:
    """What stands around them stays, however often they are replaced."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    for _ in range(2):
        report.put_into(page, "new\n")
    assert page.read_text(encoding="utf-8") == f"before\n{report.BEGIN}\nnew\n{report.END}\nafter\n"


# --- the command line ------------------------------------------------------------------------------


def test_without_wrk_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, before anything is measured."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bench.main([]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", wrk.MISSING + "\n")


def test_a_page_without_a_place_is_told_before_minutes_go_by(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, before anything is measured."""
    page = tmp_path / "page.md"
    page.write_text("no marks", encoding="utf-8")
    assert bench.main(["--only", "hooks", "--into", str(page)]) == 2
    assert report.BEGIN in capsys.readouterr().err


def test_an_unknown_section_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With the ones that there are."""
    with pytest.raises(SystemExit, match="2"):
        bench.main(["--only", "hooks,hocks"])
    assert "no section 'hocks' (there is: hooks, lane, load, start, loop)" in capsys.readouterr().err


def test_a_request_that_fails_ends_it_without_a_number(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1 and nothing on standard output: half a table would be taken for a whole one."""

    def measure(*_: object) -> Iterator[Figure]:
        yield FIGURES[0]
        raise LoadFailed("of 7 requests failed")

    monkeypatch.setitem(bench.MEASURED, "lane", measure)
    assert bench.main(["--only", "lane"]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "of 7 requests failed\n")


def test_the_sections_keep_their_order(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Whatever the order on the command line; and the page gets what was printed."""
    page = tmp_path / "page.md"
    page.write_text(f"{report.BEGIN}{report.END}", encoding="utf-8")
    for name in ("lane", "start"):
        monkeypatch.setitem(bench.MEASURED, name, lambda *_, name=name: iter([made(section=name)]))
    assert bench.main(["--only", "start,lane", "--markdown", "--into", str(page)]) == 0
    printed = capsys.readouterr().out
    assert printed.index(report.SECTIONS["lane"]) < printed.index(report.SECTIONS["start"])
    assert printed.strip() in page.read_text(encoding="utf-8")


# --- wrk -------------------------------------------------------------------------------------------

SUMMARY = {
    "requests": 500,
    "microseconds": 2_000_000,
    "p50": 1500.5,
    "p99": 9000.0,
    **dict.fromkeys(wrk.ERRORS, 0),
}


def test_the_summary_of_a_run_is_read() -> None:
    """What `post.lua` prints, behind wrk's own words."""
    load = wrk.read(f"Running 2s test\n  4 connections\n\n{json.dumps(SUMMARY)}\n")
    assert (load.requests, load.seconds, load.rate, load.p50, load.p99) == (500, 2.0, 250.0, 1500.5, 9000.0)


@pytest.mark.parametrize(
    "output",
    [
        pytest.param("unable to connect", id="no summary"),
        pytest.param(json.dumps({**SUMMARY, "requests": 0}), id="no request"),
        *(pytest.param(json.dumps({**SUMMARY, name: 1}), id=f"{name} error") for name in wrk.ERRORS),
    ],
)
def test_a_run_with_errors_is_no_measurement(output: str) -> None:
    """An error is answered faster than a chat completion: it would look like a gain."""
    with pytest.raises(LoadFailed):
        wrk.read(output)


# --- what is measured ------------------------------------------------------------------------------


def test_the_processor_time_of_a_process_is_known(tmp_path: Path) -> None:
    """User and system time together, whatever the process is called; nothing of one that is not there."""
    (tmp_path / "7").mkdir()
    numbers = " ".join(map(str, range(4, 53)))  # field 14 is utime, 15 stime (proc_pid_stat(5))
    (tmp_path / "7" / "stat").write_text(f"7 (an (odd) name) R {numbers}\n")
    ticks = 14 + 15
    assert processor_seconds(7, tmp_path) == ticks / os.sysconf("SC_CLK_TCK")
    assert processor_seconds(8, tmp_path) is None


def test_the_sides_differ_in_what_is_ours_alone() -> None:
    """Stock LiteLLM has the same models, settings and `prometheus`; no section, gate or callback of ours."""
    on, off = (router.document(3, "http://upstream", hooks=hooks) for hooks in (True, False))
    assert on["model_list"] == off["model_list"]
    assert off["litellm_settings"]["callbacks"] == ["prometheus"]
    assert [name for name in on["litellm_settings"]["callbacks"] if router.OURS in name] == [
        "litellm_homelab.plugin"
    ]
    del on["homelab"], on["general_settings"]["custom_auth"]
    on["litellm_settings"]["callbacks"] = ["prometheus"]
    assert on == off


def test_the_chain_is_a_share_of_stocks_whole_request() -> None:
    """Round by round, in percent, with the aim of its handle and size; and its p99 over its median."""
    asked = {"handle": router.PLAIN, "prompt": "1 KB"}
    ours = hooks.Walks([[{"pre-call": 1.0, taps.WHOLE: 9.0}] * 50, [{"pre-call": 3.0, taps.WHOLE: 9.0}] * 50])
    stock = hooks.Walks([[{taps.WHOLE: 100.0}], [{taps.WHOLE: 200.0}]])
    share, spread = hooks.shares(asked, ours, stock)
    assert (share.unit, share.least, share.most, share.aim) == ("%", 1.0, 1.5, Aim(1.0))
    assert (spread.unit, spread.median, spread.aim) == ("ratio", 1.5, Aim(2.0))
    few = hooks.Walks([ours.batches[0][:9], ours.batches[1][:9]])
    assert [one.what for one in hooks.shares(asked, few, stock)] == [hooks.SHARE]


class Clock:
    """A clock that stands still unless something says that it took time."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        """What `time.perf_counter` would say."""
        return self.now

    async def takes(self, seconds: float, message: Any = None) -> Any:
        """Something that takes time and gives a message."""
        self.now += seconds
        return message


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The stopwatches' clock."""
    made = Clock()
    monkeypatch.setattr(taps, "time", made)
    return made


async def test_a_middlewares_time_is_without_the_app_inside(clock: Clock) -> None:
    """What it does before, after, and to what passes it; not the app, the client, or the wait for its end."""

    class Middleware:
        app: Any

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def slower(message: Any) -> None:
                await clock.takes(0.25)
                await send(message)

            message = await receive()
            await clock.takes(1)
            await self.app(scope, lambda: clock.takes(0, message), slower)
            await clock.takes(2)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await clock.takes(100)
        await send({"type": "http.response.start"})
        await send({"type": "http.response.body"})

    middleware = Middleware()
    middleware.app = app
    served = taps.around(middleware, "edge")
    with taps.walk() as steps:
        await served(
            {},
            lambda: clock.takes(1000, {"type": "http.request"}),
            lambda message: clock.takes(10_000),
        )
    assert steps["edge"] == 3.5
    assert steps[taps.WHOLE] == 21_103.5


async def test_a_hooks_time_is_counted_each_time_it_runs(clock: Clock) -> None:
    """Async or not, refusing or not, and in the walk that it belongs to."""

    def refuses() -> None:
        clock.now += 0.5
        raise ValueError

    hook, wire = taps.tap("attempt", clock.takes), taps.tap("wire", refuses)
    await hook(7.0)  # outside of any walk: nobody's
    with taps.walk() as steps:
        assert await hook(1.0, "an answer") == "an answer"
        await hook(2.0)
        with pytest.raises(ValueError, match=r"^$"):
            wire()
    assert (steps["attempt"], steps["wire"]) == (3.0, 0.5)


async def test_kept_calls_are_those_that_the_client_waits_for() -> None:
    """As they were before the hook changed what it was given, in their order; the log's are left out."""

    def empties(data: dict[str, int]) -> None:
        data.clear()

    with replay.keeping() as kept:
        taps.tap("attempt", empties)({"n": 1})
        taps.tap("log: metrics", empties)({"n": 2})
        taps.tap("wire", empties)(data={"n": 3})
    taps.tap("wire", empties)({"n": 4})
    assert [(hook, args, named) for hook, args, named in kept.calls] == [
        (empties, ({"n": 1},), {}),
        (empties, (), {"data": {"n": 3}}),
    ]


async def test_an_answer_is_kept_as_the_middleware_finds_it(clock: Clock) -> None:
    """Before it takes headers out; what another middleware around the router sends is not kept twice."""

    class Middleware:
        app: Any

        def __init__(self, name: str) -> None:
            self.name = name

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def clean(message: Any) -> None:
                message["headers"] = [self.name]
                await send(message)

            await self.app(scope, receive, clean)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "headers": ["app"]})

    edge, door = Middleware("edge"), Middleware("door")
    door.app = app
    edge.app = taps.around(door, taps.DOOR)
    served = taps.around(edge, taps.EDGE)
    with replay.keeping() as kept:
        await served({"path": "/"}, lambda: clock.takes(0), lambda message: clock.takes(0))
    assert kept.answer == [{"type": "http.response.start", "headers": ["door"]}]
    assert kept.scope == {"path": "/"}


async def test_a_replay_gives_every_hook_the_same_again() -> None:
    """Through the middlewares, in order, whatever the hooks do to what they are given."""
    seen: list[object] = []

    class Around:
        app: Any = None

        def __init__(self, name: str) -> None:
            self.name = name

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            seen.append((self.name, scope.pop("path")))
            scope["path"] = "inner"

            async def noting(message: Any) -> None:
                seen.append((self.name, message.pop("type")))
                await send({"type": self.name})

            await self.app(scope, receive, noting)

    async def hook(data: dict[str, int]) -> None:
        seen.append(data.pop("n"))

    calls = [(hook, ({"n": 1},), {}), (hook, (), {"data": {"n": 2}})]
    kept = replay.Kept([*calls], {"path": "outer"}, [{"type": "http.response.start"}])
    again = replay.Replay(Around("edge"), Around("door"), kept, b"{}")
    for _ in range(2):
        assert await again.run() > 0
    started = "http.response.start"
    assert seen == [("edge", "outer"), ("door", "inner"), 1, 2, ("door", started), ("edge", "door")] * 2


def test_the_client_waits_for_all_but_the_log_and_the_count() -> None:
    """What comes after the answer is not part of the chain."""
    assert [step for step in (*taps.METHODS.values(), taps.EDGE, taps.COUNT) if not taps.awaited(step)] == [
        "log",
        taps.COUNT,
    ]


class Written:
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Keep it."""
        self.parts.append(data)


@pytest.mark.parametrize("size", [1, 7, 10_000], ids=["byte by byte", "in pieces", "at once"])
def test_the_upstream_answers_each_whole_request(size: int) -> None:
    """However the requests arrive, and once each."""
    request = b'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nContent-Length: 11\r\n\r\n{"a": "\\n"}'
    sent, written = request * 3, Written()
    connection = upstream.Same(b"an answer")
    connection.connection_made(written)  # type: ignore[arg-type]  # all of a transport that it uses
    for start in range(0, len(sent) - 1, size):
        connection.data_received(sent[start : min(start + size, len(sent) - 1)])
    assert written.parts == [b"an answer"] * 2
    connection.data_received(sent[-1:])
    assert written.parts == [b"an answer"] * 3


def test_the_lane_is_a_small_part_of_a_request() -> None:
    """What the lane adds is less than a tenth of what stock LiteLLM takes in the same run."""
    plan = dataclasses.replace(QUICK, lane_rounds=20)
    figures = list(lane.measure(plan, lambda line: None))
    medians = {
        (one.hooks, one.parameters["prompt"], one.parameters.get("state")): one.median for one in figures
    }
    assert len(figures) == len(medians) == 10
    for size in ("1 KB", "1 MB"):
        assert medians["on", size, "memory"] * 10 < medians["off", size, None]
        assert medians["on", size, "sqlite"] > 0
        for state in ("memory", "sqlite"):
            share = medians["on", size, state] / medians["off", size, None] * 100
            assert medians["-", size, state] == pytest.approx(share)


# --- the entry for ai-gateway-bench ---------------------------------------------------------------


def loaded(milliseconds: float, requests: int = 100) -> wrk.Load:
    """One run of a second in which every request took so long."""
    return wrk.Load(requests, 1.0, milliseconds * 1e3, milliseconds * 2e3)


ENTRY = [
    Result.of(DIRECT, "http://up/v1/messages", 1, [loaded(20), loaded(22), loaded(21)]),
    Result.of("litellm-python", "http://off/v1/messages", 1, [loaded(30), loaded(32), loaded(31)]),
    Result.of("litellm-homelab", "http://on/v1/messages", 1, [loaded(31), loaded(33), loaded(32.5)]),
    Result.of(DIRECT, "http://up/v1/messages", 4, [loaded(21)]),
    Result.of("litellm-python", "http://off/v1/messages", 4, [loaded(60)]),
    Result.of("litellm-homelab", "http://on/v1/messages", 4, [loaded(61)]),
]
MEMORY = {"litellm-python": 350.0, "litellm-homelab": None}


def test_what_a_gateway_adds_is_less_the_upstream_alone() -> None:
    """At the same concurrency, of the medians of the rounds."""
    found = results.rows(ENTRY, MEMORY)
    assert [(one.gateway, one.concurrency) for one in found] == [
        ("litellm-python", 1),
        ("litellm-homelab", 1),
        ("litellm-python", 4),
        ("litellm-homelab", 4),
    ]
    assert [one.p50_added_latency_ms for one in found] == [10.0, 11.5, 39.0, 40.0]
    assert [one.p99_added_latency_ms for one in found] == [20.0, 23.0, 78.0, 80.0]
    assert results.table(found).splitlines()[:3] == [
        "gateway,concurrency,rps,p50_added_latency_ms,p99_added_latency_ms,peak_rss_mb",
        "litellm-python,1,100.0,10.0,20.0,350.0",
        "litellm-homelab,1,100.0,11.5,23.0,",
    ]


def test_the_files_are_those_of_the_benchmark(tmp_path: Path) -> None:
    """Its load probe's names in JSON, and the columns that its charts read."""
    results.write(tmp_path / "results", ENTRY, results.rows(ENTRY, MEMORY))
    written = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "results").iterdir()}
    sides = ("direct", "litellm_homelab", "litellm_python")
    assert sorted(written) == [
        *[f"{side}_messages_c{number}.json" for side in sides[:1] for number in (1, 4)],
        "latency_vs_concurrency.csv",
        *[f"{side}_messages_c{number}.json" for side in sides[1:] for number in (1, 4)],
        "overhead_comparison.csv",
    ]
    assert json.loads(written["litellm_homelab_messages_c1.json"]) == {
        "label": "litellm-homelab",
        "url": "http://on/v1/messages",
        "count": 300,
        "concurrency": 1,
        "elapsed_s": 3.0,
        "rps": 100.0,
        "latency_p50_ms": 32.5,
        "latency_p99_ms": 65.0,
        "errors": [],
    }
    assert written["overhead_comparison.csv"].splitlines() == [
        "gateway,p99_added_latency_ms,peak_rss_mb",
        "litellm-python,20.0,350.0",
        "litellm-homelab,23.0,",
    ]
    assert len(written["latency_vs_concurrency.csv"].splitlines()) == 5


def test_both_entries_name_the_upstream_and_say_how_they_start() -> None:
    """The same model on the same upstream; only ours loads the plugin."""
    texts = {path.name: (path / "config.yaml").read_text() for path in entry.GATEWAYS.iterdir()}
    assert set(texts) == {entry.STOCK, entry.OURS}
    files = {name: yaml.safe_load(text) for name, text in texts.items()}
    deployments = [one["model_list"][0]["litellm_params"] for one in files.values()]
    assert deployments[0] == deployments[1]
    assert deployments[0]["api_base"] == entry.UPSTREAM
    assert ("homelab" in files[entry.OURS], "homelab" in files[entry.STOCK]) == (True, False)
    for name in texts:
        readme = (entry.GATEWAYS / name / "README.md").read_text(encoding="utf-8")
        assert f"litellm --config gateways/{name}/config.yaml --port" in readme


def test_memory_is_the_highest_sample(tmp_path: Path) -> None:
    """Megabytes of this very process; nothing where /proc says nothing."""
    found = resident_mb(os.getpid())
    if found is not None:
        assert 10 < found < 100_000
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "status").write_text("Name:\tlitellm\nVmRSS:\t  2048 kB\nThreads:\t1\n")
    assert resident_mb(7, tmp_path) == 2.0
    assert resident_mb(8, tmp_path) is None
    peak = Peak(os.getpid())
    with peak.sampled():
        pass
    assert (peak.megabytes is None) == (found is None)


async def test_the_entrys_upstream_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes before, and then the whole answer."""
    monkeypatch.setattr(mock, "SECONDS", 0.05)
    server = await asyncio.get_running_loop().create_server(lambda: mock.Later(b"an answer"), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}")
        began = time.monotonic()
        assert await reader.readexactly(9) == b"an answer"
        assert time.monotonic() - began >= 0.05
        writer.close()


@pytest.mark.parametrize("given", ["", "0", "1,", "1;4", "-1", "1,x"])
def test_a_list_of_concurrencies_is_numbers(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Else the command says what it takes."""
    with pytest.raises(SystemExit):
        entry.main(["--concurrency", given])
    assert "is not a list such as 1,4,16" in capsys.readouterr().err
