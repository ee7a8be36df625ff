"""What a client really sent: LiteLLM's request dict has fields of LiteLLM's own in it by pre-call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.litellm_api import request
from litellm_homelab.fields import metadata

SENT: Final = "complete_input_dict"
"""What `log_pre_api_call` is given of a request that is sent, not of a refused one (1.106.2)."""
PARSED: Final = "parsed_body"
"""Where LiteLLM keeps a body it has read, in the ASGI scope: names and values (read from 1.106.2)."""


def sent(record: RequestContext, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """
    What the client sent: the JSON as the fields rule left it, else the form as LiteLLM read it.

    Without either (a websocket, whose messages are not bodies), the fields of LiteLLM's copy, which may have
    some of LiteLLM's own among them: rather one request too many is refused than one too few.
    """
    if record.sent is not None:
        return record.sent
    read = record.scope.get(PARSED)
    if isinstance(read, tuple) and record.scope.get("type") == "http":
        names, values = read
        return {name: values.get(name) for name in names}
    copy = request.body_of(data)
    return {name: value for name, value in copy.items() if name not in metadata.FIELDS}
