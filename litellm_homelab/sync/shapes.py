"""What `sync` reads of a router.yaml has the shape that it expects; every mistake with its path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_homelab.config.wording import plain, shown

A_MAPPING, A_LIST, A_STRING = "a mapping", "a list", "a string"
TYPES: Final[Mapping[str, type]] = {A_MAPPING: dict, A_LIST: list, A_STRING: str}
ENTRY: Final = "write `model_name: NAME` and `litellm_params: {model: PROVIDER/MODEL}`"


def problems(content: Mapping[Any, Any]) -> Iterator[str]:
    """What is wrong with the parts that are read: where, what is expected, what is there, what to do."""
    entries = content.get("model_list")
    yield from _wrong("model_list", entries, A_LIST, "write one entry for each deployment")
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        yield from _entry(f"model_list[{number}]", entry)
    homelab = content.get("homelab")
    yield from _wrong("homelab", homelab, A_MAPPING, "`litellm-homelab init` drafts one")
    sections = homelab if isinstance(homelab, dict) else {}
    yield from _showroom(sections.get("showroom"))
    yield from _optillm(sections.get("optillm"))
    yield from _backends(sections.get("backends"))


def _entry(where: str, entry: object) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield f"{where}: expected a mapping, got {shown(entry)}; {ENTRY}"
        return
    for name, kind in (("model_name", A_STRING), ("litellm_params", A_MAPPING)):
        if not isinstance(entry.get(name), TYPES[kind]):
            yield f"{where}.{name}: expected {kind}, got {shown(entry.get(name))}; {ENTRY}"
    params = entry.get("litellm_params")
    for name in ("model", "api_base", "base_url"):
        value = params.get(name) if isinstance(params, dict) else None
        yield from _wrong(f"{where}.litellm_params.{name}", value, A_STRING, "put it in quotes")
    yield from _wrong(
        f"{where}.model_info", entry.get("model_info"), A_MAPPING, "write `{mode: chat}`, or remove it"
    )


def _showroom(section: object) -> Iterator[str]:
    where = "homelab.showroom"
    yield from _wrong(where, section, A_MAPPING, "write `{handles: [NAME]}`")
    showroom = section if isinstance(section, dict) else {}
    for which in ("handles", "hidden", "internal"):
        yield from _names(f"{where}.{which}", showroom.get(which), "write `[NAME]`, names of model_list")
    yield from _names(f"{where}.roots", showroom.get("roots"), "write `[FOLDER]`")
    for name in ("registry", "handles_file"):
        yield from _wrong(f"{where}.{name}", showroom.get(name), A_STRING, "write the name of a file")


def _optillm(section: object) -> Iterator[str]:
    where = "homelab.optillm"
    lane = "write `NAME: {approaches: [moa], default: moa}`"
    yield from _wrong(where, section, A_MAPPING, lane)
    for name, one in section.items() if isinstance(section, dict) else ():
        yield from _wrong(f"{where}.{plain(name)}", one, A_MAPPING, lane)
        fields = one if isinstance(one, dict) else {}
        yield from _names(f"{where}.{plain(name)}.approaches", fields.get("approaches"), "write `[moa]`")
        yield from _wrong(f"{where}.{plain(name)}.default", fields.get("default"), A_STRING, "write `moa`")


def _backends(section: object) -> Iterator[str]:
    where = "homelab.backends"
    yield from _wrong(where, section, A_MAPPING, "write `NAME: {at: [ADDRESS]}`")
    for name, one in section.items() if isinstance(section, dict) else ():
        yield from _wrong(f"{where}.{plain(name)}", one, A_MAPPING, "write `{at: [ADDRESS]}`")
        listed = one.get("at") if isinstance(one, dict) else None
        yield from _names(f"{where}.{plain(name)}.at", listed, "write `[http://127.0.0.1:8000]`")


def _names(where: str, value: object, advice: str) -> Iterator[str]:
    """A list of strings, or nothing."""
    yield from _wrong(where, value, A_LIST, advice)
    for number, one in enumerate(value if isinstance(value, list) else ()):
        if not isinstance(one, str):
            yield f"{where}[{number}]: expected a string, got {shown(one)}; put it in quotes, or remove it"


def _wrong(where: str, value: object, kind: str, advice: str) -> Iterator[str]:
    if value is not None and not isinstance(value, TYPES[kind]):
        yield f"{where}: expected {kind}, got {shown(value)}; {advice}"
