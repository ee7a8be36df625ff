"""What may be written in `homelab.gate.open` and in a caller's `routes`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from litellm_homelab.access.callers import READS_ONLY
from litellm_homelab.access.table import Access, matches, paths, reviewed
from litellm_homelab.config.findings import Caution
from litellm_homelab.config.wording import quoted

if TYPE_CHECKING:
    from litellm_homelab.config.settings import Settings

UI: Final = (
    *("/", "/ui", "/_next", "/litellm-asset-prefix/_next", "/get_image", "/get_favicon", "/get_logo_url"),
    *("/litellm/.well-known/litellm-ui-config", "/.well-known/litellm-ui-config", "/get/ui_settings"),
    *("/get/ui_theme_settings", "/login", "/v2/login", "/v3/login", "/v3/login/exchange", "/fallback/login"),
    *("/sso/key/generate", "/sso/callback", "/onboarding/get_token", "/onboarding/claim_token"),
    *("/public/providers", "/public/providers/fields", "/public/agents/fields", "/public/endpoints"),
    *("/public/autorouter_presets", "/public/complexity_router/scorer_defaults"),
    *("/public/complexity_router/fuse_presets", "/public/litellm_blog_posts"),
    "/public/litellm_model_cost_map",
)
"""
What the Admin UI of LiteLLM 1.106.2 asks for without a key: pages, assets, logins and lists of its own forms.

Everything else it asks with the key of its session, which LiteLLM keeps in its database.
"""
OPENABLE = (Access.UNGUARDED, Access.KEYLESS, Access.METRICS)
COUNTED: Final = re.compile(r"count_tokens|countTokens|input_tokens")
"""Routes that were closed once: a router.yaml that opens one still starts, and changes nothing by it."""
SHOWN = 3
"""Routes that a message lists before it says how many more there are."""


def problems(settings: Settings, has_route: Callable[[str], bool]) -> Iterator[str]:
    """
    What is wrong with `homelab.gate.open` and `homelab.callers.<name>.routes`, in words.

    `has_route` knows the paths of the running LiteLLM; it is asked for names only that no list has.
    """
    opened = settings.homelab.gate.open
    new = (path for path in opened if not _some(paths(reviewed(), *Access), path) and has_route(path))
    closed = paths(reviewed(), *OPENABLE) | frozenset((*_pass_through(settings), *new))
    for number, pattern in enumerate(opened):
        wrong = _open_problem(pattern, closed)
        if wrong:
            yield f"homelab.gate.open[{number}]: {quoted(pattern)} {wrong}"
    general = settings.router.sections.get("general_settings", {})
    if settings.homelab.gate.ui and not (general.get("database_url") or os.environ.get("DATABASE_URL")):
        yield Caution(
            "homelab.gate.ui: LiteLLM's Admin UI needs a database to log in: set DATABASE_URL, or "
            "general_settings.database_url"
        )
    usable = paths(reviewed(), Access.GUARDED) | {path for path in closed if matches(path, opened)}
    for name, section in settings.homelab.callers.items():
        where = f"homelab.callers.{name}.routes"
        if section.routes is not None and section.role in READS_ONLY:
            only = READS_ONLY[section.role]
            yield f"{where}: a key of role {section.role} reads only {only}; remove it"
            continue
        for number, pattern in enumerate(section.routes or ()):
            if not _some(usable, pattern):
                yield f"{where}[{number}]: {quoted(pattern)} {_route_problem(pattern, closed, usable)}"


def _open_problem(pattern: str, closed: frozenset[str]) -> str:
    managing = _some(paths(reviewed(), Access.MANAGEMENT) - closed, pattern)
    if managing == pattern:
        return "is for the master key and cannot be opened"
    if managing:
        return f"includes {managing}, which only the master key may use; list the routes one by one"
    if _some(closed, pattern):
        return ""
    if COUNTED.search(pattern) and _some(paths(reviewed(), Access.GUARDED), pattern):
        return ""
    if _some(paths(reviewed(), Access.GUARDED), pattern):
        return "is open to callers already; remove it"
    return f"is not a route of LiteLLM{_close(pattern, closed)}"


def _route_problem(pattern: str, closed: frozenset[str], usable: frozenset[str]) -> str:
    if _some(paths(reviewed(), Access.MANAGEMENT), pattern):
        return "is only for the master key"
    if _some(closed, pattern):
        return "is closed, unless homelab.gate.open names it"
    return f"is not a route of LiteLLM{_close(pattern, usable)}"


def _pass_through(settings: Settings) -> Iterator[str]:
    """Paths of the pass-through endpoints of router.yaml; LiteLLM adds one for what is below (1.106.2)."""
    general = settings.router.sections.get("general_settings", {})
    entries: Any = general.get("pass_through_endpoints")
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("path"), str):
            yield entry["path"]
            yield entry["path"] + "/{subpath:path}"


def _some(found: Iterable[str], pattern: str) -> str:
    """Those that a pattern means, the first few; empty for none."""
    some = sorted(path for path in found if matches(path, [pattern]))
    more = f" and {len(some) - SHOWN} more" if len(some) > SHOWN else ""
    return ", ".join(some[:SHOWN]) + more


def _close(pattern: str, known: Iterable[str]) -> str:
    """The route that was probably meant, or how one is written."""
    close = get_close_matches(pattern, sorted(known), 1, 0.8)
    return f"; did you mean {close[0]!r}?" if close else " (write it as access/routes.txt does, or with a *)"
