"""Every message of the check, by a router.yaml that has the mistake; files without mistakes are clean."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.check import start_ids
from litellm_homelab.check.registry import CHECKS, message_ids
from litellm_homelab.check.run import CheckRequest, check_file
from tests.check.case import CheckCase, cases
from tests.config.test_settings import SECTIONS

REPOSITORY = Path(__file__).parents[2]
IDS = [one for group in message_ids().values() for one in group]


@pytest.mark.parametrize("case", [pytest.param(one, id=one.path.stem) for one in cases()])
def test_a_file_has_the_mistakes_that_it_says(
    case: CheckCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Word for word, with line and column; among them is the message that gives the case its name."""
    monkeypatch.chdir(tmp_path)
    assert case.found(tmp_path) == case.expected
    assert f"[{case.path.stem}]\n" in case.expected


def test_every_message_has_a_case() -> None:
    """There is a file for each id, and no file without one; `setting` is what no kind fits."""
    assert sorted({one.path.stem for one in cases()} | {start_ids.OTHER.id}) == sorted(one.id for one in IDS)


def test_ids_are_unique_and_enough() -> None:
    """At least 80 messages, 25 of them about LiteLLM's own traps; an id means one thing."""
    counts = Counter(one.id for one in IDS)
    assert {name for name, count in counts.items() if count > 1} == set()
    assert len(counts) >= 80
    assert sum(one.message.id.startswith("litellm-") for one in CHECKS) >= 25


def test_severities_are_as_documented() -> None:
    """What the page says of an id is what its case shows."""
    text = "".join(case.expected for case in cases())
    shown = {(name, level) for level, name in re.findall(r": (error|warning|hint): .* \[([\w-]+)\]\n", text)}
    assert {(one.id, one.severity) for one in IDS} - shown == {(start_ids.OTHER.id, "error")}


@pytest.mark.parametrize(
    ("env", "optillm"),
    [
        pytest.param(None, None, id="without an environment"),
        pytest.param("env.example", "optillm/proxy_config.yaml", id="with its environment"),
    ],
)
def test_the_shipped_files_are_clean(env: str | None, optillm: str | None) -> None:
    """Neither an error nor advice for config/router.yaml, its environment and OptiLLM's configuration."""
    config = REPOSITORY / "config"
    request = CheckRequest(
        config / "router.yaml",
        config / env if env else None,
        config / optillm if optillm else None,
        litellm="1.108.7",
    )
    assert check_file(request, environ={}).findings == ()


def test_a_message_of_no_kind_has_an_id_too() -> None:
    """A new message of the start is reported before it has an id of its own."""
    assert start_ids.id_of("homelab.new.thing: something else is wrong", {}) == "setting"


@given(document=SECTIONS)
def test_no_shape_of_a_section_breaks_the_check(
    document: Mapping[str, object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A known key with a value of any shape gives findings, never an exception."""
    path = tmp_path_factory.mktemp("any") / "router.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    check_file(CheckRequest(path, litellm="1.108.7"), environ={})


@given(text=st.text())
def test_no_text_breaks_the_check(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever is in the file, the answer is a report."""
    path = tmp_path_factory.mktemp("any") / "router.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    check_file(CheckRequest(path, litellm="1.108.7"), environ={})
