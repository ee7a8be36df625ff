"""``/v1/completions``: the older text route, streamed and not, without ``echo``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from litellm_homelab.demo import answers, request_body
from litellm_homelab.demo.answers import Reply
from litellm_homelab.demo.request_body import BadRequestError

Json = dict[str, Any]


def prompts(body: Json) -> list[str]:
    """The prompts: a string, a list of strings, or token ids, which are answered as they are written."""
    given = body.get("prompt")
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list) or not given:
        raise BadRequestError(400, "'prompt' must be a string or a non-empty list.", param="prompt")
    if all(isinstance(item, int) for item in given):
        return [str(given)]
    return [item if isinstance(item, str) else str(item) for item in given]


def replies(backend: str, body: Json) -> list[Reply]:
    """``n`` choices for each prompt, prompt by prompt."""
    most = request_body.whole_number(body, "max_tokens", default=0) or None
    stop = request_body.stops(body)
    return [
        answers.cut(answers.speech(backend, prompt, index), most, stop)
        for prompt in prompts(body)
        for index in range(request_body.choices(body))
    ]


def _usage(body: Json, given: Sequence[Reply]) -> Json:
    return answers.usage(answers.prompt_tokens(prompts(body)), sum(reply.tokens for reply in given))


def completion(body: Json, given: Sequence[Reply]) -> Json:
    """The answer that is not streamed."""
    return {
        **_envelope(body),
        "choices": [_choice(index, reply.text, reply.finish_reason) for index, reply in enumerate(given)],
        "usage": _usage(body, given),
    }


def _envelope(body: Json) -> Json:
    return {
        "id": answers.identifier("cmpl", body),
        "object": "text_completion",
        "created": answers.CREATED,
        "model": body["model"],
        "system_fingerprint": answers.FINGERPRINT,
    }


def _choice(index: int, text: str, finish: str | None) -> Json:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": finish}


def chunks(body: Json, given: Sequence[Reply]) -> Iterator[Json]:
    """The chunks of a stream, one choice after the other, and usage where it was asked for."""
    envelope = _envelope(body)
    for index, reply in enumerate(given):
        for piece in reply.pieces:
            yield {**envelope, "choices": [_choice(index, piece, None)]}
        yield {**envelope, "choices": [_choice(index, "", reply.finish_reason)]}
    if (body.get("stream_options") or {}).get("include_usage"):
        yield {**envelope, "choices": [], "usage": _usage(body, given)}
