"""A LiteLLM callback that does nothing but remember which of its hooks LiteLLM called, in order."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

from litellm.integrations.custom_logger import CustomLogger


class Probe(CustomLogger):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """The hooks that this package hangs on and their neighbours."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    async def async_pre_call_hook(self, *_: object, **__: object) -> None:
        """Before routing."""
        self.seen.append("async_pre_call_hook")

    async def async_pre_call_deployment_hook(self, *_: object, **__: object) -> None:
        """Before an attempt."""
        self.seen.append("async_pre_call_deployment_hook")

    async def async_filter_listed_models(
        self, user_api_key_dict: object, model_names: Sequence[str]
    ) -> Sequence[str]:
        """A listing."""
        self.seen.append("async_filter_listed_models")
        return model_names

    def log_pre_api_call(self, *_: object, **__: object) -> None:
        """The wire."""
        self.seen.append("log_pre_api_call")

    async def async_post_call_success_deployment_hook(self, *_: object, **__: object) -> None:
        """An attempt succeeded."""
        self.seen.append("async_post_call_success_deployment_hook")

    async def async_post_call_failure_deployment_hook(self, *_: object, **__: object) -> None:
        """An attempt failed."""
        self.seen.append("async_post_call_failure_deployment_hook")

    async def async_post_call_success_hook(self, *_: object, **__: object) -> None:
        """An answer that is not streamed."""
        self.seen.append("async_post_call_success_hook")

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: object, response: AsyncIterator[Any], request_data: object
    ) -> AsyncGenerator[Any, None]:
        """A stream."""
        self.seen.append("async_post_call_streaming_iterator_hook")
        async for chunk in response:
            yield chunk

    async def async_post_call_failure_hook(self, *_: object, **__: object) -> None:
        """An error on its way to the client."""
        self.seen.append("async_post_call_failure_hook")

    async def async_post_call_response_headers_hook(self, *_: object, **__: object) -> None:
        """Response headers."""
        self.seen.append("async_post_call_response_headers_hook")


probe = Probe()
