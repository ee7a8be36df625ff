"""OptiLLM whose calls back share one slot with each other and with plain chats, on real processes."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.real.lane.conftest import ROUTER
from tests.real.lane.rig import Document, Rig, bearer, callers_key, read, rig
from tests.real.upstreams import listening

pytestmark = pytest.mark.real

WORK_SECONDS = 0.5
"""How long the card works on one request."""
PATIENCE = 120
ROOTS = ("root-0001", "root-0002")
NAMED = re.compile(r"root-\d{4}|plain-chat")


class Card:
    """A server that works on one request at a time: it notes whose each is, and how many it got at a time."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.working = self.peak = 0
        self.begun = threading.Event()
        self.app = Starlette(routes=[Route("/v1/chat/completions", self._chat, methods=["POST"])])

    async def _chat(self, request: Request) -> Response:
        body = await request.json()
        found = NAMED.search(str(body["messages"]))
        self.order.append(found.group() if found else "")
        self.working += 1
        self.peak = max(self.peak, self.working)
        self.begun.set()
        try:
            await asyncio.sleep(WORK_SECONDS)
        finally:
            self.working -= 1
        text = f"The answer to {self.order[-1]}."
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return JSONResponse(
            {"id": "1", "object": "chat.completion", "created": 1, "model": body["model"]}
            | {"choices": [choice], "usage": usage}
        )


def document() -> Document:
    """The lane with `main` and what OptiLLM calls back on one server that takes one request at a time."""
    found = read(ROUTER)
    found["homelab"]["backends"] = {
        "card": {
            "at": ["os.environ/BASE_API_BASE"],
            "slots": 1,
            "queue": {"length": 20, "wait_seconds": PATIENCE},
        }
    }
    found["homelab"]["callers"]["app"]["priority"] = "high"
    main = next(one for one in found["model_list"] if one["model_name"] == "main")
    main["litellm_params"] = {**main["litellm_params"], "api_base": "os.environ/BASE_API_BASE"}
    return found


def wait_for(lane: Rig, calls: int) -> None:
    """Wait until OptiLLM has called back so often."""
    deadline = time.monotonic() + PATIENCE
    while len(lane.returns) < calls:
        assert time.monotonic() < deadline, "OptiLLM does not call back"
        time.sleep(0.01)


def test_two_roots_and_a_plain_chat_share_one_slot() -> None:
    """No deadlock, never a second request at the card, and the chat goes before children that wait."""
    card = Card()
    with listening(card.app) as root, ThreadPoolExecutor(3) as pool:
        environ = {"BASE_API_BASE": f"{root}/v1", "CODER_API_BASE": f"{root}/v1"}
        with rig(document(), environ=environ) as lane:
            asked = [
                pool.submit(lane.chat, "boost", f"{one} asks: why?", optillm_approach="moa") for one in ROOTS
            ]
            wait_for(lane, 3)
            before = len(card.order)
            headers = bearer(callers_key(lane.document, "app"))
            text = [{"role": "user", "content": "plain-chat"}]
            chat = lane.post("/v1/chat/completions", {"model": "main", "messages": text}, headers=headers)
            answers = [one.result(timeout=PATIENCE) for one in asked]
    assert chat.status_code == 200, chat.text
    assert [one.status_code for one in answers] == [200, 200], [one.text for one in answers]
    assert card.peak == 1
    place = card.order.index("plain-chat")
    assert place <= before + 1, card.order
    assert set(card.order[place + 1 :]) == set(ROOTS), card.order
    for one in ROOTS:
        assert card.order.count(one) >= 3, card.order
