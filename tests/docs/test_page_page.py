"""What docs/page.md gives to dashboards is taken as each of them takes it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import pytest
import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment

from litellm_homelab.page import model
from litellm_homelab.page.widget import widget
from tests.docs.blocks import REPOSITORY, blocks
from tests.page import sample

PAGE: Final = REPOSITORY / "docs" / "page.md"
NEW: Final = sample.facts(quotas=(), worker=sample.worker(refusals=()))
SENT: Final[dict[str, str]] = {
    "busy": json.dumps(asdict(widget(model.view(sample.facts())))),
    "empty": json.dumps(asdict(widget(model.view(NEW)))),
}
"""What a gateway sends with a bit of everything, and with neither quotas nor refusals."""


class Loader(yaml.SafeLoader):
    """YAML with Home Assistant's `!secret NAME`."""


Loader.add_constructor("!secret", lambda _, node: f"Bearer {node.value}")


def snippet(first: str) -> Any:
    """The block of a dashboard whose text begins so."""
    (found,) = [one for one in blocks("yml", PAGE) if one.text.startswith(first)]
    return yaml.load(found.text, Loader)


def test_the_sample_is_what_a_gateway_sends() -> None:
    """The same names in the same order, with values of the same kinds."""
    (text,) = [one.text for one in blocks("json", PAGE) if "handles_up" in one.text]
    shown, sent = json.loads(text), json.loads(SENT["busy"])
    assert [(name, type(value)) for name, value in shown.items()] == [
        (name, type(value)) for name, value in sent.items()
    ]


# --- Home Assistant: the body becomes `value_json` of a sandboxed Jinja template -------------------------


def rendered(template: str, body: str) -> str:
    """The state of a sensor, as `RestSensor` makes it of the body."""
    return (
        ImmutableSandboxedEnvironment().from_string(template).render(value=body, value_json=json.loads(body))
    )


def test_home_assistant_renders_every_sensor() -> None:
    """Each template gives the value of its name; a timestamp has the zone that the device class asks for."""
    (one,) = snippet("rest:")["rest"]
    assert one["resource"].endswith("/homelab/widget.json")
    states = {each["name"]: rendered(each["value_template"], SENT["busy"]) for each in one["sensor"]}
    assert states == {
        "Gateway handles up": "3",
        "Gateway waiting": "3",
        "Gateway quota left": "10",
        "Gateway quota resets": "2026-11-26T19:40:00Z",
    }
    for each in one["sensor"]:
        if each.get("device_class") == "timestamp":
            assert datetime.fromisoformat(states[each["name"]]).tzinfo is not None


def test_home_assistant_has_numbers_where_there_are_no_quotas() -> None:
    """The sensors that remain when those of quotas are left out, as the page says."""
    (one,) = snippet("rest:")["rest"]
    kept = [each for each in one["sensor"] if "quota" not in each["name"]]
    assert [rendered(each["value_template"], SENT["empty"]) for each in kept] == ["3", "3"]
    assert "Without quotas, leave out its two sensors." in PAGE.read_text(encoding="utf-8")


# --- Homepage: `getValue` and `formatValue` of its customapi component -----------------------------------


def block(mapping: dict[str, Any], body: str) -> str | None:
    """The text of one block; `format: number` is JavaScript's `parseInt`, which makes NaN of null."""
    value = json.loads(body).get(mapping["field"])
    if mapping.get("format") == "number":
        return str(int(value)) if isinstance(value, int) else "NaN"
    return None if value is None else str(value)


@pytest.mark.parametrize("gateway", SENT)
def test_homepage_shows_every_block(gateway: str) -> None:
    """It shows four; what there is nothing of is empty, never NaN."""
    (group,) = snippet("- AI:")
    (service,) = group["AI"]
    card = service["Gateway"]["widget"]
    assert (card["type"], len(card["mappings"])) == ("customapi", 4)
    assert {one["field"] for one in card["mappings"]} <= json.loads(SENT[gateway]).keys()
    shown = [block(one, SENT[gateway]) for one in card["mappings"]]
    expected = {"busy": ["3", "3", "10", "model_not_found"], "empty": ["3", "3", None, None]}
    assert shown == expected[gateway]


# --- Glance: gjson paths in a Go template ----------------------------------------------------------------


@pytest.mark.parametrize("gateway", SENT)
def test_glance_reads_whole_numbers(gateway: str) -> None:
    """Each path of the template is a name of the object, and `.JSON.Int` of it a number."""
    (card,) = snippet("- type: custom-api")
    paths = re.findall(r'\.JSON\.(\w+) "([^"]+)"', card["template"])
    assert [path for _, path in paths] == ["handles_up", "handles_total", "queue_waiting", "refusals_24h"]
    assert {kind for kind, _ in paths} == {"Int"}
    assert all(type(json.loads(SENT[gateway])[path]) is int for _, path in paths)
