"""
Which tests `make test-compat` runs on each LiteLLM version, and what is known to differ between the versions.

    python -m tests.compat whole     # the files of a selection, one a line, for pytest
    python -m tests.compat record REPORT "what ran"    # into litellm_homelab/tested.json and README.md

It imports nothing but the standard library, so that any Python can print the list.
"""

from __future__ import annotations

import datetime as dt
import json
import platform
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

REPOSITORY: Final = Path(__file__).parents[1]
RECORD: Final = REPOSITORY / "litellm_homelab" / "tested.json"
README: Final = REPOSITORY / "README.md"
SELECTIONS: Final = ("short", "whole")
COUNTED: Final = ("tests", "failures", "errors", "skipped")


@dataclass(frozen=True, slots=True)
class Entry:
    """A test file or folder, why another LiteLLM may break it, and whether CI runs it on every version."""

    path: str
    why: str
    short: bool = False


SELECTION: Final = (
    # What the package relies on in LiteLLM.
    Entry("tests/real/test_litellm_traps.py", "stock LiteLLM as a process, without the package", short=True),
    Entry("tests/docs/test_traps.py", "how often LiteLLM calls which hook, and with what", short=True),
    Entry("tests/adapter/test_litellms_defaults.py", "LiteLLM where router.yaml is silent", short=True),
    Entry("tests/adapter/test_litellms_labels.py", "LiteLLM's own metrics"),
    Entry("tests/adapter/test_startup.py", "LiteLLM's loader, and what the start says"),
    Entry("tests/adapter/test_callback.py", "LiteLLM's list of callbacks", short=True),
    Entry("tests/adapter/test_order.py", "LiteLLM's order of callbacks"),
    Entry("tests/adapter/test_callback_order.py", "LiteLLM's order of callbacks, with OptiLLM"),
    Entry("tests/adapter/litellm_api", "every change to an object of LiteLLM's", short=True),
    Entry("tests/adapter/middleware", "what wraps LiteLLM's app"),
    Entry("tests/formats/test_encoded_ids.py", "ids in which LiteLLM hides a model", short=True),
    Entry("tests/fuzz/test_ids.py", "LiteLLM's decoders of ids"),
    Entry("tests/test_guardrails.py", "a class of LiteLLM's"),
    # Attacks and names.
    Entry("tests/corpus", "every attack of the corpus", short=True),
    Entry("tests/adapter/test_naming.py", "every way of naming a model, in process", short=True),
    Entry("tests/adapter/test_changed_model.py", "a callback that changes the model"),
    Entry("tests/adapter/test_every_parameter.py", "every parameter of LiteLLM's with a hostile value"),
    Entry("tests/adapter/test_late_models.py", "models that LiteLLM's database adds"),
    Entry("tests/adapter/test_continued_streams.py", "a broken stream that a fallback continues", short=True),
    Entry("tests/adapter/test_wildcards.py", "wildcard groups of LiteLLM's router"),
    Entry("tests/adapter/policies", "each policy through LiteLLM"),
    Entry("tests/real/test_naming.py", "the naming table on a process"),
    Entry("tests/real/test_corpus.py", "the corpus on a process"),
    Entry("tests/real/test_transport.py", "the last line, beside callbacks that change the target"),
    # Routes, fields, callers.
    Entry("tests/access/test_table.py", "LiteLLM's routes against our table", short=True),
    Entry("tests/access/test_ways_round.py", "LiteLLM's router and other spellings of a route", short=True),
    Entry("tests/access/test_rule.py", "who may use what, with what the version's other packages are"),
    Entry("tests/access/test_callers.py", "keys and callers, read by the version's pydantic"),
    Entry("tests/access/test_keys.py", "the next key of a caller, read by the version's pydantic"),
    Entry("tests/access/test_limits.py", "bounds of a body, with generated ones"),
    Entry("tests/access/test_ui.py", "the routes of LiteLLM's admin pages"),
    Entry("tests/fields", "LiteLLM's parameters against our lists", short=True),
    Entry("tests/adapter/test_routes.py", "every route with every kind of key, in process", short=True),
    Entry("tests/adapter/test_open_routes.py", "routes that the operator opens"),
    Entry("tests/adapter/test_callers.py", "whom LiteLLM sees"),
    Entry("tests/adapter/test_fail_closed.py", "a rule that breaks refuses"),
    Entry("tests/adapter/test_mistakes.py", "what a client's mistake becomes"),
    Entry("tests/adapter/test_stripping.py", "what leaves for a backend"),
    Entry("tests/adapter/test_documented_parameters.py", "documented parameters arrive"),
    Entry("tests/clients", "requests that clients send by default"),
    Entry("tests/real/test_every_route.py", "every route with every kind of key, on a process"),
    # Failover, cooldown, leaks.
    Entry("tests/adapter/test_cooldown_faults.py", "what rests a deployment, and what does not", short=True),
    Entry("tests/adapter/test_own_errors_settings.py", "errors of LiteLLM's own under other router settings"),
    Entry("tests/adapter/test_first_events.py", "errors before anything was sent"),
    Entry("tests/adapter/test_hostile_upstream.py", "upstreams that tell everything, on every route"),
    Entry("tests/answers", "LiteLLM's errors and answers"),
    Entry("tests/adapter/test_refused_attempts.py", "what follows a refusal of an attempt", short=True),
    Entry("tests/real/test_failover.py", "who is asked when the rungs of a chain fail", short=True),
    Entry("tests/real/test_cooldown.py", "handles that rest"),
    Entry("tests/real/test_clients_mistakes.py", "a client's mistakes walk no chain and rest nothing"),
    Entry("tests/real/test_leaks.py", "no answer names an upstream"),
    Entry("tests/real/test_shipped.py", "the shipped router.yaml through SDKs"),
    Entry("tests/real/test_startup_hook.py", "both ways to load the package"),
    Entry("tests/real/test_wrong_settings.py", "a wrong configuration stops LiteLLM"),
    # OptiLLM behind a handle.
    Entry("tests/adapter/test_child_retries.py", "OptiLLM's calls are not retried"),
    Entry("tests/adapter/test_orphans.py", "calls of OptiLLM that belong to no request"),
    Entry("tests/adapter/test_store_lost.py", "the lane without its store"),
    Entry("tests/demo/test_optillm.py", "the demo's OptiLLM with the installed OpenAI SDK", short=True),
    Entry("tests/real/lane/test_loops.py", "loops on a real OptiLLM", short=True),
    Entry("tests/real/lane/test_attacks.py", "attacks on OptiLLM through LiteLLM"),
    Entry("tests/real/lane/test_marks.py", "lineage tokens stay between LiteLLM and OptiLLM"),
    Entry("tests/real/lane/test_outcomes.py", "failures behind OptiLLM"),
    Entry("tests/real/lane/test_refused_children.py", "refused calls of OptiLLM"),
    Entry("tests/real/lane/test_counts.py", "metrics of the lane over two workers"),
    # Metrics, alerts, dashboards.
    Entry("tests/adapter/test_rule_labels.py", "each rule is counted by its name"),
    Entry("tests/adapter/test_recording.py", "our metrics beside LiteLLM's"),
    Entry("tests/deploy", "alerts and dashboard queries"),
    Entry("tests/real/test_guardrail_metrics.py", "the guardrail in LiteLLM's metrics"),
    Entry("tests/real/test_monitoring.py", "every alert and dashboard query on a real Prometheus"),
)


def selected(selection: str) -> tuple[str, ...]:
    """
    The files and folders of a selection.

    Raises:
        KeyError: there is no such selection.

    """
    if selection not in SELECTIONS:
        raise KeyError(selection)
    return tuple(entry.path for entry in SELECTION if entry.short or selection == "whole")


def tested() -> Mapping[str, Mapping[str, Any]]:
    """What ran on which LiteLLM version, from the lowest to the newest, as recorded."""
    found: dict[str, dict[str, Any]] = json.loads(RECORD.read_text(encoding="utf-8"))
    return dict(sorted(found.items(), key=lambda one: [int(part) for part in one[0].split(".")]))


def table() -> str:
    """The table of README.md."""
    runs = tested()
    passed = [f"{run['passed']:,} ({run['ran']}), {run['on']}" for run in runs.values()]
    rows = (("LiteLLM", runs), ("", ["---"] * len(runs)), ("tests passed", passed))
    return "\n".join(f"| {' | '.join([name or '---', *cells])} |" for name, cells in rows)


def record(report: Path, ran: str) -> None:
    """
    Add a run of the installed LiteLLM to the record, and write the table of README.md anew.

    Raises:
        SystemExit: a test failed or was skipped: such a run is no evidence.

    """
    suites = ET.parse(report).getroot()
    tests, *bad = (sum(int(one.get(name, 0)) for one in suites) for name in COUNTED)
    if any(bad) or not tests:
        raise SystemExit(f"not recorded: {tests} tests, {bad} of them {COUNTED[1:]}")
    before = table()
    run = {"ran": ran, "passed": tests, "python": platform.python_version()}
    run["on"] = dt.datetime.now(dt.UTC).date().isoformat()
    RECORD.write_text(json.dumps({**tested(), version("litellm"): run}, indent=2) + "\n", encoding="utf-8")
    README.write_text(README.read_text(encoding="utf-8").replace(before, table()), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "record":
        record(Path(sys.argv[2]), sys.argv[3])
    else:
        print("\n".join(selected(sys.argv[1])))
