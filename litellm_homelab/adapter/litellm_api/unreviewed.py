"""Finds what has not been reviewed of the installed LiteLLM: it is counted at the start and stays closed."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import fields
from importlib.metadata import version
from typing import Any, Final

from litellm_homelab.access import table
from litellm_homelab.adapter.litellm_api import headers_read, installed
from litellm_homelab.fields import lists
from litellm_homelab.reviewed import lists as reviewed_lists
from litellm_homelab.reviewed.surface import Surface, sentence
from litellm_homelab.showroom.modes import ROUTES

log = logging.getLogger("LiteLLM Proxy.homelab")
OWN: Final = "x-litellm-"
"""How LiteLLM's own headers begin."""
HTTP: Final = frozenset(
    {
        "accept-language",
        "connection",
        "cookie",
        "date",
        "dnt",
        "expect",
        "forwarded",
        "from",
        "if-modified-since",
    }
    | {"max-forwards", "pragma", "priority", "referer", "te", "trailer", "tracestate", "upgrade", "via"}
    | {"access-control-request-headers", "access-control-request-method", "upgrade-insecure-requests"}
    | {"access-control-request-private-network", "sec-websocket-extensions", "sec-websocket-key"}
    | {"sec-websocket-version", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-fetch-user"}
)
"""Headers of HTTP itself and of browsers (RFC 9110, RFC 6455, Fetch), which stay if a LiteLLM names one."""


@functools.cache
def reviewed() -> Surface:
    """What has been reviewed, of all versions; fields are looked up one by one (`Lists.knows`)."""
    return Surface(
        routes=frozenset(
            f"{method} {path}"
            for (method, path), access in table.reviewed().items()
            if access not in table.OWN
        ),
        call_types=frozenset(ROUTES) | frozenset(reviewed_lists.closed_call_types()),
        hooks=frozenset(reviewed_lists.hooks()),
        headers=lists.reviewed().headers | HTTP,
    )


def of(brought: Surface) -> Surface:
    """What of a LiteLLM's surface has not been reviewed."""
    knows = lists.reviewed().knows
    known = Surface(parameters=frozenset(name for name in brought.parameters if knows(name)))
    return brought.without(reviewed() | known)


def _of_unloaded(app: Any) -> frozenset[str]:  # noqa: ANN401 - LiteLLM's FastAPI app
    """Unreviewed routes of features that LiteLLM loads on their first request."""
    known = reviewed().routes
    new = set(installed.lazy_routes(app)) - known
    return frozenset(one for one in new if not installed.is_known(one, known))


def report(app: Any) -> None:  # noqa: ANN401 - LiteLLM's FastAPI app
    """Log the start's line where there is something to say; a failure to find out is logged, too."""
    try:
        found = of(installed.surface(app)) | Surface(routes=_of_unloaded(app))
    except Exception:
        log.exception(
            "homelab: could not compare this LiteLLM with the reviewed ones; what is unreviewed stays closed"
        )
        return
    line = sentence(version("litellm"), found)
    if line is None:
        return
    log.warning("homelab: %s", line)
    for one in fields(found):
        names = sorted(getattr(found, one.name))
        if names:
            log.debug("homelab: not reviewed, %s: %s", one.name, ", ".join(names))


def closed_headers(opened: Mapping[str, str]) -> Callable[[str], bool]:
    """
    Says of a header's name, in lower case, whether LiteLLM must not get it.

    That is one that its source names and no list has, and any of its own (`x-litellm-`) that no list has: a
    name may be put together at run time. `opened` is `homelab.fields`: a header of it that passes is the
    operator's word.
    """
    known = reviewed().headers | {name for name, verdict in opened.items() if verdict == "pass"}
    new = headers_read.names() - known
    starts = tuple(name for name in new if name.endswith("-"))

    def closed(name: str) -> bool:
        if name in known:
            return False
        return name in new or name.startswith(OWN) or (bool(starts) and name.startswith(starts))

    return closed
