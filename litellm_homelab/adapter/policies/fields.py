"""Applies the fields rule: what is dropped is gone before LiteLLM reads it, what is refused is remembered."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias
from urllib.parse import parse_qsl, urlencode

import orjson
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from litellm_homelab import refusals
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.fail_closed import broken
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.adapter.policy import Policy
from litellm_homelab.decision import Refuse
from litellm_homelab.fields import messages, metadata, types
from litellm_homelab.fields.routes import api_of
from litellm_homelab.fields.rule import Fields, Screened
from litellm_homelab.formats import header_pairs

if TYPE_CHECKING:
    from litellm_homelab.adapter.wiring import Shared

log = logging.getLogger("LiteLLM Proxy.homelab")
RULE: Final = "fields"
"""The value of the metrics' label `rule`."""
NEEDS_A_BODY: Final = (
    *("/completions", "/responses", "/messages", "/embeddings", "/moderations", "/rerank", "/ocr"),
    *("/images/generations", "/audio/speech", ":generateContent", ":streamGenerateContent"),
)
"""How the paths of routes end that do nothing without a body."""
NAMED: Final = 20
"""Dropped names that one line of the log holds."""

Screen: TypeAlias = Callable[[RequestContext, Scope, Receive], tuple[Scope, Receive]]
"""Gives what LiteLLM's router is to read in the place of a request."""


class RequestFields:
    """
    Judges a request twice: its JSON body, query and headers before LiteLLM, forms once LiteLLM has read them.

    A refusal is raised in pre-call, when the key is known to be good: without one no client learns which
    fields this gateway refuses.
    """

    def __init__(self, rule: Fields) -> None:
        self._rule = rule

    def screen(self, record: RequestContext, scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
        """What LiteLLM's router reads in the place of this request; its route is known by now."""
        api = api_of(record.route.path) if record.route is not None else None
        if api is None or record.open_route:
            return scope, receive
        try:
            return self._screened(record, api, scope, receive)
        except Exception as error:  # noqa: BLE001 - closed, whatever it was
            record.refused_field = broken(RULE, error).refusal
            return scope, receive

    def _screened(
        self, record: RequestContext, api: str, scope: Scope, receive: Receive
    ) -> tuple[Scope, Receive]:
        changed: dict[str, Any] = {**self._headers(record, scope), **self._query(record, scope)}
        body = self._body(record, api)
        if body is not None:
            receive = _Instead(receive, body)
            before = changed.get("headers") or scope["headers"]
            length = (b"content-length", str(len(body)).encode())
            changed["headers"] = [*(pair for pair in before if pair[0].lower() != length[0]), length]
        return ({**scope, **changed} if changed else scope), receive

    def _body(self, record: RequestContext, api: str) -> bytes | None:
        """The JSON body to read instead; None where it stays as it came, or is a form."""
        if record.sent is None:
            if _is_empty(record):
                record.refused_field = record.refused_field or refusals.empty_body()
            return None
        screened = _typed(api, self._rule.body(api, record.sent))
        record.screened = True
        record.malformed = messages.refusal(api, screened.kept)
        self._note(record, screened)
        if screened.kept is record.sent:
            return None
        record.sent = screened.kept
        return written(screened.kept)

    def _query(self, record: RequestContext, scope: Scope) -> dict[str, Any]:
        pairs = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        if not pairs:
            return {}
        screened = self._rule.query(name for name, _ in pairs)
        self._note(record, screened)
        kept = [pair for pair in pairs if pair[0] in screened.kept]
        return {} if len(kept) == len(pairs) else {"query_string": urlencode(kept).encode()}

    def _headers(self, record: RequestContext, scope: Scope) -> dict[str, Any]:
        names = [*map(_decoded, map(header_pairs.NAME, scope["headers"]))]
        screened = self._rule.headers(names)
        if screened.refusal is None and not screened.dropped:
            return {}
        self._note(record, screened)
        pairs = zip(names, scope["headers"], strict=True)
        return {"headers": [pair for name, pair in pairs if name in screened.kept]}

    def form(self, record: RequestContext, data: dict[str, Any], document: Mapping[str, Any]) -> None:
        """Judge what LiteLLM has read itself (a form, JSON that it repaired); take out what does not stay."""
        api = api_of(record.route.path) if record.route is not None else None
        if api is None or record.screened:
            return
        record.screened = True
        screened = self._rule.body(api, document)
        record.malformed = messages.refusal(api, screened.kept)
        self._note(record, screened)
        if screened.kept is not document:
            _take_out(data, document, screened.kept)

    def judged_form(self, record: RequestContext) -> Refuse | None:
        """Which field of a form is refused or unknown, where LiteLLM failed before pre-call."""
        api = api_of(record.route.path) if record.route is not None else None
        if api is None or record.screened or not record.form:
            return None
        screened = self._rule.body(api, dict(record.form))
        if screened.refusal is None and screened.dropped:
            return unknown_fields(screened.dropped)
        return screened.refusal

    @staticmethod
    def _note(record: RequestContext, screened: Screened) -> None:
        record.refused_field = record.refused_field or screened.refusal
        if screened.dropped:
            record.stats.stripped.update(screened.dropped)
            shown = ", ".join(repr(name[:80]) for name in screened.dropped[:NAMED])
            log.debug("homelab: dropped %d request fields: %s", len(screened.dropped), shown)


@functools.lru_cache(maxsize=256)
def _decoded(name: bytes) -> str:
    """A header's name in lower case; requests have the same few."""
    return name.decode("latin-1").lower()


class FieldsPolicy(Policy):
    """Ends a request of which a field is refused, once the key is known to be good."""

    name = "fields"

    @classmethod
    def build(cls, shared: Shared) -> Self:  # noqa: ARG003 - it needs nothing
        """Make it: `RequestFields` has judged the request by the time its stage comes."""
        return cls()

    async def pre_call(self, ctx: RequestContext, data: dict[str, Any], call_type: str) -> None:  # noqa: ARG002
        """Refuse what the fields rule has refused."""
        if ctx.refused_field is not None and not ctx.open_route:
            raise Refused(ctx.refused_field)


def _typed(api: str, screened: Screened) -> Screened:
    """What is left of a body: a field of a wrong type is refused, and so is one that leaves a field out."""
    wrong = types.wrong_type(api, screened.kept)
    absent = types.missing(api, screened.kept) if screened.refusal is None else None
    if wrong is None and absent is not None:
        return Screened(screened.kept, screened.dropped, refusals.field_missing(absent))
    if wrong is None:
        return screened
    kept = {name: value for name, value in screened.kept.items() if name != wrong.name}
    refusal = refusals.wrong_type(wrong.name, wrong.wanted, wrong.got)
    return Screened(kept, screened.dropped, screened.refusal or refusal)


def _is_empty(record: RequestContext) -> bool:
    """Whether a POST that should say what to do has no body (RFC 9112, section 6.3)."""
    headers = Headers(scope=record.scope)
    length = headers.get("content-length", "0").strip()
    return (
        record.scope.get("method") == "POST"
        and record.route is not None
        and record.route.path.endswith(NEEDS_A_BODY)
        and length == "0"
        and "transfer-encoding" not in headers
    )


def unknown_fields(names: tuple[str, ...]) -> Refuse:
    """The refusal of a form that LiteLLM could not read, with the fields that its API does not document."""
    shown = ", ".join(repr(name[:80]) for name in names[:NAMED])
    return refusals.unknown_form_fields(shown, names[0][:80])


def own_extra_body(kwargs: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any] | None:
    """
    An attempt's arguments with the deployment's own `extra_body` over the client's; None where they stay.

    LiteLLM would send the client's in its place (measured on 1.106.2).
    """
    operators, clients = own.get("extra_body"), kwargs.get("extra_body")
    if not isinstance(operators, Mapping) or not isinstance(clients, Mapping) or clients == operators:
        return None
    return {**kwargs, "extra_body": {**clients, **operators}}


def refuse_malformed(record: RequestContext) -> None:
    """
    End a request whose conversation has the wrong form.

    Raises:
        Refused: it has.

    """
    if record.malformed is not None:
        raise Refused(record.malformed, RULE)


def _take_out(data: dict[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Take fields out of LiteLLM's request dict, its copy of the body, and its own metadata."""
    gone = [name for name in before if name not in after]
    server = data.get("proxy_server_request")
    body = server.get("body") if isinstance(server, dict) else None
    for place in (data, body):
        if isinstance(place, dict):
            for name in gone:
                place.pop(name, None)
            _replace(place, before, after)
    _take_out_of_metadata(data, before, after)


def _replace(place: dict[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    for name, value in after.items():
        if value is not before[name] and name in place and name not in metadata.FIELDS:
            place[name] = value


def _take_out_of_metadata(data: dict[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    keys = {"tags"} if "tags" in before and "tags" not in after else set()
    for name in before:
        if name.startswith(metadata.FIELDS):
            kept = metadata.keys_of(name, after[name]) if name in after else ()
            keys |= set(metadata.keys_of(name, before[name])) - set(kept)
    for name in metadata.FIELDS:
        place = data.get(name)
        if isinstance(place, dict):
            for key in keys:
                place.pop(key, None)


class _Instead:
    """A `receive` that reads the client's body to its end and gives another in its place."""

    def __init__(self, receive: Receive, body: bytes) -> None:
        self._receive = receive
        self._body: bytes | None = body

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        more = True
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            more = message.get("more_body", False)
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def written(document: Mapping[str, Any]) -> bytes:
    """A JSON object as bytes."""
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError:  # a lone surrogate, or nested deeper than orjson writes, though it read it
        return json.dumps(document).encode()
