"""Callbacks that note what LiteLLM does with them. LiteLLM loads this file, so it imports nothing of ours."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from fastapi import HTTPException
from litellm.constants import RETURN_RAW_MODEL_NAME_METADATA_KEY
from litellm.exceptions import GuardrailRaisedException
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy.proxy_server import app
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def note(event: str, **fields: object) -> None:
    """Add a line to the probes' log."""
    with Path(os.environ["PROBE_LOG"]).open("a", encoding="utf-8") as log:
        log.write(json.dumps({"event": event, **fields}) + "\n")


class Refused(GuardrailRaisedException):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """A refusal, as the package raises it."""

    def __init__(self) -> None:
        super().__init__(
            guardrail_name="probe",
            message="refused by the probe",
            should_wrap_with_default_message=False,
            status_code=404,
        )


class Probe(CustomLogger):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """Notes each hook; what it does depends on the group and on the request's `user`."""

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> dict[str, Any]:
        """Note the request; for the user `raw`, ask LiteLLM to leave the answer's model alone."""
        note("pre-call", by=type(self).__name__, model=data.get("model"))
        if data.get("user") == "raw":
            data.setdefault("metadata", {})[RETURN_RAW_MODEL_NAME_METADATA_KEY] = True
        return data

    async def async_pre_call_deployment_hook(self, kwargs: dict[str, Any], call_type: Any) -> None:
        """Note the attempt, and refuse it for two of the groups."""
        chosen = kwargs["model_info"]["id"]
        note("attempt", by=type(self).__name__, chosen=chosen)
        if chosen == "id-refused":
            raise Refused
        if chosen == "id-lost":
            raise HTTPException(404, "lost by the probe")

    async def async_post_call_success_hook(
        self, data: dict[str, Any], user_api_key_dict: Any, response: Any
    ) -> Any:
        """Put a name of our own into the answer."""
        response.model = "stamped"
        return response

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: AsyncIterator[Any], request_data: dict[str, Any]
    ) -> AsyncGenerator[Any, None]:
        """Put a name of our own into each chunk."""
        async for chunk in response:
            chunk.model = "stamped"
            yield chunk

    async def async_post_call_failure_hook(
        self,
        request_data: Mapping[str, Any],
        original_exception: Any,
        user_api_key_dict: Any,
        traceback_str: str | None = None,
    ) -> HTTPException | None:
        """For `alone`, give another error back, and change the one there is."""
        if request_data.get("model") != "alone":
            return None
        original_exception.message = "changed in its place"
        return HTTPException(418, "given back")

    async def async_log_success_event(
        self, kwargs: Mapping[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Note what is logged."""
        note("logged", by=type(self).__name__, user=kwargs.get("user"))


class Heir(Probe):
    """Has every hook of `Probe`, and defines none itself."""


class Wrapped:
    """ASGI middleware that shows that it is there."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI 3)."""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-probe", b"wrapped")]
            await send(message)

        await self.app(scope, receive, marked)


def _add() -> str:
    try:
        app.add_middleware(Wrapped)
    except RuntimeError as error:
        return str(error)
    return "added"


note("loaded", add_middleware=_add())
app.middleware_stack = Wrapped(app.middleware_stack)
probe, heir = Probe(), Heir()
