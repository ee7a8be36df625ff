"""A broken stream that a fallback continues (LiteLLM 1.110) answers in the handle's name throughout."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from litellm_homelab.testing import MockProxy
from tests.naming import ROUTER

SECRETS = ("real-main", "real-rung", "id-main", "id-rung", "rung")


def _router(folder: Path) -> Path:
    """The router of the naming table with the setting on, and a fallback that may continue."""
    document = yaml.safe_load(ROUTER.read_text(encoding="utf-8"))
    document["router_settings"]["enable_mid_stream_fallback_continuation"] = True
    for one in document["model_list"]:
        one["model_info"]["supports_assistant_prefill"] = True
    path = folder / "router.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


async def test_a_continued_stream_names_the_handle_alone(tmp_path: Path) -> None:
    """Versions before 1.110 do not know the setting and end with an error, which names nothing either."""
    async with MockProxy(_router(tmp_path)) as proxy:
        proxy.upstream("main").fails("drop")
        answer = await proxy.chat("main", stream=True)

    events = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: {")]
    assert events
    assert {json.loads(one).get("model", "main") for one in events} == {"main"}
    assert not [word for word in SECRETS if word in answer.text], answer.text
    assert answer.sent_to[0] == "main"
