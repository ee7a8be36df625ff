"""What is printed of a probe."""

from __future__ import annotations

import json

from litellm_homelab.probe import report as reporting
from litellm_homelab.probe.target import target
from tests.probe.stand_in import SEEN, URL, StandIn, probed

WHERE = target(URL)


def test_tables_and_the_entry() -> None:
    """Each parameter has a row, and the entry is at the end."""
    found = probed(StandIn(uses=SEEN - {"n"}, rejects={"seed"}))
    said = reporting.written(found, WHERE, "", colour=False)
    assert said.startswith("http://stand-in.test:8000/v1: openai (nothing says more)\nmodel: tide-1b\n\n")
    assert "\nn                             ignored    2 gives one choice\n" in said
    assert "\nseed                          rejected   400: seed is not supported\n" in said
    assert f"{found.calls} calls. For router.yaml:\n\nmodel_list:\n" in said
    assert "      additional_drop_params: [seed]\n" in said
    assert "\x1b" not in said


def test_colours_and_what_a_server_writes() -> None:
    """Control characters of a server stay text; keys are hidden."""
    found = probed(StandIn(rejects={"seed"}))
    found.facts = {"usage": "\x1b[31m sk-abcdefgh12345678"}
    said = reporting.written(found, WHERE, "", colour=True)
    assert "\x1b[31mrejected" in said
    assert said.count("\x1b[31m") == 1
    assert "sk-abc" not in said


def test_a_document_for_programs() -> None:
    """With the same in it."""
    found = reporting.document(probed(StandIn()), WHERE, "KEY")
    assert json.loads(json.dumps(found))["parameters"]["stop"]["verdict"] == "accepted"
    assert "os.environ/KEY" in found["entry"]
