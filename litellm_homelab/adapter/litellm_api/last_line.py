"""Decides on each HTTP request below LiteLLM's clients: the last line, no callback comes after it."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

import httpx
import orjson

from litellm_homelab.access.rule import Gate
from litellm_homelab.adapter import context
from litellm_homelab.adapter.context import Chosen, RequestContext
from litellm_homelab.adapter.fail_closed import broken
from litellm_homelab.adapter.litellm_api import own_metadata, purposes, transport
from litellm_homelab.adapter.litellm_api.exceptions import policy_error
from litellm_homelab.adapter.litellm_api.hop_header import HopHeader
from litellm_homelab.adapter.litellm_api.targets import Targets
from litellm_homelab.adapter.middleware.forms import FormReader
from litellm_homelab.adapter.outcome import Level
from litellm_homelab.adapter.policies import quotas
from litellm_homelab.attempts import address, target
from litellm_homelab.attempts.address import Address
from litellm_homelab.attempts.target import MODEL_FIELDS, Leaving, Target
from litellm_homelab.decision import Refuse
from litellm_homelab.formats import header_pairs

RULE: Final = "transport"
FETCHES: Final = frozenset({"GET", "HEAD"})
ABOUT_MODELS: Final = re.compile(r"/(?:api/)?(?:show|tags|ps|models|props)$")
"""What LiteLLM's sync clients ask servers about their models, of no client's request."""

log = logging.getLogger("LiteLLM Proxy.homelab")


class LastLine:
    """
    The `Watcher` of a running gateway.

    It looks at what LiteLLM sends on behalf of a client's request on a guarded route, once that request has
    been allowed. What it refuses is answered here with a 400, which neither LiteLLM's clients nor its router
    retry and which cools nothing down (measured on 1.106.2); the refusal is in the record, so that further
    attempts are refused by the deployment hook and the client gets it.
    """

    def __init__(
        self, gate: Gate, targets: Targets, hops: HopHeader, search_base: Callable[[str], str | None]
    ) -> None:
        """`search_base` gives the `api_base` of a search tool, None where it has none."""
        self._gate = gate
        self._targets = targets
        self._hops = hops
        self._search_base = search_base

    async def leaving(self, transport: object, request: httpx.Request) -> httpx.Response | None:
        """Decide on a request of an async client."""
        record = self._record()
        if record is None:
            return None
        try:
            used_for = purposes.purpose(transport)
            if _is_service(used_for, request):
                return None
            if used_for != purposes.SEARCH:
                await _read(request)
            wrong = self._wrong(record, context.chosen(), request, used_for)
            if wrong is None and record.reservations is not None:
                spent = await _spent(record, context.chosen(), request)
                if spent is not None:
                    return spent
        except Exception as error:  # noqa: BLE001 - closed, whatever it was
            return _refused(record, request, broken(RULE, error).refusal)
        return self._answer(record, request, wrong)

    async def answered(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        """See the answer to a request of an async client, where it is an error."""
        record = self._record()
        return response if record is None else await self._hops.answered(record, request, response)

    def leaving_sync(self, transport: object, request: httpx.Request) -> httpx.Response | None:  # noqa: ARG002
        """
        Decide on a request of a sync client.

        These also fetch tokens and send logs, and their keys do not say which: what goes elsewhere than to
        a deployment's server and carries no deployment's key is let through.
        """
        record, chosen = self._record(), context.chosen()
        if record is None or chosen is None or ABOUT_MODELS.search(request.url.path):
            return None
        try:
            if not self._concerns(request):
                return None
            request.read()
            wrong = self._wrong(record, chosen, request, None)
            held = (record.reservations or {}).get(chosen.deployment or "")
            if wrong is None and held is not None:
                held.has_left = True
        except Exception as error:  # noqa: BLE001 - closed, whatever it was
            return _refused(record, request, broken(RULE, error).refusal)
        return self._answer(record, request, wrong)

    def _record(self) -> RequestContext | None:
        """The record of a request whose calls are decided on here."""
        record = context.current()
        if record is None or record.asked is None or record.route is None:
            return None
        return record if self._gate.guards(record.route) else None

    def _wrong(
        self, record: RequestContext, chosen: Chosen | None, request: httpx.Request, used_for: str | None
    ) -> str | None:
        if used_for == purposes.SEARCH:
            return self._wrong_search(chosen, request)
        if chosen is None or chosen.deployment is None:
            return "attempt"
        found = self._targets.of(chosen.deployment, chosen.model)
        if found is None:
            return "attempt"
        wrong = target.wrong(found, _leaving(request))
        if wrong is None:
            own_metadata.strip(record, self._targets.params_of(chosen.deployment), request)
            self._hops.put(record, found.group, request)
        return wrong

    def _wrong_search(self, chosen: Chosen | None, request: httpx.Request) -> str | None:
        if chosen is None or chosen.search_tool is None:
            return "attempt"
        base = self._search_base(chosen.search_tool)
        if base is None:  # the provider's own address, which LiteLLM knows
            return None
        parsed, where = address.parse(base), address.parse(str(request.url))
        inside = parsed is not None and where is not None and address.below(parsed, where) is not None
        return None if inside else "address"

    def _concerns(self, request: httpx.Request) -> bool:
        """Whether a request goes to a deployment's server, or carries a deployment's key."""
        where = address.parse(str(request.url))
        sent = _credentials(request)
        return any(_at(one, where) or one.keys & sent for one in self._targets.all())

    @staticmethod
    def _answer(record: RequestContext, request: httpx.Request, wrong: str | None) -> httpx.Response | None:
        if wrong is None:
            record.sent_out = True
            _note_sent(record, context.chosen(), request)
            return None
        log.error(
            "homelab %s rule refused a call for %s: its %s is not the chosen deployment's; "
            "look for a callback or a field that changes it",
            RULE,
            record.asked,
            wrong,
        )
        return _refused(record, request, policy_error(RULE).refusal)


def _note_sent(record: RequestContext, chosen: Chosen | None, request: httpx.Request) -> None:
    """Note that a request of an attempt leaves; its slot is given back when its answer is closed."""
    if chosen is None or chosen.deployment is None:
        return
    record.stats.left()
    slot = record.slots.get(chosen.deployment) if record.slots is not None else None
    if slot is not None:
        slot.is_sent = True
        request.extensions = {**request.extensions, transport.CLOSED: slot.release}


def _is_service(used_for: str | None, request: httpx.Request) -> bool:
    """Whether a request is not an upstream's: logs, guardrails, secrets, images that a prompt names."""
    if used_for == purposes.IMAGES:  # LiteLLM streams from some providers with the same client
        return request.method in FETCHES and not _credentials(request)
    return used_for is not None and used_for != purposes.SEARCH


def _credentials(request: httpx.Request) -> set[str]:
    values = (value for name, value in request.headers.multi_items() if name in target.CREDENTIALS)
    return {target.bare(value) for value in values}


def _at(one: Target, where: Address | None) -> bool:
    return where is not None and any(base.origin == where.origin for base in one.bases)


async def _read(request: httpx.Request) -> None:
    """Hold the body, so that it can be looked at; LiteLLM's are in memory but for forms with files."""
    try:
        _ = request.content
    except httpx.RequestNotRead:
        content = await request.aread()
        if request.headers.pop("transfer-encoding", None) is not None:
            request.headers["content-length"] = str(len(content))


def _leaving(request: httpx.Request) -> Leaving:
    kind = request.headers.get("content-type", "")
    named, fields = _names(kind, request.content)
    # httpx gives names in lower case (0.28).
    headers = header_pairs.those(request.headers.multi_items(), target.JUDGED.__contains__)
    return Leaving(str(request.url), tuple(headers), tuple(named), frozenset(fields))


def _names(kind: str, body: bytes) -> tuple[Iterable[object], Iterable[str]]:
    """The values of `model`, and which further fields of models there are, in a JSON or form body."""
    if kind.startswith(("multipart/", "application/x-www-form-urlencoded")):
        form = FormReader(kind)
        form.feed(body)
        form.end()
        return [value for name, value in form.found if name == "model"], (
            name for name, _ in form.found if name in MODEL_FIELDS
        )
    document: Any = _json(body)
    if not isinstance(document, dict):
        return (), ()
    return ([document["model"]] if "model" in document else ()), document.keys() & {*MODEL_FIELDS}


async def _spent(
    record: RequestContext, chosen: Chosen | None, request: httpx.Request
) -> httpx.Response | None:
    """Count a request that leaves; the answer in its place where its quota is used up after all."""
    deployment = chosen.deployment if chosen is not None else None
    if deployment is None:
        return None
    kept = await quotas.leaving(record, deployment)
    if kept is not None:
        return quotas.keep_back(record, kept, request)
    held = (record.reservations or {}).get(deployment)
    if held is not None:
        look = functools.partial(quotas.answered, held)
        request.extensions = {**request.extensions, transport.ANSWERED: look}
    return None


def _json(body: bytes) -> object:
    if body.lstrip()[:1] != b"{":
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _refused(record: RequestContext, request: httpx.Request, refusal: Refuse) -> httpx.Response:
    record.outcome.refuse(RULE, refusal, Level.ATTEMPT)
    error = {"message": refusal.message, "type": refusal.type.value, "param": None, "code": "refused"}
    return httpx.Response(400, json={"error": error}, headers={"x-should-retry": "false"}, request=request)
