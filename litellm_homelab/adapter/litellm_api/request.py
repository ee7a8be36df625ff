"""A request as the rules see it; the only code that knows how LiteLLM's dicts are laid out."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from litellm_homelab.formats import encoded_ids

ID_FIELDS = (
    "file_id",
    "batch_id",
    "input_file_id",
    "response_id",
    "previous_response_id",
    "video_id",
    "container_id",
    "character_id",
    "vector_store_id",
)
"""Fields of LiteLLM's request dict that may carry an id with a model in it (read from 1.106.2)."""
_ID_FIELDS = frozenset(ID_FIELDS)
TARGETS = "target_model_names"
"""The field that names the models of a managed file, separated by commas or as a list."""
MODEL_HEADER = "x-litellm-model"
"""Header that names the model on routes without one in the body (files, batches)."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked LiteLLM for, read-only."""

    call_type: str
    model: object
    """What LiteLLM is about to route: the body's, or the path's, or `?model=`; None where there is none."""
    others: tuple[str, ...]
    """Names and deployment ids found in headers, the query and ids."""


def read(data: Mapping[str, Any], call_type: str) -> Request:
    """Read LiteLLM's request dict as the pre-call hook gets it."""
    server = _mapping(data.get("proxy_server_request"))
    others = tuple(dict.fromkeys(_others(data, server)))
    return Request(call_type=call_type, model=data.get("model"), others=others)


def in_ids(data: Mapping[str, Any]) -> list[str]:
    """Names and deployment ids in the ids of a request's fields and path."""
    server = _mapping(data.get("proxy_server_request"))
    found: list[str] = []
    if not _ID_FIELDS.isdisjoint(data):
        for field in ID_FIELDS:
            found += encoded_ids.names_in(data.get(field))
    found += _in_path(str(server.get("url") or ""))
    if TARGETS in data:
        named = ",".join(_strings(data[TARGETS])).split(",")
        found += [name.strip() for name in named if name.strip()]
    return found


@functools.lru_cache(maxsize=1024)
def _in_path(url: str) -> tuple[str, ...]:
    """Names in the ids of a URL's path; most requests have one of the same few."""
    path, _ = _path_and_query(url)
    return tuple(name for part in unquote(path).split("/") for name in encoded_ids.names_in(part))


def _others(data: Mapping[str, Any], server: Mapping[str, Any]) -> Iterable[str]:
    yield from in_ids(data)
    if data.get("model"):
        return
    _, query = _path_and_query(str(server.get("url") or ""))
    yield from parse_qs(query).get("model", ())
    headers = _mapping(server.get("headers"))
    yield from (str(value) for name, value in headers.items() if str(name).lower() == MODEL_HEADER and value)


def _path_and_query(url: str) -> tuple[str, str]:
    """Of a URL whose host the client wrote: `urlsplit` would raise for a Host header of `[`."""
    path, _, query = url.partition("://")[2].partition("/")[2].partition("?")
    return path, query


def asked(request: Request, group_of: Callable[[str], str | None]) -> tuple[str, ...]:
    """`request.others` with deployment ids turned into the names of their groups."""
    return tuple(group_of(name) or name for name in request.others)


def body_of(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body as the client sent it (LiteLLM keeps a copy); its own dict where there is none."""
    body = _mapping(data.get("proxy_server_request")).get("body")
    return body if isinstance(body, Mapping) else data


def forget_model(data: dict[str, Any], before: str, after: str) -> None:
    """Put `after` in the place of the model name `before` wherever LiteLLM has copied it to for its logs."""
    server = data.get("proxy_server_request")
    if isinstance(server, dict) and _mapping(server.get("body")).get("model") == before:
        data["proxy_server_request"] = {**server, "body": {**server["body"], "model": after}}
    logging = data.get("litellm_logging_obj")
    if getattr(logging, "model", None) == before:
        logging.model = after  # type: ignore[union-attr]  # LiteLLM's Logging is untyped here
    details = getattr(logging, "model_call_details", None)
    if isinstance(details, dict) and details.get("model") == before:
        details["model"] = after


def metadata_of(data: dict[str, Any]) -> dict[str, Any]:
    """LiteLLM's own metadata; with a `litellm_metadata`, `metadata` is the client's."""
    name = "litellm_metadata" if isinstance(data.get("litellm_metadata"), dict) else "metadata"
    if not isinstance(data.get(name), dict):
        data[name] = {}
    found: dict[str, Any] = data[name]
    return found


def deployment_id(kwargs: Mapping[str, Any]) -> str | None:
    """
    The id of the deployment that the router chose for an attempt, None where the router chose none.

    Top-level `model_info` is the only place that a client cannot write (measured on LiteLLM 1.106.2).
    """
    info = kwargs.get("model_info")
    found = info.get("id") if isinstance(info, dict) else None
    return found if isinstance(found, str) else None


def is_health_check(kwargs: Mapping[str, Any]) -> bool:
    """Whether an attempt is LiteLLM's own health check, which has no client and no chosen deployment."""
    tags = _mapping(kwargs.get("litellm_metadata")).get("tags") or _mapping(kwargs.get("metadata")).get(
        "tags"
    )
    return "proxy_server_request" not in kwargs and HEALTH_CHECK_TAG in (
        tags if isinstance(tags, list) else ()
    )


HEALTH_CHECK_TAG = "litellm-internal-health-check"


def _mapping(value: object) -> Mapping[str, Any]:
    # Nearly all are dicts, and to ask whether it is a `Mapping` takes ten times as long.
    return value if isinstance(value, dict) or isinstance(value, Mapping) else {}  # noqa: SIM101


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
