"""LiteLLM callbacks that remember which of their hooks LiteLLM called, and deny an attempt when told to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from litellm.integrations.custom_logger import CustomLogger


class Probe(CustomLogger):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """The hooks that this package hangs on and their neighbours, each on the class itself."""

    def __init__(self) -> None:
        super().__init__()
        self.forget()

    def forget(self) -> None:
        """Start anew: nothing seen, nothing denied."""
        self.calls: Counter[str] = Counter()
        self.attempts: list[Mapping[str, Any]] = []
        self.deny: Callable[[str], Exception | None] = lambda _: None
        """By deployment id, what to raise before an attempt."""

    async def async_pre_call_hook(self, *_: object, **__: object) -> None:
        """Before routing."""
        self.calls["async_pre_call_hook"] += 1

    async def async_filter_deployments(
        self, model: str, healthy_deployments: list[Any], *_: object, **__: object
    ) -> list[Any]:
        """Before a deployment is chosen."""
        self.calls["async_filter_deployments"] += 1
        return healthy_deployments

    async def async_pre_call_deployment_hook(self, kwargs: dict[str, Any], call_type: object) -> None:
        """Before an attempt."""
        self.calls["async_pre_call_deployment_hook"] += 1
        self.attempts.append(kwargs)
        error = self.deny(str((kwargs.get("model_info") or {}).get("id")))
        if error is not None:
            raise error

    async def async_filter_listed_models(
        self, user_api_key_dict: object, model_names: Sequence[str]
    ) -> Sequence[str]:
        """A listing."""
        self.calls["async_filter_listed_models"] += 1
        return model_names

    def log_pre_api_call(self, *_: object, **__: object) -> None:
        """The wire."""
        self.calls["log_pre_api_call"] += 1

    async def async_post_call_success_deployment_hook(self, *_: object, **__: object) -> None:
        """An attempt succeeded."""
        self.calls["async_post_call_success_deployment_hook"] += 1

    async def async_post_call_failure_deployment_hook(self, *_: object, **__: object) -> None:
        """An attempt failed."""
        self.calls["async_post_call_failure_deployment_hook"] += 1

    async def async_post_call_success_hook(self, *_: object, **__: object) -> None:
        """An answer that is not streamed."""
        self.calls["async_post_call_success_hook"] += 1

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: object, response: AsyncIterator[Any], request_data: object
    ) -> AsyncGenerator[Any, None]:
        """A stream."""
        self.calls["async_post_call_streaming_iterator_hook"] += 1
        async for chunk in response:
            yield chunk

    async def async_post_call_failure_hook(self, *_: object, **__: object) -> None:
        """An error on its way to the client."""
        self.calls["async_post_call_failure_hook"] += 1

    async def async_post_call_response_headers_hook(self, *_: object, **__: object) -> None:
        """Response headers."""
        self.calls["async_post_call_response_headers_hook"] += 1


class Heir(Probe):
    """The same hooks, none of them on the class itself."""


class Account(CustomLogger):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """What LiteLLM logs and exports of each answer: the group's name and the tokens, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.booked: asyncio.Queue[tuple[str, int]] = asyncio.Queue()

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: object, start_time: object, end_time: object
    ) -> None:
        """LiteLLM's account of one answer, made in the background."""
        payload = kwargs["standard_logging_object"]
        self.booked.put_nowait((payload["model_group"], payload["total_tokens"]))


probe, heir, account = Probe(), Heir(), Account()
