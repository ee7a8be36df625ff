"""pydantic-ai's agents, on chat completions and on responses."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

from tests.clients.python.driver import (
    ABOUT_WEATHER,
    KEY,
    QUESTION,
    URL,
    Answer,
    Case,
    called,
    cells,
    run,
    said,
)

PROVIDER = OpenAIProvider(base_url=f"{URL}/v1", api_key=KEY)


class Out(BaseModel):
    """What an answer must look like."""

    answer: str
    number: int


def agent(kind: Any, handle: str, **options: Any) -> Any:
    """Return an agent that asks once."""
    return Agent(kind(handle, provider=PROVIDER), retries=0, **options)


def output(asked: Any, question: str) -> Any:
    """Return what comes at the end of a stream."""

    async def last() -> Any:
        async with asked.run_stream(question) as result:
            return await result.get_output()

    return asyncio.run(last())


def ask(kind: Any, handle: str, stream: bool) -> Answer:
    """Ask once."""
    asked = agent(kind, handle)
    if not stream:
        return said([asked.run_sync(QUESTION).output])

    async def pieces() -> list[str]:
        async with asked.run_stream(QUESTION) as result:
            return [piece async for piece in result.stream_text(delta=True, debounce_by=None)]

    return said(asyncio.run(pieces()))


def tool(kind: Any, handle: str, stream: bool) -> Answer:
    """Have a tool called, and go on with what it gave."""
    calls: list[str] = []

    def weather(city: str) -> str:
        """Look up the weather of a city."""
        calls.append(city)
        return f"rain in {city}"

    asked = agent(kind, handle, tools=[weather])
    text = output(asked, ABOUT_WEATHER) if stream else asked.run_sync(ABOUT_WEATHER).output
    return {**called("weather", {"city": calls[0]}), "text": text}


def structured(kind: Any, wanted: Any, handle: str, stream: bool) -> Answer:
    """Have an answer of a given shape."""
    asked = agent(kind, handle, output_type=wanted)
    answer = output(asked, QUESTION) if stream else asked.run_sync(QUESTION).output
    return {"object": answer.model_dump()}


CASES: dict[str, Case] = {}
for api, kind in (("chat", OpenAIChatModel), ("responses", OpenAIResponsesModel)):
    by_format = partial(structured, kind, NativeOutput(Out))
    CASES |= cells(api, partial(ask, kind), partial(tool, kind), by_format)
    CASES |= cells(f"{api}-by-tool", structured=partial(structured, kind, Out))

if __name__ == "__main__":
    run(CASES)
