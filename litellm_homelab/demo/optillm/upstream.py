"""Calls upstream with the real OpenAI SDK, dressed as OptiLLM's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from typing import Any, Final, TypeVar

import openai
from openai.types.chat import ChatCompletion

from litellm_homelab.demo.config import OptillmConfig
from litellm_homelab.demo.optillm.approach import ApproachRequest, Message
from litellm_homelab.demo.optillm.throttle import DemoLimitError, Throttle

DEFAULT_MAX_TOKENS: Final = 4096
T = TypeVar("T")
# OptiLLM uses the SDK's synchronous client; a gateway may tell the two apart.
_SYNC_HEADERS: Final = {"User-Agent": f"OpenAI/Python {openai.__version__}", "X-Stainless-Async": "false"}


class UpstreamClient:
    """The client for ``config.upstream``.

    It is the SDK itself, so that retries (2, on 408, 409, 429, 5xx, unless ``x-should-retry`` says
    otherwise), the fields that ``create`` knows, ``extra_headers``, ``extra_body``, ``extra_query``,
    ``timeout`` and the environment's OPENAI_CUSTOM_HEADERS work as in OptiLLM.
    Proxies of the environment are not used.
    """

    def __init__(self, config: OptillmConfig) -> None:
        self.throttle = Throttle(config.calls_per_second, config.in_flight)
        self._client = openai.AsyncOpenAI(
            api_key=config.upstream_key or "demo-no-key",
            base_url=config.upstream,
            default_headers=_SYNC_HEADERS,
            http_client=openai.DefaultAsyncHttpxClient(trust_env=False, follow_redirects=False),
        )

    def client(self, bearer: str) -> openai.AsyncOpenAI:
        """The client for one request: a caller's ``sk-`` bearer takes the place of the configured key."""
        return self._client.with_options(api_key=bearer) if bearer.startswith("sk-") else self._client

    async def models(self) -> list[dict[str, Any]]:
        """The upstream's model list."""
        return [model.model_dump() for model in (await self._client.models.list()).data]

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()


async def together(work: Iterable[Awaitable[T]]) -> list[T]:
    """Do all of it at the same time; the first error is raised once nothing runs any more."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


class OptillmError(Exception):
    """What OptiLLM raises itself; it answers 500 with the text."""


class Run:
    """One request's calls upstream: the model, the prompt and the tokens spent so far."""

    def __init__(
        self, client: openai.AsyncOpenAI, throttle: Throttle, plan: ApproachRequest, most: int
    ) -> None:
        self._client = client
        self._throttle = throttle
        self._most = most
        self._made = 0
        self.plan = plan
        self.fields = plan.fields
        self.tokens = 0

    def refuse_more_than(self, calls: int) -> None:
        """A DemoLimitError when ``calls`` are more than one run may make."""
        if calls > self._most:
            raise DemoLimitError(f"demo optillm: a run may make {self._most} calls")

    @property
    def max_tokens(self) -> Any:  # noqa: ANN401 - the caller's, unchecked as in OptiLLM
        """The caller's ``max_tokens``, or OptiLLM's default."""
        return self.fields.get("max_tokens", DEFAULT_MAX_TOKENS)

    def prompt(self, query: str, system: str | None = None) -> list[Message]:
        """A system and a user message; the system prompt is the caller's unless given, and may be empty."""
        return [
            {"role": "system", "content": self.plan.system if system is None else system},
            {"role": "user", "content": query},
        ]

    async def create(self, messages: Sequence[Message], **fields: Any) -> ChatCompletion:  # noqa: ANN401 - the SDK's
        """One call, retried as the SDK does; its tokens are added up."""
        self._made += 1
        self.refuse_more_than(self._made)
        async with self._throttle.call():
            create: Any = self._client.chat.completions.create
            answer: ChatCompletion = await create(model=self.plan.model, messages=list(messages), **fields)
        self.tokens += answer.usage.completion_tokens if answer.usage else 0
        return answer

    async def texts(self, messages: Sequence[Message], **fields: Any) -> list[str]:  # noqa: ANN401 - the SDK's
        """The texts of all choices of one call."""
        answer = await self.create(messages, **fields)
        return [choice.message.content for choice in answer.choices if choice.message.content is not None]

    async def text(self, messages: Sequence[Message], **fields: Any) -> str:  # noqa: ANN401 - the SDK's
        """The text of the first choice; cut or empty answers are an error."""
        answer = await self.create(messages, **fields)
        content = answer.choices[0].message.content if answer.choices else None
        if content is None or answer.choices[0].finish_reason == "length":
            raise OptillmError("provider returned an empty, None, or truncated response")
        return content
