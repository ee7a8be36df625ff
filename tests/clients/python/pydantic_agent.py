"""pydantic-ai's agents, on chat completions and on responses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

from tests.clients.python.driver import ABOUT_WEATHER, HANDLES, KEY, QUESTION, URL, Case, called, run, said

PROVIDER = OpenAIProvider(base_url=f"{URL}/v1", api_key=KEY)


class Out(BaseModel):
    """What an answer must look like."""

    answer: str
    number: int


def ask(model: Any) -> Mapping[str, Any]:
    """Ask once."""
    return said([Agent(model, retries=0).run_sync(QUESTION).output])


def stream(model: Any) -> Mapping[str, Any]:
    """Ask for a stream."""

    async def pieces() -> list[str]:
        async with Agent(model, retries=0).run_stream(QUESTION) as result:
            return [piece async for piece in result.stream_text(delta=True, debounce_by=None)]

    return said(asyncio.run(pieces()))


def tool(model: Any) -> Mapping[str, Any]:
    """Have a tool called, and go on with what it gave."""
    calls: list[str] = []

    def weather(city: str) -> str:
        """Look up the weather of a city."""
        calls.append(city)
        return f"rain in {city}"

    agent = Agent(model, retries=0, tools=[weather])
    text = agent.run_sync(ABOUT_WEATHER).output
    return {**called("weather", {"city": calls[0]}), "text": text}


def structured(model: Any, output: Any) -> Mapping[str, Any]:
    """Have an answer of a given shape."""
    return {"object": Agent(model, output_type=output, retries=0).run_sync(QUESTION).output.model_dump()}


CASES: dict[str, Case] = {}
for handle in HANDLES:
    for prefix, kind in (("", OpenAIChatModel), ("responses-", OpenAIResponsesModel)):
        chosen: Any = kind(handle, provider=PROVIDER)
        CASES |= {
            f"{prefix}{handle}": partial(ask, chosen),
            f"{prefix}{handle}-streamed": partial(stream, chosen),
            f"{prefix}tool-{handle}": partial(tool, chosen),
            f"{prefix}structured-{handle}": partial(structured, chosen, NativeOutput(Out)),
            f"{prefix}structured-by-tool-{handle}": partial(structured, chosen, Out),
        }
CASES |= {"wrong-name": lambda: ask(OpenAIChatModel("nowhere", provider=PROVIDER))}

if __name__ == "__main__":
    run(CASES)
