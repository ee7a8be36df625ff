"""The plugin in LiteLLM's list of callbacks: found by its loader, run once, and missed when it is gone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import litellm
import pytest
import yaml

from litellm_homelab.adapter.callback import Plugin
from litellm_homelab.testing import MockProxy
from tests.adapter.counts import changes
from tests.adapter.lane import CALLBACKS, ELSEWHERE, TEXT, document, group, proxy_on

pytestmark = pytest.mark.usefixtures("quiet")
IMPORTING = """
import importlib, json, os, pkgutil, random, sys
config, *orders = sys.argv[1:]
import litellm  # precedes each of its modules, in any order
for order in orders:
    if (child := os.fork()) == 0:
        break
    os.waitpid(child, 0)
else:
    sys.exit()
import litellm_homelab
names = [one.name for one in pkgutil.walk_packages(litellm_homelab.__path__, "litellm_homelab.")
         if not one.name.endswith("__main__")]
if order == "backwards":
    names.reverse()
elif order != "forwards":
    random.Random(order).shuffle(names)
for name in names:
    importlib.import_module(name)
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy import proxy_server
from litellm.proxy.types_utils.utils import get_instance_fn
proxy_server.user_config_file_path = config
found = [get_instance_fn(f"litellm_homelab.{name}", config_file_path=config)
         for name in ("plugin", "gate", "plugin", "gate")]
print("RESULT" + json.dumps([order, isinstance(found[0], CustomLogger), callable(found[1]),
                             found[0] is found[2], found[1] is found[3], len(names)]))
"""
ORDERS = ("forwards", "backwards", "1", "2")
LOST = "is not in litellm.callbacks any more"


def written(folder: Path, callbacks: Any = None) -> Path:
    """A router.yaml with one handle."""
    made = document([group("main")], {}, internal=(), callers={})
    if callbacks is not None:
        made["litellm_settings"]["callbacks"] = callbacks
    path = folder / "router.yaml"
    path.write_text(yaml.safe_dump(made), encoding="utf-8")
    return path


def test_litellms_loader_finds_both_entry_points(tmp_path: Path) -> None:
    """Whatever of ours was imported before, in whichever order, and again the second time."""
    command = [sys.executable, "-c", IMPORTING, str(written(tmp_path)), *ORDERS]
    environ = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": "sk-master-of-the-test"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=300)
    results = [json.loads(one) for one in re.findall(r"RESULT(\[.*\])", done.stdout)]
    assert [(order, *found) for order, *found, _ in results] == [
        (order, True, True, True, True) for order in ORDERS
    ], done.stderr
    assert all(modules > 150 for *_, modules in results)


@pytest.mark.parametrize(
    "callbacks",
    [*map(list, ELSEWHERE), CALLBACKS[0]],
    ids=["last", "first", "twice", "a text"],
)
async def test_each_hook_runs_once(tmp_path: Path, callbacks: Any) -> None:
    """Wherever the plugin is listed, listed twice, or alone as a text."""
    async with MockProxy(written(tmp_path, callbacks)) as proxy:
        with changes() as seen:
            answer = await proxy.chat("main")
            refused = await proxy.chat("nowhere")
        assert sum(isinstance(one, Plugin) for one in litellm.callbacks) == 1
    assert (answer.status, refused.status) == (200, 404)
    assert {name: count for name, count in seen.items() if name.startswith("attempts_total")} == {
        "attempts_total{main,main,answered}": 1
    }
    assert sum(count for name, count in seen.items() if name.startswith("refusals_total")) == 1


REPLACED = {
    "an empty list": [],
    "a list without it": ["prometheus"],
    "a text": "prometheus",
    "nothing": None,
}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/chat/completions", {"model": "main", "messages": TEXT}),
        ("POST", "/v1/responses", {"model": "main", "input": "hello"}),
        ("GET", "/v1/models", None),
        ("POST", "/queue/chat/completions", {"model": "main", "messages": TEXT}),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
async def test_nothing_is_served_once_the_list_has_lost_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: Any
) -> None:
    """The request is refused before LiteLLM sees it; one that has it again is served."""
    async with proxy_on(tmp_path, document([group("main")], {}, internal=(), callers={})) as proxy:
        for name, replaced in REPLACED.items():
            with monkeypatch.context() as patch:
                patch.setattr(litellm, "callbacks", replaced)
                answer = await proxy.request(method, path, json=body)
                refused = (answer.status, answer.error["type"], answer.sent_to)
                assert refused == (503, "policy_error", []), (name, answer.text)
                assert (await proxy.get("/health/liveliness")).status == 200
            assert (await proxy.chat("main")).status == 200
