"""How an attack is sent, and how its success shows on the rig."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.real.lane.rig import GATE_KEY, Rig, contents

Send = Callable[[Rig], httpx.Response]
Worked = Callable[[Rig, httpx.Response], bool]

TAG = "<optillm_approach>{}</optillm_approach>"
REFUSED_TAG = "contains an <optillm_approach> tag"
NOT_ALLOWED = "(allowed: none, re2, moa, bon, plansearch, self_consistency)"


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack: what is sent, how its success shows, what the refusal says (None: served, harmlessly)."""

    send: Send
    worked: Worked
    refused: str | None


def says(*turns: tuple[str, Any], **fields: Any) -> Send:
    """Send a conversation of (role, content) to boost."""
    messages = [{"role": role, "content": content} for role, content in turns]
    return lambda lane: lane.chat("boost", messages=messages, **fields)


def asks(**fields: Any) -> Send:
    """Send hello to boost with these fields."""
    return lambda lane: lane.chat("boost", **fields)


def parts(*texts: str) -> list[dict[str, str]]:
    """A content of several text parts."""
    return [{"type": "text", "text": text} for text in texts]


def ran_more(lane: Rig, answer: httpx.Response) -> bool:
    """Whether OptiLLM ran more than the single call of what was asked."""
    return len(lane.returns) > 1


def renamed(lane: Rig, answer: httpx.Response) -> bool:
    """Whether OptiLLM asked for another model than its own."""
    return any(call.model.partition("@")[0] != "base" for call in lane.returns)


def reached_dear(lane: Rig, answer: httpx.Response) -> bool:
    """Whether a model answered that nothing leads to."""
    return bool(lane.backend_calls("dear"))


def tag_goes_on(lane: Rig, answer: httpx.Response) -> bool:
    """Whether the next OptiLLM on the way would find a tag in a message that it obeys."""
    texts = contents(
        [
            {"messages": [one for one in call.body["messages"] if one["role"] in {"user", "system"}]}
            for call in lane.returns
        ]
    )
    return any(TAG.format("mcts") in text for text in texts)


def sent_back(header: str, value: str) -> Worked:
    """Whether OptiLLM's call back carried a header of the client's."""
    return lambda lane, _: any(value in call.headers.get(header, "") for call in lane.returns)


def fetched(lane: Rig, answer: httpx.Response) -> bool:
    """Whether a page was fetched that only the OptiLLM host can reach."""
    return bool(lane.upstreams.recorder.requests("secret"))


def wrong_key(lane: Rig, answer: httpx.Response) -> bool:
    """Whether OptiLLM was called with another key than the deployment's."""
    return any(call.headers.getlist("authorization") != [f"Bearer {GATE_KEY}"] for call in lane.optillm_calls)


def page(lane: Rig) -> str:
    """An address that the recording backend serves."""
    return lane.environ["BASE_API_BASE"].replace("/base/v1", "/secret/page")


def reads_page(text: str, **fields: Any) -> Send:
    """Ask about a page on the OptiLLM host's network."""
    return lambda lane: lane.chat("boost", f"{text} Summarize {page(lane)}", **fields)
