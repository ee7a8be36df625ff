"""OptiLLM whose calls back share one slot with each other and with plain chats, on real processes."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable
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

PATIENCE = 120
WAITING = re.compile(r'^homelab_queue_length\{backend="card"\} (\S+)$', re.MULTILINE)
ROOTS = ("root-0001", "root-0002")
NAMED = re.compile(r"root-\d{4}|plain-chat")


class Card:
    """
    A server that should get one request at a time: it notes whose each is, and how many it had at most.

    It works on its first request until `is_open` is set.
    """

    def __init__(self) -> None:
        self.order: list[str] = []
        self.working = self.peak = 0
        self.is_open = threading.Event()
        self.app = Starlette(routes=[Route("/v1/chat/completions", self._chat, methods=["POST"])])

    async def _chat(self, request: Request) -> Response:
        body = await request.json()
        found = NAMED.search(str(body["messages"]))
        self.order.append(found.group() if found else "")
        self.working += 1
        self.peak = max(self.peak, self.working)
        try:
            opened = await asyncio.to_thread(self.is_open.wait, PATIENCE)
        finally:
            self.working -= 1
        assert opened, "the test has not opened the card"
        text = f"The answer to {found.group() if found else ''}."
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


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until a condition is true."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def waiting(lane: Rig) -> int:
    """How many requests wait for the card."""
    found = WAITING.search(lane.client.get("/metrics/").text)
    return int(float(found[1])) if found else 0


def test_two_roots_and_a_plain_chat_share_one_slot() -> None:
    """No deadlock, never a second request at the card, and the chat goes before children that wait."""
    card = Card()
    with listening(card.app) as root, ThreadPoolExecutor(3) as pool:
        environ = {"BASE_API_BASE": f"{root}/v1", "CODER_API_BASE": f"{root}/v1"}
        with rig(document(), environ=environ) as lane:
            asked = [
                pool.submit(lane.chat, "boost", f"{one} asks: why?", optillm_approach="moa") for one in ROOTS
            ]
            try:
                until(lambda: len(lane.returns) >= 2 and waiting(lane) >= 1, "OptiLLM does not call back")
                headers = bearer(callers_key(lane.document, "app"))
                text = [{"role": "user", "content": "plain-chat"}]
                body = {"model": "main", "messages": text}
                asking = pool.submit(lane.post, "/v1/chat/completions", body, headers=headers)
                # One is at the card; the other calls and the chat wait.
                until(lambda: waiting(lane) == len(lane.returns), "the chat does not wait")
            finally:
                card.is_open.set()
            chat = asking.result(timeout=PATIENCE)
            answers = [one.result(timeout=PATIENCE) for one in asked]
    assert chat.status_code == 200, chat.text
    assert [one.status_code for one in answers] == [200, 200], [one.text for one in answers]
    assert card.peak == 1
    place = card.order.index("plain-chat")
    assert place == 1, card.order
    assert set(card.order[place + 1 :]) == set(ROOTS), card.order
    for one in ROOTS:
        assert card.order.count(one) >= 3, card.order
