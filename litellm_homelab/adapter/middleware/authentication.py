"""The gate's key: whose is it, and may they use this route?"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any, Final

from litellm.proxy._types import LitellmUserRoles, UserAPIKeyAuth
from litellm.proxy.auth.auth_utils import get_request_route
from litellm.proxy.auth.route_checks import RouteChecks
from starlette.requests import Request

from litellm_homelab.access.callers import MASTER, Caller, Keyring
from litellm_homelab.access.rule import Gate
from litellm_homelab.access.table import Route
from litellm_homelab.adapter import context
from litellm_homelab.adapter.fail_closed import closed
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.adapter.middleware.route_access import METRICS, is_metrics
from litellm_homelab.adapter.policies.request_opening import CALLER_KEY
from litellm_homelab.adapter.recording import timed
from litellm_homelab.decision import Refuse
from litellm_homelab.showroom.rule import Showroom

RETRIEVED: Final = frozenset({"/models/{model_id}", "/v1/models/{model_id}"})
"""Routes that describe one model."""


def gate(
    keyring: Keyring, rule: Gate, showroom: Showroom, has_database: Callable[[], bool]
) -> Callable[..., Awaitable[Any]]:
    """
    LiteLLM's `custom_auth`: recognise the master key and the callers of the `homelab:` section.

    An unknown key goes to LiteLLM's own database where there is one, and is a 401 where there is none:
    stock LiteLLM answers `400 no_db_connection` then (measured on 1.106.2).
    """

    @timed("gate")
    @closed("gate")
    async def user_api_key_auth(request: Request, api_key: str | None) -> UserAPIKeyAuth | str:
        key = (api_key or "").removeprefix("Bearer ")  # None for an empty header
        caller = keyring.find(key) if key else None
        if caller is None and key and has_database():
            return key
        if caller is None:
            raise Refused(rule.unknown(missing=not key))
        context.required().stats.sender = caller.name
        route = _route(request)
        decision = rule.decide(route, caller)
        if isinstance(decision, Refuse):
            raise Refused(decision)
        if route.path in RETRIEVED:
            _retrieved(request, caller, showroom)
        return _identity(caller, get_request_route(request))

    return user_api_key_auth


def _retrieved(request: Request, caller: Caller, showroom: Showroom) -> None:
    """
    Let a caller look at one of its own handles.

    LiteLLM's own 404 is `{"detail": ...}`, which the SDKs show without its text (measured on 1.106.2).

    Raises:
        Refused: the caller has no such handle.

    """
    name = request.path_params.get("model_id")
    if name not in showroom.served(caller):
        raise Refused(showroom.not_found(name, caller), "showroom")


def _route(request: Request) -> Route:
    """
    The route as `Door` found it; only the metrics ask for a key before they get there.

    Raises:
        LookupError: neither; nothing may be decided without a route.

    """
    route = context.required().route
    if route is not None:
        return route
    if is_metrics(request.scope):
        return METRICS
    raise LookupError("LiteLLM asks whose key it is before its router has been reached")


def _identity(caller: Caller, path: str) -> UserAPIKeyAuth:
    """Who LiteLLM sees, one of its own for each request: LiteLLM writes into it and what it holds."""
    model, copies = _model(caller)
    identity = model.model_copy()
    # What they hold is of the right type: nothing to validate.
    vars(identity).update({name: copy() for name, copy in copies})
    # LiteLLM's own checks (custom_auth_run_common_checks) take every other route for an admin's.
    if caller is not MASTER and not RouteChecks.is_llm_api_route(route=path):
        identity.allowed_routes = [path]
    return identity


@functools.lru_cache(maxsize=1024)
def _model(caller: Caller) -> tuple[UserAPIKeyAuth, tuple[tuple[str, Callable[[], object]], ...]]:
    """What identities are copied from (LiteLLM's class is slow to make), and what copies its containers."""
    model = _made(caller)
    fields = vars(model).items()
    return model, tuple((name, value.copy) for name, value in fields if isinstance(value, dict | list))


def _made(caller: Caller) -> UserAPIKeyAuth:
    """A caller's identity is a constant, never the key: LiteLLM hashes it into metric labels and logs."""
    if caller is MASTER:
        return UserAPIKeyAuth(
            api_key="litellm_proxy_master_key",
            user_id="default_user_id",
            user_role=LitellmUserRoles.PROXY_ADMIN,
        )
    return UserAPIKeyAuth(
        api_key=f"homelab-caller-{caller.name}",
        key_alias=caller.name,
        user_id=caller.name,
        user_role=LitellmUserRoles.INTERNAL_USER,
        metadata={CALLER_KEY: caller.name},
    )
