"""The gateway that the checks ask: MockProxy, and a callback that looks at hooks and interferes."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import litellm
from litellm.integrations.custom_logger import CustomLogger

from litellm_homelab.testing import Answer, MockProxy

ROUTER: Final = Path(__file__).with_name("router.yaml")
CLIENT: Final = {"Authorization": "Bearer sk-selftest-client"}
OPTILLM: Final = {"Authorization": "Bearer sk-selftest-optillm"}
CHAT: Final = "/v1/chat/completions"
TEXT: Final = [{"role": "user", "content": "hello"}]


class HookProbe(CustomLogger):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """Notes which deployments LiteLLM's hooks are asked about; raises, drops and changes on demand."""

    def __init__(self) -> None:
        super().__init__()
        self.reset()

    def reset(self) -> None:
        """See nothing yet, let everything through."""
        self.called: list[str] = []
        """Hooks in the order of their calls."""
        self.attempts: list[str] = []
        """Deployment ids that the attempt hook was asked about."""
        self.bodies: list[dict[str, Any]] = []
        """What the wire hook was shown."""
        self.deny: Callable[[str], Exception | None] = lambda _: None
        """What the attempt hook raises, by deployment id."""
        self.drop: Callable[[str], Exception | None] = lambda _: None
        """What the filter of deployments raises, by group."""
        self.change: dict[str, Any] = {}
        """Arguments that the attempt hook puts in the place of the deployment's."""

    async def async_pre_call_hook(self, *_: object, **__: object) -> None:
        """Before routing."""
        self.called.append("pre_call")

    async def async_filter_deployments(
        self,
        model: str,
        healthy_deployments: list[Any],
        messages: object,  # noqa: ARG002 - LiteLLM's signature
        request_kwargs: object = None,  # noqa: ARG002 - LiteLLM's signature
        parent_otel_span: object = None,  # noqa: ARG002 - LiteLLM's signature
    ) -> list[Any]:
        """The deployments of a group, before one is chosen."""
        error = self.drop(model)
        if error is not None:
            raise error
        return healthy_deployments

    async def async_pre_call_deployment_hook(
        self,
        kwargs: dict[str, Any],
        call_type: object,  # noqa: ARG002 - LiteLLM's signature
    ) -> dict[str, Any]:
        """Before an attempt."""
        deployment = str((kwargs.get("model_info") or {}).get("id"))
        self.attempts.append(deployment)
        self.called.append("attempt")
        error = self.deny(deployment)
        if error is not None:
            raise error
        return {**kwargs, **self.change}

    def log_pre_api_call(self, model: object, messages: object, kwargs: dict[str, Any]) -> None:  # noqa: ARG002
        """What is about to be sent."""
        body = (kwargs.get("additional_args") or {}).get("complete_input_dict")
        if isinstance(body, dict):
            self.bodies.append(dict(body))

    async def async_post_call_failure_hook(self, *_: object, **__: object) -> None:
        """An error on its way to the client."""
        self.called.append("failure")


class SelfTestGateway:
    """The gateway with its probe, which each check finds as new."""

    def __init__(self, proxy: MockProxy, probe: HookProbe) -> None:
        self.proxy = proxy
        self.probe = probe

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls) -> AsyncIterator[SelfTestGateway]:
        """
        Start LiteLLM in this process.

        Raises:
            Exception: whatever LiteLLM or the settings raise where they cannot start.

        """
        async with MockProxy(ROUTER) as proxy:
            probe = HookProbe()
            litellm.callbacks.append(probe)
            yield cls(proxy, probe)

    async def chat(self, model: str = "main", **fields: object) -> Answer:
        """One chat completion of the caller `client`, or of the one whose `headers` are given."""
        headers = fields.pop("headers", CLIENT)
        body = {"model": model, "messages": TEXT, **fields}
        return await self.proxy.post(CHAT, body, headers=headers)

    async def owner(self, model: str) -> Answer:
        """One chat completion with the master key."""
        return await self.proxy.chat(model)

    @contextlib.contextmanager
    def failing(self, group: str, status: int = 500) -> Iterator[None]:
        """A group whose upstream answers with an error inside the block."""
        self.proxy.upstream(group).fails(status)
        try:
            yield
        finally:
            self.proxy.upstream(group).works()
