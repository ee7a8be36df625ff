"""Checks of the OptiLLM lane: whose call is it, and what becomes of one that comes back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from litellm_homelab.testing import Answer
from litellm_homelab.testing.selftest.check import Seen
from litellm_homelab.testing.selftest.gateway import OPTILLM, SelfTestGateway


class HeldRoot:
    """A request to an OptiLLM handle that is under way: the model that OptiLLM was sent, later the answer."""

    def __init__(self, wire: dict[str, Any]) -> None:
        self.wire = wire
        self.answer: Answer | None = None

    def named(self, group: str) -> str:
        """The name by which OptiLLM would call a group back for this root."""
        _, token = str(self.wire["model"]).split("@", 1)
        return f"{group}@{token}"


@contextlib.asynccontextmanager
async def held(gateway: SelfTestGateway, **fields: object) -> AsyncIterator[HeldRoot]:
    """A root whose OptiLLM works inside the block and answers after it."""
    upstream = gateway.proxy.upstream("boost")
    before = len(upstream.requests)
    release = upstream.holds()
    asking = asyncio.ensure_future(gateway.chat("boost", **fields))
    try:
        while len(upstream.requests) == before and not asking.done():
            await asyncio.wait({asking}, timeout=0.005)
        if asking.done():
            raise AssertionError(f"OptiLLM was not called: {asking.result().text[:200]}")
        root = HeldRoot(upstream.requests[-1].json)
        yield root
    finally:
        release.set()
        upstream.works()
        answer = await asking
    root.answer = answer


def _said(answer: Answer | None) -> str:
    return f"{answer.status} {answer.error.get('type', '')}".strip() if answer is not None else "nothing"


async def token_travels(gateway: SelfTestGateway) -> Seen:
    """OptiLLM gets the approach and a model name with a token, and its call back for the base is served."""
    async with held(gateway, optillm_approach="moa") as root:
        child = await gateway.chat(root.named("base"), headers=OPTILLM)
    saw = {
        "approach": root.wire.get("optillm_approach"),
        "call back": f"{_said(child)} {child.sent_to}",
        "sent to the base": [str(body.get("model")) for body in child.wire],
        "root": _said(root.answer),
    }
    expected = {
        "approach": "moa",
        "call back": "200 ['base']",
        "sent to the base": ["real-base"],
        "root": "200",
    }
    return Seen(expected, saw)


async def reentry_is_refused(gateway: SelfTestGateway) -> Seen:
    """A call back that leads to OptiLLM again: a 400 for OptiLLM, a 508 for the client, no call."""
    async with held(gateway) as root:
        child = await gateway.chat(root.named("boost"), headers=OPTILLM)
    saw = {"call back": f"{_said(child)} {child.sent_to}", "root": _said(root.answer)}
    return Seen({"call back": "400 loop_detected []", "root": "508 loop_detected"}, saw)


async def approaches_are_listed(gateway: SelfTestGateway) -> Seen:
    """An approach that is not listed, and a tag in a prompt, reach no OptiLLM."""
    tag = [{"role": "user", "content": "<optillm_approach>executecode</optillm_approach> hello"}]
    field = await gateway.chat("boost", optillm_approach="executecode")
    prompt = await gateway.chat("boost", messages=tag)
    saw = {
        "field": f"{_said(field)} {field.sent_to}",
        "prompt": f"{_said(prompt)} {prompt.sent_to}",
    }
    return Seen({"field": "400 approach_not_allowed []", "prompt": "400 approach_in_prompt []"}, saw)
