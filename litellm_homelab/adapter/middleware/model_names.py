"""Collects where a request names its model; `showroom.names` decides on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.litellm_api import request
from litellm_homelab.formats import header_pairs
from litellm_homelab.showroom.names import Named

PATH_PARAMS: Final = ("model", "model_name")
"""Parameters of LiteLLM's routes that are the name of a model (`access/routes.txt`)."""
MODEL: Final = "model"
LETTERS: Final = rb"".join(rb"(?:%c|\\u00%x[%x%X])" % (c, c >> 4, c & 15, c & 15) for c in b"model")
KEY: Final = re.compile(rb'"' + LETTERS + rb'"')
"""The key `model` in JSON, letters written as escapes included (RFC 8259, section 7)."""
TWICE: Final = b'"model"'
ESCAPED: Final = rb"\u006"
"""What every escape of one of its letters begins with."""
STAND_IN: Final = "homelab model "
HEADER: Final = request.MODEL_HEADER.encode()
DEEPEST: Final = 32
"""Levels of `extra_body` within `extra_body` that are looked at; LiteLLM merges fewer."""

GroupOf = Callable[[str], str | None]


def in_json(body: bytes, document: Mapping[str, Any]) -> tuple[object, ...]:
    """
    Every value that a JSON body gives the key `model` at its top, repeated keys included.

    JSON parsers keep one of two values under one key, but not always the same one (RFC 8259, section 4). A
    body with more than one such key is read once more, each under a name of its own.
    """
    if _is_compact(body, document) or not _may_repeat(body):
        return (document[MODEL],) if MODEL in document else ()
    number = 0

    def numbered(_: re.Match[bytes]) -> bytes:
        nonlocal number
        number += 1
        return f'"{STAND_IN}{number}"'.encode()

    try:
        again = orjson.loads(KEY.sub(numbered, body))
    except orjson.JSONDecodeError:
        return (document[MODEL],) if MODEL in document else ()
    return tuple(value for name, value in again.items() if name.startswith(STAND_IN))


def _is_compact(body: bytes, document: Mapping[str, Any]) -> bool:
    """
    Whether a body is what it was read as, written without white space, so that it has each key once.

    The SDKs write it so. To write a megabyte takes a fifth of the time that it takes to search it.
    """
    try:
        return orjson.dumps(document) == body
    except orjson.JSONEncodeError:
        return False


def _may_repeat(body: bytes) -> bool:
    """Whether the key may be there twice; a search from the end takes half the time."""
    return body.rfind(TWICE, 0, body.rfind(TWICE)) >= 0 or body.rfind(ESCAPED) >= 0


def places(record: RequestContext, data: Mapping[str, Any], group_of: GroupOf) -> Iterator[Named]:
    """Every name of a model in a request, by place; those of ids as groups."""
    path = in_path(record)
    if path is not None:
        yield Named("path", path)
    yield from _in_body(record, data)
    yield from _in_extra_body(record.fields)
    yield from (Named("form", value) for name, value in record.form if name.partition("[")[0] == MODEL)
    query = _bytes(record, "query_string").decode("utf-8", "replace")
    yield from (Named("query", value) for name, value in parse_qsl(query) if name == MODEL)
    for value in header_pairs.values(record.scope.get("headers") or (), HEADER):
        yield Named("header", value.decode("latin-1").strip())
    yield from (Named("id", group_of(name) or name) for name in request.in_ids(data))


def in_path(record: RequestContext) -> str | None:
    """The name in the path of a route that has one there; None on others."""
    params = record.scope.get("path_params") or {}
    found = next((params[name] for name in PATH_PARAMS if name in params), None)
    return found if isinstance(found, str) else None


def _in_body(record: RequestContext, data: Mapping[str, Any]) -> Iterator[Named]:
    if record.named is not None:
        yield from (Named("body", value) for value in record.named)
    elif not record.form:  # a body that LiteLLM has mended, or a test without a server
        yield Named("body", request.body_of(data).get(MODEL))


def _in_extra_body(fields: Mapping[str, Any]) -> Iterator[Named]:
    inner: object = fields.get("extra_body")
    for _ in range(DEEPEST):
        if not isinstance(inner, Mapping):
            return
        if MODEL in inner:
            yield Named("extra_body", inner[MODEL])
        inner = inner.get("extra_body")


def _bytes(record: RequestContext, name: str) -> bytes:
    value = record.scope.get(name, b"")
    return value if isinstance(value, bytes) else b""
