"""Files of home labs with nothing but our lines added: they start, list, answer, stream and fail over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from litellm_homelab.adapter.startup import known
from litellm_homelab.config.loading import load
from litellm_homelab.testing import Answer, MockProxy
from tests.labs.adopt import FILES, LABS, Lab, written

CHATTING = [lab for lab in LABS if lab.chats]


def ids(lab: Lab) -> str:
    """The lab's name."""
    return lab.file


def seen(answer: Answer) -> dict[str, Any]:
    """What a client got and what the upstreams were sent, as far as stock and ours must agree."""
    sent = [{**(body or {}), "messages": len((body or {}).get("messages", ()))} for body in answer.wire]
    return {"status": answer.status, "sent_to": answer.sent_to, "wire": sent}


async def played(lab: Lab, path: Path, text: str) -> dict[str, Any]:
    """Every name asked, whole and streamed, and the chain with each group but the last failing."""
    found: dict[str, Any] = {}
    async with MockProxy(path, environ=lab.environ) as proxy:
        for name in lab.chats:
            answer = await proxy.chat(name, text, stream=False)
            found[name] = seen(answer)
            streamed = await proxy.chat(name, f"{text} streamed", stream=True)
            found[f"{name}, streamed"] = seen(streamed)
            assert streamed.events, streamed.text
        for group in lab.fails_over[:-1]:
            proxy.upstream(group).fails(500)
        if lab.fails_over:
            answer = await proxy.chat(lab.fails_over[0], f"{text} again")
            found["failover"] = answer.status, list(dict.fromkeys(answer.sent_to))
        listed = await proxy.get("/v1/models")
        found["listed"] = [one["id"] for one in listed.json["data"]]
    return found


@pytest.mark.parametrize("lab", LABS, ids=ids)
def test_a_lab_starts_with_our_lines(lab: Lab, tmp_path: Path) -> None:
    """No file needs a change of its own: what is unusual is a warning."""
    path = written(lab, tmp_path, ours=True)
    environ = {"LITELLM_MASTER_KEY": "sk-lab-master", **lab.environ, **UNSET}
    settings = load(path, environ=environ, known=known())
    assert settings.handles == lab.handles


UNSET = {"LOCAL_API_KEY": "local-1", "LOCAL_KEY": "local-2"}


@pytest.mark.parametrize("lab", CHATTING, ids=ids)
async def test_a_lab_does_what_it_did(lab: Lab, tmp_path: Path) -> None:
    """The same requests reach the same upstreams with the same bodies, with and without our lines."""
    before = await played(lab, written(lab, tmp_path / "stock", ours=False), "stock")
    after = await played(lab, written(lab, tmp_path / "ours", ours=True), "our lines")
    assert after.pop("listed") == [*lab.handles]
    before.pop("listed")
    assert after == before
    assert {answer["status"] for name, answer in after.items() if name != "failover"} == {200}
    if lab.fails_over:
        assert after["failover"] == (200, [*lab.fails_over])


def test_every_owner_file_is_a_lab() -> None:
    """No file is left out; what others include is no lab of its own."""
    assert {path.stem for path in FILES.glob("*.yaml")} - {"included_models"} == {lab.file for lab in LABS}
    assert len(LABS) >= 13
