"""What `/homelab.json` says as text for a terminal: problems first, then a table for each part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from litellm_homelab.config.wording import one_line
from litellm_homelab.formats.columns import aligned, cut

Row: TypeAlias = Mapping[str, Any]
Cell: TypeAlias = Callable[[Row], str]
RED, YELLOW, GREEN, BOLD, RESET = "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[1m", "\x1b[0m"
STATES: Final = {
    "up": ("up", GREEN),
    "unknown": ("not watched", ""),
    "busy": ("busy", YELLOW),
    "limited": ("limited", YELLOW),
    "unauthorized": ("key refused", RED),
    "waking": ("waking", YELLOW),
    "asleep": ("asleep", ""),
    "fallback": ("fallback answers", YELLOW),
    "exhausted": ("quota used up", RED),
    "absent": ("absent", RED),
}
"""How the page says a state, and its colour."""
SEVERITIES: Final = {"error": RED, "warning": YELLOW}
"""Those that count for the exit status; `info` is good to know."""
COLOURS: Final = {**dict(STATES.values()), **SEVERITIES}
LONGEST: Final = 48
"""Cells of a name or a list in a table; a problem and a refusal's reason are whole."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, its cell of a row, and whether it is set to the right."""

    title: str
    cell: Cell
    is_number: bool = False


def has_problems(view: Mapping[str, Any]) -> bool:
    """Whether something is wrong: an error or a warning."""
    return any(one.get("severity") in SEVERITIES for one in view["problems"])


def written(view: Mapping[str, Any], now: float, *, colour: bool) -> str:
    """The whole text; `now` are seconds since the epoch, for ages."""
    return "\n".join(_lines(view, now, colour=colour)) + "\n"


def _lines(view: Mapping[str, Any], now: float, *, colour: bool) -> Iterator[str]:
    yield _gateway(view)
    yield ""
    yield _title("Problems", colour=colour)
    yield from _problems(view["problems"], colour=colour) if view["problems"] else ["  none"]
    for title, name, columns in _tables(now):
        rows: list[Row] = view[name]
        if rows:
            yield ""
            yield _title(title, colour=colour)
            yield from _table(rows, columns, colour=colour)
    yield ""
    yield _counts(view, now)


def _gateway(view: Mapping[str, Any]) -> str:
    found = view.get("gateway")
    one: Row = found if isinstance(found, dict) else {}
    seen, workers = _text(one.get("workers_seen")), _text(one.get("workers"))
    which = "1 worker" if workers == "1" else f"{seen} of {workers} workers"
    incomplete = "" if one.get("is_exact", True) else " (some numbers are incomplete)"
    said = f"litellm-homelab {_text(one.get('version'))} on LiteLLM {_text(one.get('litellm'))}, {which}"
    return one_line(said + incomplete)


def _problems(rows: Sequence[Row], *, colour: bool) -> Iterator[str]:
    for one in rows:
        severity = _text(one.get("severity"))
        yield f"  {_painted(one_line(severity), severity, colour=colour)}: {one_line(_text(one.get('what')))}"
        yield f"    {one_line(_text(one.get('first')))}"


def _table(rows: Sequence[Row], columns: Sequence[Column], *, colour: bool) -> Iterator[str]:
    """A table without the columns in which every cell is empty."""
    cells = [[column.cell(row) for row in rows] for column in columns]
    used = [number for number, column in enumerate(cells) if any(column)]
    lines = [[columns[number].title for number in used]]
    lines += [[cells[number][row] or "-" for number in used] for row in range(len(rows))]
    right = frozenset(place for place, number in enumerate(used) if columns[number].is_number)
    states = {place for place, number in enumerate(used) if columns[number].title == "STATE"}

    def paint(column: int, cell: str, padded: str) -> str:
        return _painted(padded, cell, colour=colour) if column in states else padded

    yield from aligned(lines, right=right, indent="  ", paint=paint)


def _tables(now: float) -> Iterator[tuple[str, str, tuple[Column, ...]]]:
    """(title, part of the answer, columns) of each table."""
    yield "Handles", "handles", HANDLES
    yield (
        "Backends",
        "backends",
        (*BACKENDS[:2], Column("FOR", _age("since", now), is_number=True), *BACKENDS[2:]),
    )
    yield "Requests through OptiLLM", "roots", (*ROOTS, Column("FOR", _age("since", now), is_number=True))
    yield "Quotas", "quotas", QUOTAS
    yield "Last refusals", "refusals", (Column("AGO", _age("at", now), is_number=True), *REFUSALS)


# --- cells -------------------------------------------------------------------------------------------


def _text(value: object) -> str:
    """A value as text; what is missing is empty, a list its parts."""
    if value is None or isinstance(value, bool | dict):
        return ""
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return str(value)


def _of(name: str) -> Cell:
    return lambda row: cut(_text(row.get(name)), LONGEST)


def _whole(name: str) -> Cell:
    return lambda row: _text(row.get(name))


def _some(name: str) -> Cell:
    """A number, where there is any."""
    return lambda row: _text(row.get(name) or None)


def _state(row: Row) -> str:
    state = _text(row.get("state"))
    return STATES.get(state, (state, ""))[0]


def _mode(row: Row) -> str:
    place = _text(row.get("place"))
    return _text(row.get("mode")) + (f", {place}" if place in {"hidden", "internal"} else "")


def _slots(row: Row) -> str:
    slots = _text(row.get("slots"))
    return f"{_text(row.get('slots_used')) or '?'} of {slots}" if slots else ""


def _calls(row: Row) -> str:
    done, calls, most = (_text(row.get(name)) for name in ("calls_done", "calls", "max_calls"))
    return f"{done} of {calls}, at most {most}"


def _used(row: Row) -> str:
    limit = _text(row.get("limit"))
    return _text(row.get("used")) + (f" of {limit}" if limit else "")


def _window(row: Row) -> str:
    return _text(row.get("window")) + (", rolling" if row.get("is_rolling") is True else "")


def _resets(row: Row) -> str:
    return "bit by bit" if row.get("is_rolling") is True else _local(row.get("resets_at"))


def _closed(row: Row) -> str:
    until, by = _local(row.get("closed_until")), _text(row.get("closed_by"))
    return f"{until} ({by})" if until and by else until


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        return found.astimezone() if found is not None else None
    except (ValueError, OverflowError, OSError):
        return None


def _local(value: object) -> str:
    """A moment in the time of this machine."""
    found = _moment(value)
    return found.strftime("%Y-%m-%d %H:%M") if found is not None else ""


def _age(name: str, now: float) -> Cell:
    """How long ago a moment is; as the page says it."""

    def cell(row: Row) -> str:
        found = _moment(row.get(name))
        return age(now - found.timestamp()) if found is not None else ""

    return cell


def age(seconds: float) -> str:
    """A time in the unit in which it is read at a glance."""
    for limit, unit, name in ((90, 1, "s"), (5400, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{max(0, round(seconds / unit))} {name}"
    return f"{round(seconds / 86400)} days"


HANDLES: Final = (
    Column("HANDLE", _of("name")),
    Column("STATE", _state),
    Column("MODE", _mode),
    Column("TOKENS/S", _whole("tokens_per_second"), is_number=True),
    Column("WAITING", _some("waiting"), is_number=True),
    Column("BACKENDS", _of("backends")),
    Column("THEN", _of("fallbacks")),
)
BACKENDS: Final = (
    Column("BACKEND", _of("name")),
    Column("STATE", _state),
    Column("KIND", _of("kind")),
    Column("IN USE", _slots, is_number=True),
    Column("WAITING", _some("waiting"), is_number=True),
    Column("LOADED", _of("loaded")),
    Column("SERVES", _of("handles")),
)
ROOTS: Final = (
    Column("REQUEST", _of("id")),
    Column("HANDLE", _of("handle")),
    Column("APPROACH", _of("approach")),
    Column("CALLER", _of("caller")),
    Column("CALLS DONE", _calls),
    Column("TOKENS", _whole("tokens"), is_number=True),
)
QUOTAS: Final = (
    Column("QUOTA", _of("name")),
    Column("WINDOW", _window),
    Column("USED", _used, is_number=True),
    Column("RESETS", _resets),
    Column("LIMIT FROM", _of("source")),
    Column("USED UP", lambda row: _local(row.get("used_up_at"))),
    Column("CLOSED UNTIL", _closed),
)
REFUSALS: Final = (
    Column("TIMES", _some("times"), is_number=True),
    Column("STATUS", _whole("status"), is_number=True),
    Column("TYPE", _of("type")),
    Column("CALLER", _of("caller")),
    Column("HANDLE", _of("handle")),
    Column("REASON", _whole("message")),
)


def _counts(view: Mapping[str, Any], now: float) -> str:
    found = view.get("counts")
    one: Row = found if isinstance(found, dict) else {}
    refused, loops = (
        _some_of(one, "refusals_24h", "refusal"),
        _some_of(one, "loops_blocked_24h", "blocked loop"),
    )
    since = _age("since", now)(one)
    of = f", counted for {since}" if since else ""
    return one_line(f"{refused} and {loops} in the last 24 hours{of}.")


def _some_of(row: Row, name: str, what: str) -> str:
    number = _text(row.get(name)) or "?"
    return f"{number} {what}{'' if number == '1' else 's'}"


# --- colours -----------------------------------------------------------------------------------------


def _title(text: str, *, colour: bool) -> str:
    return f"{BOLD}{text}{RESET}" if colour else text


def _painted(text: str, word: str, *, colour: bool) -> str:
    code = COLOURS.get(word, "") if colour else ""
    return f"{code}{text}{RESET}" if code else text
