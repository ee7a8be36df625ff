"""Management beside an authentication that is not ours: it is asked, and it decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapter.lane import document, group, proxy_on

OWN = """
from litellm.proxy._types import ProxyException, UserAPIKeyAuth

asked = []


async def own(request, api_key):
    asked.append(api_key)
    if api_key != "sk-of-their-admin":
        raise ProxyException(message="not one of theirs", type="theirs", param=None, code=401)
    return UserAPIKeyAuth(api_key=api_key, user_role="proxy_admin")
"""
PATH = "/health/readiness/details"


@pytest.mark.parametrize(("key", "status"), [("sk-of-their-admin", 200), ("sk-of-nobody", 401)])
async def test_their_custom_auth_decides(tmp_path: Path, key: str, status: int) -> None:
    """Its admin reaches management; what it refuses is refused with its words."""
    (tmp_path / "their_auth.py").write_text(OWN, encoding="utf-8")
    found = document([group("main")], {}, internal=(), callers={})
    found["general_settings"]["custom_auth"] = "their_auth.own"
    async with proxy_on(tmp_path, found) as proxy:
        answer = await proxy.get(PATH, headers={"Authorization": f"Bearer {key}"})
    assert answer.status == status, answer.text
    assert status == 200 or answer.error["type"] == "theirs"


async def test_with_our_gate_no_other_key_does(tmp_path: Path) -> None:
    """Where all keys are ours, an unknown one is refused before LiteLLM's own code runs."""
    async with proxy_on(tmp_path, document([group("main")], {}, internal=(), callers={})) as proxy:
        answer = await proxy.get(PATH, headers={"Authorization": "Bearer sk-of-their-admin"})
    assert (answer.status, answer.error["type"]) == (401, "authentication_error")
