"""The plugin is in a list of callbacks once, or is missed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from litellm_homelab.adapter.litellm_api import callback_list

OTHER, PLUGIN = object(), object()


@pytest.mark.parametrize(
    ("listed", "there", "after"),
    [
        ([PLUGIN], True, [PLUGIN]),
        ([OTHER, PLUGIN], True, [OTHER, PLUGIN]),
        ([PLUGIN, OTHER, PLUGIN], True, [PLUGIN, OTHER]),
        ([OTHER, PLUGIN, PLUGIN, OTHER], True, [OTHER, PLUGIN, OTHER]),
        ([OTHER], False, [OTHER]),
        ([], False, []),
        ("prometheus", False, "prometheus"),
        (None, False, None),
    ],
    ids=["alone", "after another", "twice", "twice in a row", "gone", "empty", "a text", "nothing"],
)
def test_a_second_mention_is_removed(listed: Any, there: bool, after: Any) -> None:
    """The first place stays; what is no list has no plugin."""
    litellm = SimpleNamespace(callbacks=listed)
    assert callback_list.has_once(litellm, PLUGIN) is there
    assert litellm.callbacks == after


def test_a_missing_plugin_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line says what happened and what to do."""
    said: list[str] = []
    monkeypatch.setattr(callback_list, "log_seldom", lambda level, line: said.append(line))
    callback_list.has_once(SimpleNamespace(callbacks=[]), PLUGIN)
    assert said == [callback_list.DROPPED]


@pytest.mark.parametrize("listed", [[], [OTHER], [PLUGIN], "prometheus"])
def test_it_is_added_once(listed: Any) -> None:
    """Whatever was there before."""
    litellm = SimpleNamespace(callbacks=listed)
    callback_list.add(litellm, PLUGIN)
    callback_list.add(litellm, PLUGIN)
    assert litellm.callbacks.count(PLUGIN) == 1
