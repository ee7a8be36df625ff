"""LangChain's ChatOpenAI, on chat completions and on responses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from tests.clients.python.driver import ABOUT_WEATHER, HANDLES, KEY, QUESTION, URL, Case, called, run, said


class Out(BaseModel):
    """What an answer must look like."""

    answer: str
    number: int


def weather(city: str) -> str:
    """Look up the weather of a city."""
    return f"rain in {city}"


def model(handle: str, **options: Any) -> Any:
    """Return a chat model, as LangChain's pages make one."""
    return ChatOpenAI(base_url=f"{URL}/v1", api_key=KEY, model=handle, max_retries=0, timeout=60, **options)


def ask(handle: str, stream: bool, **options: Any) -> Mapping[str, Any]:
    """Ask once."""
    chosen = model(handle, **options)
    answers = chosen.stream(QUESTION) if stream else [chosen.invoke(QUESTION)]
    return said(answer.text for answer in answers)


def tool(handle: str, **options: Any) -> Mapping[str, Any]:
    """Have a tool called."""
    call = model(handle, **options).bind_tools([weather]).invoke(ABOUT_WEATHER).tool_calls[0]
    return called(call["name"], call["args"])


def structured(handle: str, **options: Any) -> Mapping[str, Any]:
    """Have an answer of a given shape."""
    return {"object": model(handle, **options).with_structured_output(Out).invoke(QUESTION).model_dump()}


CASES: dict[str, Case] = {}
for handle in HANDLES:
    for prefix, options in (("", {}), ("responses-", {"use_responses_api": True})):
        CASES |= {
            f"{prefix}{handle}": partial(ask, handle, stream=False, **options),
            f"{prefix}{handle}-streamed": partial(ask, handle, stream=True, **options),
            f"{prefix}tool-{handle}": partial(tool, handle, **options),
            f"{prefix}structured-{handle}": partial(structured, handle, **options),
        }
CASES |= {
    "wrong-name": lambda: ask("nowhere", stream=False),
    "wrong-name-streamed": lambda: ask("nowhere", stream=True),
}

if __name__ == "__main__":
    run(CASES)
