"""anthropic: messages, streamed and not, tools, structured output, a wrong name."""

from __future__ import annotations

from collections.abc import Mapping
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
    URL,
    Case,
    called,
    run,
    said,
)

sdk = anthropic.Anthropic(base_url=URL, api_key=KEY, max_retries=0, timeout=60)
MESSAGES: Any = [{"role": "user", "content": QUESTION}]


class Out(BaseModel):
    """What an answer must look like."""

    answer: str
    number: int


def message(model: str, stream: bool) -> Mapping[str, Any]:
    """Ask messages."""
    if not stream:
        answer: Any = sdk.messages.create(model=model, max_tokens=99, messages=MESSAGES)
        return {**said(block.text for block in answer.content if block.type == "text"), "model": answer.model}
    with sdk.messages.stream(model=model, max_tokens=99, messages=MESSAGES) as events:
        text = said(events.text_stream)
        return {**text, "model": events.get_final_message().model}


def tool(model: str, stream: bool) -> Mapping[str, Any]:
    """Have a tool called."""
    question: Any = [{"role": "user", "content": ABOUT_WEATHER}]
    tools: Any = [{"name": "weather", "description": "Looks up the weather of a city.", "input_schema": CITY}]
    if stream:
        with sdk.messages.stream(model=model, max_tokens=99, messages=question, tools=tools) as events:
            answer: Any = events.get_final_message()
    else:
        answer = sdk.messages.create(model=model, max_tokens=99, messages=question, tools=tools)
    block = next(block for block in answer.content if block.type == "tool_use")
    return called(block.name, block.input)


def structured(model: str) -> Mapping[str, Any]:
    """Have an answer of a given shape."""
    answer: Any = sdk.messages.parse(model=model, max_tokens=99, messages=MESSAGES, output_format=Out)
    return {"object": answer.parsed_output.model_dump()}


def thinking(model: str) -> Mapping[str, Any]:
    """Ask with thinking."""
    answer: Any = sdk.messages.create(
        model=model, max_tokens=2048, messages=MESSAGES, thinking={"type": "adaptive"}
    )
    return said(block.text for block in answer.content if block.type == "text")


def counted(model: str) -> Mapping[str, Any]:
    """Count the tokens of a question."""
    return {"tokens": sdk.messages.count_tokens(model=model, messages=MESSAGES).input_tokens}


CASES: dict[str, Case] = {
    f"{handle}{'-streamed' if stream else ''}": partial(message, handle, stream)
    for handle in HANDLES
    for stream in (False, True)
}
CASES |= {f"tool-{handle}": partial(tool, handle, stream=False) for handle in HANDLES}
CASES |= {f"tool-{handle}-streamed": partial(tool, handle, stream=True) for handle in HANDLES}
CASES |= {f"structured-{handle}": partial(structured, handle) for handle in HANDLES}
CASES |= {f"count-{handle}": partial(counted, handle) for handle in HANDLES}
CASES |= {"count-wrong-name": partial(counted, "nowhere")}
CASES |= {f"thinking-{handle}": partial(thinking, handle) for handle in HANDLES}
CASES |= {
    "wrong-name": lambda: message("nowhere", stream=False),
    "wrong-name-streamed": lambda: message("nowhere", stream=True),
}

if __name__ == "__main__":
    run(CASES)
