"""The header `x-homelab-hop`: taken off what comes in, put on what leaves, read in a refusal of the next."""

from __future__ import annotations

import functools
import logging
from typing import Any, Final

import httpx
import orjson
from starlette.types import Scope

from litellm_homelab import refusals
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.litellm_api import transport
from litellm_homelab.adapter.outcome import Level
from litellm_homelab.attempts import hops
from litellm_homelab.attempts.hops import GatewayIdentity, Hops
from litellm_homelab.config.key_checks import is_local
from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.formats import header_pairs
from litellm_homelab.optillm.ledger import Ledger

RULE: Final = "hops"
NAME: Final = hops.HEADER.encode()
LOOP_DETECTED: Final = 508
"""The status with which a gateway refuses a loop (RFC 5842, section 7.2), in whatever format."""
TO_OPTILLM: Final = 400
"""The status with which it does so where OptiLLM asks; then the error's type says it."""
PATH: Final = "another gateway, and back"

log = logging.getLogger("LiteLLM Proxy.homelab")


def taken(scope: Scope) -> tuple[Scope, Hops | None]:
    """A scope without the header, so that LiteLLM neither forwards nor logs it; and what it said."""
    values = header_pairs.values(scope["headers"], NAME)
    if not values:
        return scope, ()
    kept = [pair for pair in scope["headers"] if pair[0].lower() != NAME]
    return {**scope, "headers": kept}, hops.read([value.decode("latin-1") for value in values])


class HopHeader:
    """What the transport does with the header of each attempt."""

    def __init__(self, identity: GatewayIdentity, ledger: Ledger) -> None:
        self._identity = identity
        self._ledger = ledger

    def put(self, record: RequestContext, group: str, request: httpx.Request) -> None:
        """Replace the header by ours; take it off where the attempt goes to a cloud."""
        request.headers.pop(hops.HEADER, None)
        if _is_at_home(request.url.netloc):
            own = self._identity.pairs(record.asked, group)
            request.headers[hops.HEADER] = hops.written(hops.joined(record.hops or (), own))

    async def answered(
        self, record: RequestContext, request: httpx.Request, response: httpx.Response
    ) -> httpx.Response:
        """
        End a request that the next gateway has refused as a loop; any other answer is left as it is.

        LiteLLM gets a 400, which it neither retries nor cools a deployment down for; no fallback follows
        (measured on 1.106.2). The client gets the 508.
        """
        if response.status_code not in {LOOP_DETECTED, TO_OPTILLM} or hops.HEADER not in request.headers:
            return response
        body = await response.aread()
        if response.status_code == TO_OPTILLM and not _is_loop(body):
            return transport.read_whole(response, body, request)
        refusal = refusals.came_back(to_child=record.is_optillms)
        record.outcome.refuse(RULE, refusal, Level.ATTEMPT)
        log.warning("homelab %s rule: a call for %s came back to where it had been", RULE, record.asked)
        await end_root(self._ledger, record)
        return _refused(refusal, request)


async def end_root(ledger: Ledger, record: RequestContext) -> None:
    """Where the request is a child, record at its root that it came back by way of another gateway."""
    child = record.child
    if child is not None:
        await ledger.loop(child.root, f"{child.handle or record.asked} -> {PATH}")


@functools.lru_cache(maxsize=256)
def _is_at_home(netloc: bytes) -> bool:
    """Whether a host is of this machine or of a home network; the same few come with every request."""
    return is_local(f"http://{netloc.decode('ascii')}")


def _is_loop(body: bytes) -> bool:
    try:
        error: Any = orjson.loads(body)["error"]
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
        return False
    return isinstance(error, dict) and error.get("type") == RefusalType.LOOP_DETECTED


def _refused(refusal: Refuse, request: httpx.Request) -> httpx.Response:
    error = {"message": refusal.message, "type": refusal.type.value, "param": None, "code": "refused"}
    return httpx.Response(400, json={"error": error}, headers={"x-should-retry": "false"}, request=request)
