"""What leaves as `metadata` is the client's own: LiteLLM adds what it knows of the client to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import httpx
import orjson

from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.fields import metadata

TRANSLATED: Final = frozenset({"user_id"})
"""Keys that LiteLLM makes of another field of the client's: Anthropic's `user_id` of `user` (1.106.2)."""


def strip(record: RequestContext, operators: Mapping[str, Any], request: httpx.Request) -> None:
    """
    Take out of a JSON body's metadata what neither the client nor the deployment put there.

    On `/v1beta/interactions` with a native `/responses` upstream LiteLLM 1.106.2 sends its own notes in
    `metadata`: the caller's name and key's hash, address and user agent, the gateway's URL.
    """
    body = request.content
    if b'metadata"' not in body or body.lstrip()[:1] != b"{":
        return
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return
    kept = _stripped(document, {**_metadata(operators), **_own(record)})
    if kept != document:
        _put(request, orjson.dumps(kept))


def _stripped(document: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in document.items() if name != "litellm_metadata"}
    found = kept.get("metadata")
    if isinstance(found, Mapping):
        left = {key: own.get(key, value) for key, value in found.items() if key in own or key in TRANSLATED}
        if left or not found:
            kept["metadata"] = left
        else:
            del kept["metadata"]
    return kept


def _own(record: RequestContext) -> dict[str, Any]:
    """The client's own metadata, in a JSON body, in its `extra_body`, or in a form; by key."""
    found = _metadata(record.sent or {})
    for name, value in record.form:
        if name.partition("[")[0] == "metadata":
            key = metadata.bracketed(name)
            found.update({key: value} if key is not None else metadata.as_mapping(value) or {})
    return found


def _metadata(sent: Mapping[str, Any]) -> dict[str, Any]:
    extra = metadata.as_mapping(sent.get("extra_body")) or {}
    own = metadata.as_mapping(sent.get("metadata")) or {}
    return {**own, **(metadata.as_mapping(extra.get("metadata")) or {})}


def _put(request: httpx.Request, body: bytes) -> None:
    """Send another body; httpx keeps it in three places (0.28)."""
    request._content = body
    request.stream = httpx.ByteStream(body)
    request.headers["content-length"] = str(len(body))
