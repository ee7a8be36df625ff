"""A callback of the operator's that changes the model: before ours it counts, after ours it is refused."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from litellm_homelab.testing import MockProxy

CALLBACK = """
from litellm.integrations.custom_logger import CustomLogger


class Changes(CustomLogger):
    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        data["model"] = "other"
        return data


changes = Changes()
"""
ROUTER = """
homelab:
  showroom: {handles: [main, other]}
  state: memory://
model_list:
  - model_name: main
    litellm_params: {model: lm_studio/main, api_base: "http://main.invalid/v1", api_key: none}
  - model_name: other
    litellm_params: {model: lm_studio/other, api_base: "http://other.invalid/v1", api_key: none}
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
litellm_settings:
  callbacks: [CALLBACKS]
"""
OURS, THEIRS = "litellm_homelab.plugin", "changing.changes"


@pytest.mark.parametrize(
    ("order", "status", "sent_to"),
    [((THEIRS, OURS), 200, ["other"]), ((OURS, THEIRS), 404, [])],
    ids=["before ours", "after ours"],
)
async def test_the_order_of_callbacks_decides(
    order: tuple[str, str],
    status: int,
    sent_to: list[str],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Listed first it changes what our rules judge; listed last the log says what to do about it."""
    (tmp_path / "changing.py").write_text(CALLBACK, encoding="utf-8")
    path = tmp_path / "router.yaml"
    path.write_text(ROUTER.replace("CALLBACKS", ", ".join(order)), encoding="utf-8")
    logging.getLogger("LiteLLM Proxy").propagate = True
    async with MockProxy(path) as proxy:
        answer = await proxy.chat("main")
    assert (answer.status, answer.sent_to) == (status, sent_to), answer.text
    assert ("litellm_homelab.plugin in litellm_settings.callbacks" in caplog.text) == (status == 404)
