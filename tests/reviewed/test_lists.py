"""What has been reviewed, against the installed LiteLLM and against all tested ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pytest
from litellm.integrations.custom_logger import CustomLogger

from litellm_homelab import TESTED_LITELLM
from litellm_homelab.adapter.callback import Plugin
from litellm_homelab.adapter.litellm_api import headers_read, installed, parameters, unreviewed
from litellm_homelab.fields.lists import reviewed as fields_lists
from litellm_homelab.reviewed import lists
from litellm_homelab.reviewed.surface import Surface
from litellm_homelab.showroom.modes import ROUTES
from tests.surfaces import recorded, union

KINDS = [one.name for one in fields(Surface)]
OWN_FIELDS = "parameters"
"""Lists of fields hold what local servers take, too: they are not a list of LiteLLM's names alone."""


def test_every_tested_version_is_recorded() -> None:
    """tests/surface/ has a file for each version that this package says it was tested with."""
    assert set(TESTED_LITELLM) <= recorded().keys()
    assert set(recorded()) == set(fields_lists().versions)


@pytest.mark.parametrize("version", recorded())
def test_nothing_of_a_tested_version_is_unreviewed(version: str) -> None:
    """Each has been looked at by a person: a heading, a list or a reason."""
    left = unreviewed.of(recorded()[version])
    assert {kind: sorted(getattr(left, kind)) for kind in KINDS if getattr(left, kind)} == {}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != OWN_FIELDS])
def test_nothing_reviewed_is_stale(kind: str) -> None:
    """What is on a list is in one of the tested versions at least."""
    known = getattr(unreviewed.reviewed(), kind) - (unreviewed.HTTP if kind == "headers" else frozenset())
    assert sorted(known - getattr(union(), kind)) == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "routes"])
def test_the_installed_litellm_is_reviewed(kind: str) -> None:
    """A new one fails here until somebody has reviewed what it brings (docs/review-a-litellm.md)."""
    readers: dict[str, Callable[[], frozenset[str]]] = {
        "parameters": parameters.names,
        "call_types": installed.call_types,
        "hooks": installed.hooks,
        "headers": headers_read.names,
    }
    found = readers[kind]()
    assert sorted(getattr(unreviewed.of(Surface(**{kind: found})), kind)) == []


def test_a_call_type_is_served_or_closed() -> None:
    """No call type is on both lists."""
    assert sorted(ROUTES.keys() & lists.closed_call_types().keys()) == []


def test_the_hooks_of_the_plugin_are_those_that_the_list_names() -> None:
    """The list says of each hook whether the plugin defines it."""
    said = {name for name, why in lists.hooks().items() if why.startswith("the plugin defines it")}
    assert said & set(vars(CustomLogger)) == {
        name for name in vars(Plugin) if name in vars(CustomLogger) and name[0] != "_"
    }
