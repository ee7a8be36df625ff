"""anthropic: messages, streamed and not, tools, structured output, thinking, token counts, an approach."""

from __future__ import annotations

from functools import partial
from typing import Any

import anthropic
from pydantic import BaseModel

from tests.clients.python.driver import (
    ABOUT_WEATHER,
    CITY,
    HANDLES,
    KEY,
    QUESTION,
    SCHEMA,
    URL,
    Answer,
    Case,
    called,
    cells,
    run,
    said,
)

sdk = anthropic.Anthropic(base_url=URL, api_key=KEY, max_retries=0, timeout=60)
MESSAGES: Any = [{"role": "user", "content": QUESTION}]
TOOLS: Any = [{"name": "weather", "description": "Looks up the weather of a city.", "input_schema": CITY}]
FORMAT = {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}


class Out(BaseModel):
    """What an answer must look like."""

    answer: str
    number: int


def message(model: str, stream: bool) -> Answer:
    """Ask messages."""
    asked: Any = {"model": model, "max_tokens": 99, "messages": MESSAGES}
    if not stream:
        answer: Any = sdk.messages.create(**asked)
        return {**said(block.text for block in answer.content if block.type == "text"), "model": answer.model}
    with sdk.messages.stream(**asked) as events:
        text = said(events.text_stream)
        return {**text, "model": events.get_final_message().model}


def tool(model: str, stream: bool) -> Answer:
    """Have a tool called."""
    question: Any = [{"role": "user", "content": ABOUT_WEATHER}]
    asked: Any = {"model": model, "max_tokens": 99, "messages": question, "tools": TOOLS}
    if stream:
        with sdk.messages.stream(**asked) as events:
            answer: Any = events.get_final_message()
    else:
        answer = sdk.messages.create(**asked)
    block = next(block for block in answer.content if block.type == "tool_use")
    return called(block.name, block.input)


def structured(model: str, stream: bool) -> Answer:
    """Have an answer of a given shape."""
    asked: Any = {"model": model, "max_tokens": 99, "messages": MESSAGES, "output_format": Out}
    if stream:
        with sdk.messages.stream(**asked) as events:
            answer: Any = events.get_final_message()
    else:
        answer = sdk.messages.parse(**asked)
    return {"object": answer.parsed_output.model_dump()}


def re2(fields: dict[str, Any], model: str, stream: bool) -> Answer:
    """Ask for an approach that drops `fields`: what the answer's headers say."""
    extra = {"optillm_approach": "re2"} | fields
    create: Any = sdk.messages.with_raw_response.create
    raw = create(model=model, max_tokens=99, messages=MESSAGES, extra_body=extra, stream=stream)
    answer = raw.parse()
    if stream:
        deltas = [event.delta for event in answer if event.type == "content_block_delta"]
        text = said(delta.text for delta in deltas if delta.type == "text_delta")
    else:
        text = said(block.text for block in answer.content if block.type == "text")
    return {**text, "dropped": raw.headers.get("x-homelab-dropped", "")}


def thinking(model: str) -> Answer:
    """Ask with thinking."""
    answer: Any = sdk.messages.create(
        model=model, max_tokens=2048, messages=MESSAGES, thinking={"type": "adaptive"}
    )
    return said(block.text for block in answer.content if block.type == "text")


def counted(model: str) -> Answer:
    """Count the tokens of a question."""
    return {"tokens": sdk.messages.count_tokens(model=model, messages=MESSAGES).input_tokens}


CASES: dict[str, Case] = {
    **cells("messages", message, tool, structured),
    **cells(
        "messages-re2",
        partial(re2, {}),
        partial(re2, {"tools": TOOLS}),
        partial(re2, FORMAT),
        handles=["boost"],
        wrong_name=False,
    ),
    **{f"count-{handle}": partial(counted, handle) for handle in HANDLES},
    **{f"thinking-{handle}": partial(thinking, handle) for handle in HANDLES},
    "count-wrong-name": partial(counted, "nowhere"),
}

if __name__ == "__main__":
    run(CASES)
