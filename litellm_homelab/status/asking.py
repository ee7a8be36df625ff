"""Asks a gateway for `/homelab.json`: with a key, without a proxy, and following no redirect."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from litellm_homelab import __version__
from litellm_homelab.config.wording import one_line, reason
from litellm_homelab.formats.server_address import AddressUnusable, is_plain, server_address

PATH: Final = "/homelab.json"
SECONDS: Final = 10.0
"""How long the gateway may be silent."""
LONGEST: Final = 16 * 1024 * 1024
"""Bytes of an answer: a large lab has some hundred thousand."""
PARTS: Final = ("problems", "handles", "backends", "roots", "quotas", "refusals")
"""Lists that every answer has."""


class StatusUnusable(Exception):
    """What was given cannot be used: the address, or the key."""


class GatewayRefuses(Exception):
    """The gateway answers, and will not say how it is; asking again changes nothing."""


class NoAnswer(Exception):
    """The gateway does not answer, or not with `/homelab.json`; it may later."""


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """Whom to ask, and with which key."""

    url: str
    """The whole address of `/homelab.json`."""
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """What it said, and the tag by which it knows whether that has changed."""

    view: Mapping[str, Any]
    etag: str


def request_to(base: str, key: str) -> StatusRequest:
    """
    Whom to ask, from the gateway's address.

    Raises:
        StatusUnusable: it is not an address, has a key or a query in it, or the key cannot be in a header.

    """
    try:
        found = server_address(base, "the address of the gateway")
    except AddressUnusable as error:
        raise StatusUnusable(str(error)) from None
    if not key or not is_plain(key):
        raise StatusUnusable("the key is empty, or has a space or a special character in it")
    return StatusRequest(found.below("/homelab", PATH) + PATH, key)


def key_from(file: Path | None, environ: Mapping[str, str]) -> str:
    """
    The key: what a file contains, else the variable HOMELAB_KEY.

    Raises:
        StatusUnusable: there is none, or the file cannot be read.

    """
    if file is None:
        key = environ.get("HOMELAB_KEY", "").strip()
        if not key:
            raise StatusUnusable(
                "no key: set HOMELAB_KEY to the master key or a key of role admin, or use --key-file"
            )
        return key
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise StatusUnusable(f"{file}: {reason(error)}") from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would take the key elsewhere: it is an answer like any other that is not 200."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def ask(request: StatusRequest, before: StatusAnswer | None = None) -> StatusAnswer:
    """
    What the gateway says now; `before` again where that has not changed.

    Raises:
        GatewayRefuses: the key may not see it, or the page is not switched on.
        NoAnswer: it does not answer, or with something else.

    """
    headers = {"Authorization": f"Bearer {request.key}", "User-Agent": f"litellm-homelab/{__version__}"}
    if before is not None and before.etag:
        headers["If-None-Match"] = before.etag
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
    try:
        with opener.open(urllib.request.Request(request.url, headers=headers), timeout=SECONDS) as answer:  # noqa: S310 - http or https
            return _read(answer.read(LONGEST + 1), answer.headers.get("ETag") or "")
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 304 and before is not None:
                return before
            raise _refusal(error.code) from None
    except urllib.error.URLError as error:
        raise NoAnswer(f"no answer: {_why(error.reason)}") from None
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"no answer: {_why(error)}") from None


def _why(error: object) -> str:
    if isinstance(error, TimeoutError):
        return f"nothing came within {SECONDS:g} s"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return one_line(text) or type(error).__name__


def _refusal(status: int) -> Exception:
    if status == 401:
        return GatewayRefuses("the gateway does not know this key (401)")
    if status == 403:
        return GatewayRefuses("this key may not see it (403); use the master key or a key of role admin")
    if status == 404:
        return GatewayRefuses(
            f"nothing is at {PATH} (404); set `homelab.page: true` in router.yaml and restart the gateway"
        )
    return NoAnswer(f"the gateway answered {status}")


def _read(body: bytes, etag: str) -> StatusAnswer:
    try:
        view = json.loads(body) if len(body) <= LONGEST else None
    except (ValueError, RecursionError):
        view = None
    if not isinstance(view, dict) or not all(_is_list(view.get(one)) for one in PARTS):
        raise NoAnswer(f"the answer is not that of {PATH}")
    return StatusAnswer(view, etag if etag.isascii() and etag.isprintable() else "")


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)
