"""openai-python: chat, responses, tools, structured output, AzureOpenAI, an approach that drops fields."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import openai
from pydantic import BaseModel

from tests.clients.python.driver import (
    ABOUT_WEATHER,
    CITY,
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

MESSAGES: Any = [{"role": "user", "content": QUESTION}]
TOOL: dict[str, Any] = {
    "name": "weather",
    "description": "Looks up the weather of a city.",
    "parameters": CITY,
}
CHAT_TOOLS: Any = [{"type": "function", "function": TOOL}]
TOOLS: Any = [{"type": "function", "strict": True, **TOOL}]
FORMAT: dict[str, Any] = {"type": "json_schema", "name": "out", "schema": SCHEMA}
APPROACH = {"optillm_approach": "re2"}

Client = Callable[[str], tuple[openai.OpenAI, str]]
"""Gives the SDK's client for a handle, and what that client says as its model."""


class Out(BaseModel):
    """What an answer must look like."""

    answer: str
    number: int


sdk = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0, timeout=60)


def azure(**options: Any) -> openai.AzureOpenAI:
    """Return the client of Azure's pages."""
    return openai.AzureOpenAI(
        azure_endpoint=URL, api_key=KEY, api_version="2024-10-21", max_retries=0, **options
    )


def plain(handle: str) -> tuple[openai.OpenAI, str]:
    """OpenAI's client."""
    return sdk, handle


def without_deployment(handle: str) -> tuple[openai.OpenAI, str]:
    """Azure's client, where the model becomes the path's."""
    return azure(), handle


def with_deployment(handle: str) -> tuple[openai.OpenAI, str]:
    """Azure's client, where the path has the deployment and the body another model."""
    return azure(azure_deployment=handle), "gpt-4o"


def chat(of: Client, handle: str, stream: bool) -> Answer:
    """Ask chat.completions."""
    client, model = of(handle)
    create: Any = client.chat.completions.create
    options = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    answer = create(model=model, messages=MESSAGES, **options)
    if not stream:
        return {**said([answer.choices[0].message.content]), "model": answer.model}
    chunks = list(answer)
    total = [chunk.usage.total_tokens for chunk in chunks if chunk.usage]
    text = said(choice.delta.content for chunk in chunks for choice in chunk.choices)
    return {**text, "model": chunks[0].model, "usage": total}


def responses(of: Client, handle: str, stream: bool) -> Answer:
    """Ask responses."""
    client, model = of(handle)
    create: Any = client.responses.create
    answer = create(model=model, input=QUESTION, stream=stream)
    if not stream:
        return {**said([answer.output_text]), "model": answer.model}
    events = list(answer)
    text = said(event.delta for event in events if event.type == "response.output_text.delta")
    return {**text, "model": events[-1].response.model, "last": events[-1].type}


def tool(of: Client, handle: str, stream: bool) -> Answer:
    """Have a tool called."""
    client, model = of(handle)
    asked: Any = {
        "model": model,
        "messages": [{"role": "user", "content": ABOUT_WEATHER}],
        "tools": CHAT_TOOLS,
    }
    if stream:
        with client.chat.completions.stream(**asked) as events:
            answer: Any = events.get_final_completion()
    else:
        answer = client.chat.completions.create(**asked)
    function = answer.choices[0].message.tool_calls[0].function
    return called(function.name, function.arguments)


def responses_tool(of: Client, handle: str, stream: bool) -> Answer:
    """Have a tool called on responses."""
    client, model = of(handle)
    asked: Any = {"model": model, "input": ABOUT_WEATHER, "tools": TOOLS}
    if stream:
        with client.responses.stream(**asked) as events:
            answer: Any = events.get_final_response()
    else:
        answer = client.responses.create(**asked)
    item = next(item for item in answer.output if item.type == "function_call")
    return called(item.name, item.arguments)


def structured(of: Client, handle: str, stream: bool) -> Answer:
    """Have an answer of a given shape."""
    client, model = of(handle)
    asked: Any = {"model": model, "messages": MESSAGES, "response_format": Out}
    if stream:
        with client.chat.completions.stream(**asked) as events:
            answer: Any = events.get_final_completion()
    else:
        answer = client.chat.completions.parse(**asked)
    return {"object": answer.choices[0].message.parsed.model_dump()}


def responses_structured(of: Client, handle: str, stream: bool) -> Answer:
    """Have an answer of a given shape on responses."""
    client, model = of(handle)
    asked: Any = {"model": model, "input": QUESTION, "text_format": Out}
    if stream:
        with client.responses.stream(**asked) as events:
            answer: Any = events.get_final_response()
    else:
        answer = client.responses.parse(**asked)
    return {"object": answer.output_parsed.model_dump()}


def chat_re2(fields: dict[str, Any], handle: str, stream: bool) -> Answer:
    """Ask for an approach that drops `fields`: what the answer's headers say."""
    create: Any = sdk.chat.completions.with_raw_response.create
    raw = create(model=handle, messages=MESSAGES, extra_body=APPROACH, stream=stream, **fields)
    answer = raw.parse()
    if stream:
        text = said(choice.delta.content for chunk in answer for choice in chunk.choices)
    else:
        text = said([answer.choices[0].message.content])
    return {**text, "dropped": raw.headers.get("x-homelab-dropped", "")}


def responses_re2(fields: dict[str, Any], handle: str, stream: bool) -> Answer:
    """Ask for it on responses."""
    create: Any = sdk.responses.with_raw_response.create
    raw = create(model=handle, input=QUESTION, extra_body=APPROACH, stream=stream, **fields)
    answer = raw.parse()
    if stream:
        text = said(event.delta for event in answer if event.type == "response.output_text.delta")
    else:
        text = said([answer.output_text])
    return {**text, "dropped": raw.headers.get("x-homelab-dropped", "")}


CASES: dict[str, Case] = {}
for api, of in (("chat", plain), ("azure", without_deployment), ("azure-deployment", with_deployment)):
    CASES |= cells(api, partial(chat, of), partial(tool, of), partial(structured, of))
for api, of in (("responses", plain), ("azure-responses", without_deployment)):
    CASES |= cells(
        api, partial(responses, of), partial(responses_tool, of), partial(responses_structured, of)
    )
CASES |= cells(
    "chat-re2",
    partial(chat_re2, {}),
    partial(chat_re2, {"tools": CHAT_TOOLS}),
    partial(chat_re2, {"response_format": {"type": "json_schema", "json_schema": FORMAT}}),
    handles=["boost"],
    wrong_name=False,
)
CASES |= cells(
    "responses-re2",
    partial(responses_re2, {}),
    partial(responses_re2, {"tools": TOOLS}),
    partial(responses_re2, {"text": {"format": {**FORMAT, "strict": True}}}),
    handles=["boost"],
    wrong_name=False,
)
CASES |= {
    "list": lambda: {"names": [model.id for model in sdk.models.list()]},
    "azure-list": lambda: {"names": [model.id for model in azure().models.list()]},
    "retrieve-wrong-name": lambda: {"names": [sdk.models.retrieve("nowhere").id]},
}

if __name__ == "__main__":
    run(CASES)
