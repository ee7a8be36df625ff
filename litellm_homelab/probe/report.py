"""What a probe found, as tables for a terminal and as a document for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_homelab.config.wording import hide_keys, one_line
from litellm_homelab.formats.columns import aligned
from litellm_homelab.probe import entry
from litellm_homelab.probe.run import ProbeReport
from litellm_homelab.probe.target import ProbeTarget

COLOURS: Final = {"accepted": "\x1b[32m", "rejected": "\x1b[31m", "ignored": "\x1b[33m"}
RESET: Final = "\x1b[0m"


def written(report: ProbeReport, where: ProbeTarget, key_variable: str, *, colour: bool) -> str:
    """The tables, and the entry to paste at the end."""
    return "".join(f"{line}\n" for line in _lines(report, where, key_variable, colour=colour))


def _lines(report: ProbeReport, where: ProbeTarget, key_variable: str, *, colour: bool) -> Iterator[str]:
    yield from _head(report, where)
    if report.problems:
        yield from ("", "Problems")
        yield from (f"  {one_line(hide_keys(one))}" for one in report.problems)
    rows = [("PARAMETER", "VERDICT", "SEEN")]
    rows += [(one.parameter, one.verdict.value, hide_keys(one.why)) for one in report.findings]

    def paint(_: int, cell: str, padded: str) -> str:
        return f"{COLOURS[cell]}{padded}{RESET}" if colour and cell in COLOURS else padded

    yield ""
    yield from aligned(rows, paint=paint)
    yield ""
    facts = {**report.facts, **report.routes, **report.errors, "key": report.key or "not known"}
    yield from aligned([(name, hide_keys(value)) for name, value in facts.items()])
    yield ""
    yield f"{report.calls} calls{_cost(report)}. For router.yaml:"
    yield ""
    yield from (one_line(one) for one in entry.written(report, where, key_variable).splitlines())


def _head(report: ProbeReport, where: ProbeTarget) -> Iterator[str]:
    server = report.server
    yield one_line(f"{where.api_base}: {server.kind} ({server.why})")
    others = len(server.models) - 1
    more = f"; {others} more are listed, --model chooses" if others > 0 else ""
    yield one_line(hide_keys(f"model: {report.model}{more}"))


def _cost(report: ProbeReport) -> str:
    if report.server.kind != "optillm":
        return ""
    return ", each of a chat one call behind OptiLLM (approach none)"


def document(report: ProbeReport, where: ProbeTarget, key_variable: str) -> Mapping[str, Any]:
    """Everything, for `--json`."""
    return {
        "api_base": where.api_base,
        "kind": report.server.kind,
        "model": report.model,
        "models": list(report.server.models),
        "parameters": {
            one.parameter: {"verdict": one.verdict.value, "why": hide_keys(one.why)}
            for one in report.findings
        },
        "facts": dict(report.facts),
        "routes": dict(report.routes),
        "errors": dict(report.errors),
        "key": report.key,
        "problems": list(report.problems),
        "calls": report.calls,
        "entry": entry.written(report, where, key_variable),
    }
