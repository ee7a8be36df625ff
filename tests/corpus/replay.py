"""Replays the corpus through the mocked proxy: with our hooks, and on the same router without them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from litellm_homelab.demo.recorder import RecordedRequest
from litellm_homelab.testing import MockProxy
from litellm_homelab.testing.mock_proxy import MASTER_KEY
from tests.corpus.case import Case, Outcome, got_through
from tests.corpus.runner import headers

ROUTER = Path(__file__).parents[1] / "routers" / "corpus.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(ROUTER.read_text(encoding="utf-8"))
KEYS = {"master": MASTER_KEY} | {
    name: caller["key"] for name, caller in DOCUMENT["homelab"]["callers"].items()
}
STOCK_KEYS = dict.fromkeys(KEYS, MASTER_KEY)
"""Without our hooks and without a database there is one key, the master key, for everybody."""


def stock(folder: Path) -> Path:
    """The same router without our section, callbacks and keys, written to `folder`."""
    document = {name: dict(value) if isinstance(value, dict) else value for name, value in DOCUMENT.items()}
    del document["homelab"]
    del document["litellm_settings"]["callbacks"], document["general_settings"]["custom_auth"]
    config = folder / "router.yaml"
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    return config


async def ask(proxy: MockProxy, case: Case, keys: dict[str, str]) -> Outcome:
    """Send one case; for `nobody` the harness's own key is taken away."""
    sent = {"authorization": "", **headers(case, keys)} if case.caller == "nobody" else headers(case, keys)
    answer = await proxy.request(case.method, case.path, content=case.content, headers=sent)
    return Outcome(answer.status, answer.text, tuple(answer.sent_to), tuple(map(text, answer.calls)))


def text(call: RecordedRequest) -> str:
    """Everything that a backend was sent in one call."""
    return f"{call.path}?{call.query} {call.headers} {call.content.decode('utf-8', 'replace')}"


async def through(proxy: MockProxy, cases: list[Case], keys: dict[str, str]) -> list[str]:
    """The ids of the cases that get through a gateway."""
    return [case.id for case in cases if got_through(case, await ask(proxy, case, keys))]
