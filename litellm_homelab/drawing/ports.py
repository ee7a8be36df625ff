"""The table of addresses: what listens where, which variable says so, and which names need it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from litellm_homelab.attempts import address
from litellm_homelab.check.names import own_port
from litellm_homelab.config.references import ENV_PREFIX, is_unset, resolve
from litellm_homelab.config.wording import plain
from litellm_homelab.drawing.marking import WORDS
from litellm_homelab.drawing.reading import FileMap
from litellm_homelab.formats.columns import aligned
from litellm_homelab.optillm.addresses import address_of

HEAD: Final = ("ADDRESS", "PORT", "VARIABLE", "HANDLES")
ADDRESS_SETTINGS: Final = ("api_base", "base_url")
SELF: Final = "this gateway"


@dataclass(frozen=True, slots=True)
class UsedAddress:
    """An address as it is configured, and what uses it."""

    host: str
    port: str
    variable: str
    user: str


def written(found: FileMap, environ: Mapping[str, str]) -> str:
    """The table, the gateway's own address first, the others in the order of the file."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for one in (*_own(environ), *_deployments(found), *_tools(found, environ)):
        users = rows.setdefault((one.host, one.port, one.variable), [])
        if one.user not in users:
            users.append(one.user)
    lines = [HEAD, *((*where, ", ".join(users)) for where, users in rows.items())]
    return "\n".join(aligned(lines, right=frozenset({1}))) + "\n"


def _own(environ: Mapping[str, str]) -> Iterator[UsedAddress]:
    variables = ", ".join(name for name in ("HOST", "PORT") if environ.get(name))
    yield UsedAddress(environ.get("HOST", "0.0.0.0"), str(own_port(environ)), variables, SELF)  # noqa: S104 - LiteLLM's default


def _deployments(found: FileMap) -> Iterator[UsedAddress]:
    """Those of every group of the file: one that no client reaches has an address too."""
    entries = found.settings.router.document.get("model_list")
    for one in found.settings.router.deployments:
        if one.wildcard:
            continue  # the wildcard's own entry is among them
        place = found.places.get(one.group, "backroom")
        user = one.group if place == "handle" else f"{one.group} ({WORDS.get(place, place)})"
        number = int(one.where.rpartition("[")[2].rstrip("]"))
        entry = entries[number] if isinstance(entries, list) else {}
        params = entry.get("litellm_params") if isinstance(entry, dict) else None
        raw = _raw(params if isinstance(params, dict) else {})
        host, port = _place(one.api_base)
        yield UsedAddress(
            host or f"{one.provider or 'provider'}, as LiteLLM knows it", port, _variable(raw), user
        )


def _tools(found: FileMap, environ: Mapping[str, str]) -> Iterator[UsedAddress]:
    listed = found.settings.router.document.get("search_tools")
    for one in listed if isinstance(listed, list) else ():
        params = one.get("litellm_params") if isinstance(one, dict) else None
        raw = _raw(params) if isinstance(params, dict) else ""
        if raw:
            host, port = _place(plain(resolve(raw, environ)))
            yield UsedAddress(
                host, port, _variable(raw), f"{plain(one.get('search_tool_name'))} (search tool)"
            )


def _raw(params: Mapping[object, object]) -> str:
    return next((value for name in ADDRESS_SETTINGS if isinstance(value := params.get(name), str)), "")


def _variable(raw: str) -> str:
    return raw.removeprefix(ENV_PREFIX) if raw.startswith(ENV_PREFIX) else ""


def _place(url: str) -> tuple[str, str]:
    """Host and port as they are written; nothing else of a URL, which may have a password in it."""
    if not url:
        return "", ""
    if is_unset(url):
        return "not set here", ""
    parsed = address.parse(url)
    if parsed is not None:
        return parsed.host, str(parsed.port)
    found = address_of(url)
    return (found[0], str(found[1])) if found is not None else ("not an address", "")
