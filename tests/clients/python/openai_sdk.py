"""openai-python: chat, responses, tools, structured output, AzureOpenAI with and without a deployment."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import openai
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

sdk = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0, timeout=60)
AZURE: dict[str, Any] = {"azure_endpoint": URL, "api_key": KEY, "api_version": "2024-10-21", "max_retries": 0}
MESSAGES: Any = [{"role": "user", "content": QUESTION}]
TOOL: dict[str, Any] = {
    "name": "weather",
    "description": "Looks up the weather of a city.",
    "parameters": CITY,
}


class Out(BaseModel):
    """What an answer must look like."""

    answer: str
    number: int


def chat(client: openai.OpenAI, model: str, stream: bool) -> Mapping[str, Any]:
    """Ask chat.completions."""
    create: Any = client.chat.completions.create
    options = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    answer = create(model=model, messages=MESSAGES, **options)
    if not stream:
        return {**said([answer.choices[0].message.content]), "model": answer.model}
    chunks = list(answer)
    total = [chunk.usage.total_tokens for chunk in chunks if chunk.usage]
    text = said(choice.delta.content for chunk in chunks for choice in chunk.choices)
    return {**text, "model": chunks[0].model, "usage": total}


def responses(client: openai.OpenAI, model: str, stream: bool) -> Mapping[str, Any]:
    """Ask responses."""
    create: Any = client.responses.create
    answer = create(model=model, input=QUESTION, stream=stream)
    if not stream:
        return {**said([answer.output_text]), "model": answer.model}
    events = list(answer)
    text = said(event.delta for event in events if event.type == "response.output_text.delta")
    return {**text, "model": events[-1].response.model, "last": events[-1].type}


def retrieved(model: str) -> Mapping[str, Any]:
    """Look at one model."""
    return {"names": [sdk.models.retrieve(model).id]}


def tool(model: str, stream: bool) -> Mapping[str, Any]:
    """Have a tool called."""
    messages: Any = [{"role": "user", "content": ABOUT_WEATHER}]
    tools: Any = [{"type": "function", "function": TOOL}]
    if stream:
        with sdk.chat.completions.stream(model=model, messages=messages, tools=tools) as events:
            answer: Any = events.get_final_completion()
    else:
        answer = sdk.chat.completions.create(model=model, messages=messages, tools=tools)
    function = answer.choices[0].message.tool_calls[0].function
    return called(function.name, function.arguments)


def responses_tool(model: str) -> Mapping[str, Any]:
    """Have a tool called on responses."""
    tools: Any = [{"type": "function", "strict": True, **TOOL}]
    answer: Any = sdk.responses.create(model=model, input=ABOUT_WEATHER, tools=tools)
    item = next(item for item in answer.output if item.type == "function_call")
    return called(item.name, item.arguments)


def structured(model: str) -> Mapping[str, Any]:
    """Have an answer of a given shape."""
    answer = sdk.chat.completions.parse(model=model, messages=MESSAGES, response_format=Out)
    parsed = answer.choices[0].message.parsed
    return {"object": parsed.model_dump() if parsed else None}


def responses_structured(model: str) -> Mapping[str, Any]:
    """Have an answer of a given shape on responses."""
    parsed = sdk.responses.parse(model=model, input=QUESTION, text_format=Out).output_parsed
    return {"object": parsed.model_dump() if parsed else None}


CASES: dict[str, Case] = {
    f"{handle}{'-streamed' if stream else ''}": partial(chat, sdk, handle, stream)
    for handle in HANDLES
    for stream in (False, True)
}
CASES |= {
    f"responses-{handle}{'-streamed' if stream else ''}": partial(responses, sdk, handle, stream)
    for handle in HANDLES
    for stream in (False, True)
}
CASES |= {f"tool-{handle}": partial(tool, handle, stream=False) for handle in HANDLES}
CASES |= {f"tool-{handle}-streamed": partial(tool, handle, stream=True) for handle in HANDLES}
CASES |= {f"responses-tool-{handle}": partial(responses_tool, handle) for handle in HANDLES}
CASES |= {f"structured-{handle}": partial(structured, handle) for handle in HANDLES}
CASES |= {f"responses-structured-{handle}": partial(responses_structured, handle) for handle in HANDLES}
CASES |= {
    "azure-main": lambda: chat(openai.AzureOpenAI(**AZURE), "main", stream=False),
    "azure-main-streamed": lambda: chat(openai.AzureOpenAI(**AZURE), "main", stream=True),
    "azure-deployment-main": lambda: chat(
        openai.AzureOpenAI(**AZURE, azure_deployment="main"), "gpt-4o", stream=False
    ),
    "azure-deployment-main-streamed": lambda: chat(
        openai.AzureOpenAI(**AZURE, azure_deployment="main"), "gpt-4o", stream=True
    ),
    "azure-wrong-name": lambda: chat(openai.AzureOpenAI(**AZURE), "nowhere", stream=False),
    "azure-responses-main": lambda: responses(openai.AzureOpenAI(**AZURE), "main", stream=False),
    "azure-responses-wrong-name": lambda: responses(openai.AzureOpenAI(**AZURE), "nowhere", stream=False),
    "models-wrong-name": lambda: retrieved("nowhere"),
    "list": lambda: {"names": [model.id for model in sdk.models.list()]},
    "azure-list": lambda: {"names": [model.id for model in openai.AzureOpenAI(**AZURE).models.list()]},
    "wrong-name": lambda: chat(sdk, "nowhere", stream=False),
    "wrong-name-streamed": lambda: chat(sdk, "nowhere", stream=True),
    "responses-wrong-name": lambda: responses(sdk, "nowhere", stream=False),
}

if __name__ == "__main__":
    run(CASES)
