"""A model that writes the very code it is asked for, as good models do."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

ORDER = "write this: "


async def _answer(request: Request) -> JSONResponse:
    body = await request.json()
    asked = str(body["messages"][-1]["content"])
    code = asked.partition(ORDER)[2].split("\n", 1)[0]
    text = f"```python\n{code}\n```" if code else "Done."
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    answer = {"id": "chatcmpl-coder", "object": "chat.completion", "created": 1, "model": body["model"]}
    return JSONResponse({**answer, "choices": [choice], "usage": usage})


APP = Starlette(routes=[Route("/v1/chat/completions", _answer, methods=["POST"])])
