"""LangChain's ChatOpenAI, on chat completions and on responses."""

from __future__ import annotations

from functools import partial, reduce
from operator import add
from typing import Any

from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from tests.clients.python.driver import ABOUT_WEATHER, KEY, QUESTION, URL, Answer, called, cells, run, said


class Out(BaseModel):
    """What an answer must look like."""

    answer: str
    number: int


def weather(city: str) -> str:
    """Look up the weather of a city."""
    return f"rain in {city}"


def model(handle: str, responses: bool) -> Any:
    """Return a chat model, as LangChain's pages make one."""
    return ChatOpenAI(
        base_url=f"{URL}/v1",
        api_key=KEY,
        model=handle,
        max_retries=0,
        timeout=60,
        use_responses_api=responses,
    )


def ask(responses: bool, handle: str, stream: bool) -> Answer:
    """Ask once."""
    chosen = model(handle, responses)
    answers = chosen.stream(QUESTION) if stream else [chosen.invoke(QUESTION)]
    return said(answer.text for answer in answers)


def tool(responses: bool, handle: str, stream: bool) -> Answer:
    """Have a tool called."""
    chosen = model(handle, responses).bind_tools([weather])
    answer: Any = reduce(add, chosen.stream(ABOUT_WEATHER)) if stream else chosen.invoke(ABOUT_WEATHER)
    call = answer.tool_calls[0]
    return called(call["name"], call["args"])


def structured(responses: bool, handle: str, stream: bool) -> Answer:
    """Have an answer of a given shape."""
    chosen = model(handle, responses).with_structured_output(Out)
    answer = [*chosen.stream(QUESTION)][-1] if stream else chosen.invoke(QUESTION)
    return {"object": answer.model_dump()}


if __name__ == "__main__":
    run(
        {
            name: case
            for api, responses in (("chat", False), ("responses", True))
            for name, case in cells(
                api, partial(ask, responses), partial(tool, responses), partial(structured, responses)
            ).items()
        }
    )
