"""Around LiteLLM's router and its metrics: what is decided before LiteLLM asks for a key, if it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette._utils import get_route_path  # LiteLLM's own test imports it too
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from litellm_homelab.access.callers import MASTER, Caller, Keyring
from litellm_homelab.access.rule import Gate
from litellm_homelab.access.table import ANY, Access, Route
from litellm_homelab.adapter import context
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.fail_closed import broken
from litellm_homelab.adapter.litellm_api import exceptions
from litellm_homelab.adapter.middleware.body import FORMS, media_type
from litellm_homelab.adapter.middleware.routing import Finder
from litellm_homelab.adapter.policies.fields import Screen
from litellm_homelab.decision import Allow, Refuse
from litellm_homelab.fields import bodies

METRICS = Route(ANY, "/metrics")
KEYS: Final = ("x-api-key", "api-key", "x-goog-api-key", "x-litellm-api-key", "ocp-apim-subscription-key")
"""Headers beside `Authorization` in which LiteLLM looks for a key (1.106.2, 1.110.2)."""
POLICY_VIOLATION = 1008
"""Close code of a websocket (RFC 6455, section 7.4.1); before the handshake servers turn it into a 403."""


def _loaded() -> bool:
    return True


def _none() -> bool:
    return False


class Door:
    """
    ASGI middleware around LiteLLM's router, inside all of LiteLLM's own.

    There the route is known: LiteLLM's middlewares rewrite the path and register features on their first
    request. `custom_auth` is too late and too rare: LiteLLM calls it on routes that ask for a key only. On
    some of those LiteLLM looks for its licence or its database first, and answers with a 404 or a 500
    (`/scim/` on 1.106.2, `/skill-hub/` on 1.110.2).
    """

    def __init__(
        self,
        app: ASGIApp,
        router: Any,  # noqa: ANN401 - FastAPI's
        rule: Gate,
        keyring: Keyring,
        screen: Screen,
        own: Mapping[str, ASGIApp] | None = None,
        loaded: Callable[[], bool] = _loaded,
        has_other_keys: Callable[[], bool] = _none,
    ) -> None:
        self.app = app
        self._loaded = loaded
        self._has_other_keys = has_other_keys
        self._own = own or {}
        self._screen = screen
        self._finder = Finder(router)
        self._rule = rule
        self._keyring = keyring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI 3)."""
        decision = (
            _decided(lambda: self._decide(scope)) if scope["type"] in {"http", "websocket"} else Allow()
        )
        rule = "gate"
        if isinstance(decision, Allow) and scope["type"] == "http":
            rule, decision = "edge", _form(scope) or decision
        if isinstance(decision, Allow):
            if scope["type"] == "http":
                record = context.required()
                scope, receive = self._screen(record, scope, receive)
                record.scope = scope  # LiteLLM keeps what it reads of the body there
                served = self._own.get(record.route.path) if record.route else None
                await (served or self.app)(scope, receive, send)
                return
            await self.app(scope, receive, send)
            return
        context.refused(rule, decision)
        if scope["type"] == "websocket":
            await WebSocketClose(POLICY_VIOLATION, decision.type)(scope, receive, send)
        else:
            await exceptions.response(decision)(scope, receive, send)

    def _decide(self, scope: Scope) -> Allow | Refuse:
        route = self._finder.find(scope)
        if route is None:
            return Allow()
        record = context.required()
        record.route, record.scope = route, scope
        kind, record.open_route = self._rule.placed(route)
        if not self._loaded() and kind is not Access.OPEN:
            return broken("plugin", LookupError("the plugin is not in litellm.callbacks")).refusal
        if kind is Access.MANAGEMENT:
            return self._management(record, route, scope)
        # LiteLLM serves a keyless route to anyone, so that it must be known here who sends.
        caller = sender(scope, self._keyring) if kind is Access.KEYLESS else None
        return self._rule.before_key(route, caller, kind)

    def _management(self, record: RequestContext, route: Route, scope: Scope) -> Allow | Refuse:
        """
        Refuse a caller that cannot have a key for management: all keys are ours, and none is the master key.

        Where any header has the master key, or one that may be a key of LiteLLM's database or of another
        `custom_auth`, LiteLLM decides which header counts, and asks the authentication that it has.
        """
        found = [caller for word in words(scope) if (caller := self._keyring.find(word)) is not None]
        if MASTER in found:
            return Allow()
        unknown = not found or any(self._keyring.find(key) is None for key in keys(scope))
        if unknown and self._has_other_keys():
            return Allow()
        if not found:
            return self._rule.unknown(missing=not keys(scope))
        record.stats.sender = found[0].name
        return self._rule.decide(route, found[0])


def _form(scope: Scope) -> Refuse | None:
    """The refusal of a form on a route that takes JSON only."""
    route, kind = context.required().route, media_type(scope)
    return bodies.refusal(route.path, scope["method"], kind) if route is not None and kind in FORMS else None


def metrics_door(rule: Gate, keyring: Keyring) -> Callable[[Scope], Allow | Refuse]:
    """
    What decides on `/metrics/` before LiteLLM does.

    Its middleware for metrics turns every refusal into a 401 that says how to switch the check off
    (measured on 1.106.2).
    """

    def decide(scope: Scope) -> Allow | Refuse:
        if not is_metrics(scope):
            return Allow()
        return _decided(lambda: rule.metrics(sender(scope, keyring)))

    return decide


def is_metrics(scope: Scope) -> bool:
    """Whether a request is for the metrics; LiteLLM's own test (read from 1.106.2)."""
    path = get_route_path(scope)
    return path == METRICS.path or path.startswith(METRICS.path + "/")


def sender(scope: Scope, keyring: Keyring) -> Caller | None:
    """Who sent the key of the `Authorization` header; None for none, or one that is not ours."""
    scheme, _, key = Headers(scope=scope).get("authorization", "").partition(" ")
    return keyring.find(key.strip()) if scheme.lower() == "bearer" and key else None


def keys(scope: Scope) -> list[str]:
    """The keys in the headers in which LiteLLM looks for one."""
    headers = Headers(scope=scope)
    bearer = headers.get("authorization", "").partition(" ")[2]
    found = [bearer, *(headers.get(name, "").removeprefix("Bearer ") for name in KEYS)]
    return [key.strip() for key in found if key.strip()]


def words(scope: Scope) -> list[str]:
    """The last word of each header, a key among them: `litellm_key_header_name` may name any header."""
    last = (value.rpartition(" ")[2] for value in Headers(scope=scope).values())
    return list(dict.fromkeys(filter(None, last)))


def hang(
    app: Any,  # noqa: ANN401 - LiteLLM's FastAPI app
    rule: Gate,
    keyring: Keyring,
    screen: Screen,
    own: Mapping[str, ASGIApp] | None = None,
    loaded: Callable[[], bool] = _loaded,
    has_other_keys: Callable[[], bool] = _none,
) -> None:
    """
    Put a `Door` around the router of a running app, in the place of the one that is there.

    `own` serves routes in LiteLLM's place, by their paths as LiteLLM registered them; `loaded` says whether
    LiteLLM still calls the plugin, `has_other_keys` whether keys count that are not ours.
    """
    inner = app.router.middleware_stack
    inner = inner.app if isinstance(inner, Door) else inner
    app.router.middleware_stack = Door(inner, app.router, rule, keyring, screen, own, loaded, has_other_keys)


def _decided(rule: Callable[[], Allow | Refuse]) -> Allow | Refuse:
    """What a rule decides; a rule that breaks refuses."""
    try:
        return rule()
    except Exception as error:  # noqa: BLE001 - closed, whatever it was
        return broken("gate", error).refusal
