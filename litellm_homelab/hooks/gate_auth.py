"""The gate: whose key is this?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litellm.proxy._types import LitellmUserRoles, UserAPIKeyAuth
from litellm.proxy.auth.route_checks import RouteChecks
from starlette.requests import Request

from litellm_homelab.callers import MASTER, Caller, Keyring
from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.hooks.closed import closed
from litellm_homelab.hooks.opening import CALLER_KEY
from litellm_homelab.hooks.refusal import Refused

METRICS_PATHS = ("/metrics", "/metrics/")
MODEL_PATHS = ("/v1/models/", "/models/")
"""One model of the listing, which LiteLLM does not count among its inference routes (1.106.2)."""


def gate(keyring: Keyring, has_database: Callable[[], bool]) -> Callable[..., Awaitable[Any]]:
    """
    LiteLLM's `custom_auth`: recognise the master key and the callers of the `homelab:` section.

    An unknown key goes to LiteLLM's own database where there is one, and is a 401 where there is none:
    stock LiteLLM answers `400 no_db_connection` then (measured on 1.106.2).
    """

    @closed("gate")
    async def user_api_key_auth(request: Request, api_key: str) -> UserAPIKeyAuth | str:
        key = api_key.removeprefix("Bearer ")
        caller = keyring.find(key) if key else None
        if caller is None and key and has_database():
            return key
        if caller is None:
            raise Refused(_unknown(missing=not key))
        refusal = route_refusal(caller, request.url.path)
        if refusal is not None:
            raise Refused(refusal)
        return _identity(caller, request.url.path)

    return user_api_key_auth


def _identity(caller: Caller, path: str) -> UserAPIKeyAuth:
    """
    Who LiteLLM sees.

    The identity of a caller is a constant, never the key: LiteLLM hashes it into metric labels and logs.
    """
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
        # LiteLLM's own checks (custom_auth_run_common_checks) take every other route for an admin's.
        allowed_routes=[] if RouteChecks.is_llm_api_route(route=path) else [path],
        metadata={CALLER_KEY: caller.name},
    )


def route_refusal(caller: Caller, path: str) -> Refuse | None:
    """Refuse a route that this caller's role does not have."""
    if caller is MASTER:
        return None
    if caller.role == "metrics":
        return None if path in METRICS_PATHS else _closed("This key reads /metrics/ and nothing else.")
    if path in METRICS_PATHS:
        return _closed("/metrics/ is read with a key of role metrics, or with the master key.")
    if RouteChecks.is_llm_api_route(route=path) or path.startswith(MODEL_PATHS):
        return None
    return _closed("This route is for the master key.")


def _closed(message: str) -> Refuse:
    return Refuse(RefusalType.ROUTE_NOT_ALLOWED, message)


def _unknown(*, missing: bool) -> Refuse:
    what = "No API key was sent" if missing else "This API key is not known here"
    return Refuse(
        RefusalType.AUTHENTICATION_ERROR,
        f"{what}. Send `Authorization: Bearer KEY` with the key that the operator gave you.",
    )
