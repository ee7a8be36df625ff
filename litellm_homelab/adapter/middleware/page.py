"""
Serves `/homelab`: the page, its login and its JSON, in front of LiteLLM.

LiteLLM's CORS allows every origin with credentials (1.106.2), and its authentication knows no cookie, so
nothing here passes LiteLLM. Every answer leaves by `_hardened`.
"""

from __future__ import annotations

import asyncio
import html
import pkgutil
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol, TypeAlias
from urllib.parse import parse_qs, urlsplit

from starlette._utils import get_route_path
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import Message, Receive, Scope, Send

from litellm_homelab import refusals
from litellm_homelab.access.callers import Caller, Keyring
from litellm_homelab.access.rule import Gate
from litellm_homelab.access.table import Route
from litellm_homelab.adapter.fail_closed import broken
from litellm_homelab.adapter.litellm_api import exceptions
from litellm_homelab.adapter.middleware.route_access import sender
from litellm_homelab.adapter.page.board import JsonText
from litellm_homelab.adapter.page.logouts import Logouts
from litellm_homelab.adapter.recording import meter
from litellm_homelab.config.sections import digest
from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.metrics.labels import OTHER
from litellm_homelab.page import sessions
from litellm_homelab.page.tries import Tries

ROOT: Final = "/homelab"
JSON: Final = "/homelab.json"
WIDGET: Final = "/homelab/widget.json"
LOGIN: Final = "/homelab/login"
LOGOUT: Final = "/homelab/logout"
ASSETS: Final[Mapping[str, str]] = {
    "/homelab/page.css": "text/css; charset=utf-8",
    "/homelab/page.js": "text/javascript; charset=utf-8",
    "/homelab/icon.svg": "image/svg+xml",
}
PATHS: Final = (ROOT, JSON)
"""Paths of the session's cookie: browsers send one for `/homelab` below it, and not for `/homelab.json`."""
LONGEST_FORM: Final = 8192
FORM_SECONDS: Final = 10.0
"""How long a login may take to arrive."""
FORM: Final = "application/x-www-form-urlencoded"
HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
}
"""On every answer. `same-origin`: with no referrer at all browsers send a form with `Origin: null`."""

Noted: TypeAlias = Callable[[str, Refuse, str | None, str], None]


class Documents(Protocol):
    """Makes what the page shows."""

    async def page(self) -> JsonText:
        """Everything on the page."""

    async def widget(self) -> JsonText:
        """The flat object."""


class Page:
    """An ASGI app for the paths of the page."""

    def __init__(
        self,
        rule: Gate,
        keyring: Keyring,
        secret: str,
        documents: Documents,
        logouts: Logouts,
        noted: Noted = lambda *_: None,
    ) -> None:
        """`noted` is given each refusal: rule, refusal, handle, caller."""
        self._rule, self._keyring, self._secret = rule, keyring, secret
        self._documents, self._logouts, self._noted = documents, logouts, noted
        self._tries = Tries()

    @staticmethod
    def serves(scope: Scope) -> bool:
        """Whether a connection is for the page."""
        if scope["type"] != "http" or ROOT not in scope["path"]:
            return False
        path = get_route_path(scope)
        return path in PATHS or path.startswith(f"{ROOT}/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        try:
            answer = await self._answer(scope, receive)
        except Exception as error:  # noqa: BLE001 - closed, whatever it was
            answer = exceptions.response(broken("page", error).refusal)
        answer.headers.update(HEADERS)
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        path, caller = get_route_path(scope), await self._caller(scope)
        if path == f"{ROOT}/":
            return RedirectResponse("../homelab", 308)
        decision = self._rule.page(Route(scope["method"], path), caller)
        if isinstance(decision, Refuse):
            return self._refused(decision, scope, caller)
        if path in ASSETS:
            return Response(_asset(path.rpartition("/")[2]), media_type=ASSETS[path])
        if path == LOGIN:
            return await self._login(scope, receive)
        if path == LOGOUT:
            return await self._logout(scope)
        if path == ROOT:
            return _page("page.html")
        document = await (self._documents.widget() if path == WIDGET else self._documents.page())
        return _document(scope, document)

    async def _caller(self, scope: Scope) -> Caller | None:
        """Who asks: by a key where there is one, else by a session."""
        if Headers(scope=scope).get("authorization", "").lower().startswith("bearer"):
            return sender(scope, self._keyring)
        if scope["method"] not in {"GET", "HEAD"}:
            return None
        for one in self._sessions(scope):
            if not await self._logouts.has(one):
                return one.caller
        return None

    def _sessions(self, scope: Scope) -> dict[sessions.Session, None]:
        """The sessions of a request's cookies, each once."""
        now, admins = time.time(), [*self._keyring.admins()]
        found = (sessions.session(self._secret, one, admins, now) for one in _cookies(scope))
        return dict.fromkeys(one for one in found if one is not None)

    def _refused(self, refusal: Refuse, scope: Scope, caller: Caller | None) -> Response:
        path = get_route_path(scope)
        if path == ROOT and refusal.type is RefusalType.AUTHENTICATION_ERROR:
            return _form(scope, refusal.status)  # nothing was tried: it is what everyone sees first
        self._count(refusal, caller)
        return _form(scope, refusal.status, NOT_ADMIN) if path == ROOT else exceptions.response(refusal)

    def _count(self, refusal: Refuse, caller: Caller | None) -> None:
        name = caller.name if caller is not None else OTHER
        meter().refused("page", refusal.type, None, name)
        self._noted("page", refusal, None, name)

    # --- login -------------------------------------------------------------------------------------

    async def _login(self, scope: Scope, receive: Receive) -> Response:
        address, now = (scope.get("client") or ("",))[0], time.monotonic()
        if _is_from_elsewhere(scope):
            self._count(refusals.page_from_elsewhere(), None)
            return _form(scope, 403, ELSEWHERE)
        seconds = self._tries.wait(address, now)
        if seconds:
            return _form(scope, 429, LATER.format(seconds=seconds), {"retry-after": str(seconds)})
        key = await _key_sent(scope, receive)
        if key is None:
            return _form(scope, 400, UNREADABLE)
        caller = self._keyring.find(key) if key else None
        decision = self._rule.page(Route("GET", ROOT), caller)
        if isinstance(decision, Refuse):
            self._tries.failed(address, now)
            self._count(refusals.key_unknown() if caller is None else decision, caller)
            return _form(scope, decision.status, UNKNOWN if caller is None else NOT_ADMIN)
        answer = RedirectResponse("../homelab", 303)
        _set_cookies(scope, answer, sessions.minted(self._secret, digest(key), time.time()), sessions.SECONDS)
        return answer

    async def _logout(self, scope: Scope) -> Response:
        if _is_from_elsewhere(scope):
            self._count(refusals.page_from_elsewhere(), None)
            return _form(scope, 403, ELSEWHERE)
        for one in self._sessions(scope):
            await self._logouts.add(one)
        answer = RedirectResponse("../homelab", 303)
        _set_cookies(scope, answer, "", 0)
        return answer


UNKNOWN: Final = "This gateway does not know this key."
NOT_ADMIN: Final = "This key may not see the page. Use the master key, or a key of role admin."
ELSEWHERE: Final = "The form was sent from another site. Log in here."
UNREADABLE: Final = "The form could not be read. Enter the key again."
LATER: Final = "Too many failed logins. Try again in {seconds} s."


def _is_from_elsewhere(scope: Scope) -> bool:
    """
    Whether a form was sent by a page of another origin: as the browser says, else by its `Origin`.

    Browsers send `Sec-Fetch-Site` to HTTPS and to this machine only; a program sends neither.
    """
    headers = Headers(scope=scope)
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site not in {"same-origin", "none"}
    if origin is None:
        return False
    return urlsplit(origin).netloc not in {headers.get("host"), headers.get("x-forwarded-host")}


async def _key_sent(scope: Scope, receive: Receive) -> str | None:
    """The key of a login form, empty where it has none; None for a body that is no such form."""
    if Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return None
    body = b""
    try:
        async with asyncio.timeout(FORM_SECONDS):
            while True:
                message: Message = await receive()
                body += message.get("body", b"")
                if len(body) > LONGEST_FORM or message["type"] != "http.request":
                    return None
                if not message.get("more_body", False):
                    break
        fields = parse_qs(body.decode(), max_num_fields=8)
    except (TimeoutError, ValueError):
        return None
    return str(fields.get("key", [""])[0]).strip()


def _cookies(scope: Scope) -> list[str]:
    """The values of the session's cookie; both paths, or an older one, may send it."""
    found = []
    for header in Headers(scope=scope).getlist("cookie"):
        for pair in header.split(";"):
            name, _, value = pair.strip().partition("=")
            if name == sessions.COOKIE:
                found.append(value)
    return found[:4]


def _set_cookies(scope: Scope, answer: Response, value: str, seconds: int) -> None:
    proto = Headers(scope=scope).get("x-forwarded-proto", "").partition(",")[0].strip()
    is_secure = scope.get("scheme") == "https" or proto == "https"
    for path in PATHS:
        answer.set_cookie(
            sessions.COOKIE,
            value,
            max_age=seconds,
            path=scope.get("root_path", "") + path,
            secure=is_secure,
            httponly=True,
            samesite="strict",
        )


# --- answers -------------------------------------------------------------------------------------------


def _document(scope: Scope, document: JsonText) -> Response:
    tags = Headers(scope=scope).get("if-none-match", "")
    known = {one.strip().removeprefix("W/") for one in tags.split(",")}
    headers = {"etag": document.etag}
    if document.etag in known:
        return Response(status_code=304, headers=headers)
    return Response(document.body, media_type="application/json", headers=headers)


def _page(name: str) -> Response:
    return Response(_asset(name), media_type="text/html; charset=utf-8")


def _form(scope: Scope, status: int, message: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """The login form, with a sentence of ours above it; its links are relative to where it is."""
    base = "homelab/" if get_route_path(scope) == ROOT else ""
    text = _asset("login.html").decode().replace("{base}", base)
    text = text.replace("<!-- message -->", html.escape(message))
    return Response(text, status, dict(headers or {}), media_type="text/html; charset=utf-8")


def _asset(name: str) -> bytes:
    return pkgutil.get_data("litellm_homelab.page", f"static/{name}") or b""
