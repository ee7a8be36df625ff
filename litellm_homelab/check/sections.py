"""Keys that LiteLLM ignores: unknown sections, unknown settings, and settings in the wrong section."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from litellm_homelab.check.finding import Found, check
from litellm_homelab.check.names import SECTIONS, SLIP
from litellm_homelab.config.wording import closest

if TYPE_CHECKING:
    from litellm_homelab.check.document import Document

REFUSED: Final = frozenset({"health_check_interval", "health_check_concurrency"})
"""Settings that stop LiteLLM's start in `router_settings` (1.108.7)."""
COMMAND_LINE: Final = {
    "port": "--port, or the variable PORT",
    "host": "--host, or the variable HOST",
    "num_workers": "--num_workers, or the variable NUM_WORKERS",
    "workers": "--num_workers, or the variable NUM_WORKERS",
    "debug": "--debug, or the variable LITELLM_LOG",
    "detailed_debug": "--detailed_debug, or the variable LITELLM_LOG",
    "ssl_keyfile_path": "--ssl_keyfile_path, or the variable SSL_KEYFILE_PATH",
    "ssl_certfile_path": "--ssl_certfile_path, or the variable SSL_CERTFILE_PATH",
}
"""Options of LiteLLM's command that people look for in its file (`proxy_cli.py`, 1.108.7)."""
REPORTED: Final = frozenset({"ttft_timeout", "stream_idle_timeout", "callback", "rust", *COMMAND_LINE})
"""Names that have a message of their own."""
TOP: Final = "the top of the file, beside the other sections"


@check("litellm-unknown-section", "warning", "A key of the file that is close to one of LiteLLM's sections.")
def unknown_section(doc: Document) -> Iterator[Found]:
    """LiteLLM ignores keys of the file that it does not know; a place for anchors may have any other name."""
    known = doc.names.settings["sections"]
    for name in doc.content:
        right = closest(name, known, SLIP) if isinstance(name, str) and name not in known else None
        if right is not None:
            yield name, f"LiteLLM ignores this section; did you mean {right}?"


@check("litellm-setting-misplaced", "warning", "A setting in a section in which LiteLLM does not read it.")
def misplaced(doc: Document) -> Iterator[Found]:
    """The name is known in another section, or is a section."""
    for section, name in _unknown(doc):
        home = TOP if section and name in doc.names.settings["sections"] else doc.names.section_of(name)
        if home is not None and not (section == "router_settings" and name in REFUSED):
            where = f"{section}.{name}" if section else name
            yield where, f"LiteLLM ignores {name} here; move it to {home}"


@check("litellm-setting-of-the-command", "warning", "An option of LiteLLM's command, which no file sets.")
def of_the_command(doc: Document) -> Iterator[Found]:
    """The address, the workers, certificates."""
    places = {section: doc.section(section) for section in SECTIONS} | {"": doc.content}
    for section, settings in places.items():
        for name in (one for one in COMMAND_LINE if one in settings):
            if not section or name not in doc.names.settings[section]:
                where = f"{section}.{name}" if section else name
                yield where, f"LiteLLM ignores it in this file; it is an option: {COMMAND_LINE[name]}"


@check("litellm-setting-refused", "error", "A setting in `router_settings` that stops LiteLLM's start.")
def refused(doc: Document) -> Iterator[Found]:
    """`health_check_interval` and `health_check_concurrency` (1.108.7)."""
    for name in doc.section("router_settings"):
        if name in REFUSED:
            yield (
                f"router_settings.{name}",
                "LiteLLM does not start with it here; move it to general_settings",
            )


@check("litellm-setting-misspelt", "warning", "A setting that LiteLLM ignores, close to one that it knows.")
def misspelt(doc: Document) -> Iterator[Found]:
    """With the nearest name."""
    for section, name in _unknown(doc):
        right = closest(name, doc.names.settings[section], SLIP) if section else None
        if right is not None and doc.names.section_of(name) is None:
            yield f"{section}.{name}", f"LiteLLM ignores this setting; did you mean {right}?"


@check("litellm-router-setting-unknown", "warning", "A setting of `router_settings` that LiteLLM ignores.")
def router_unknown(doc: Document) -> Iterator[Found]:
    """The router takes its own arguments only, and logs a warning for others (`load_config`, 1.108.7)."""
    for section, name in _unknown(doc):
        known = doc.names.settings["router_settings"]
        if (
            section == "router_settings"
            and not closest(name, known, SLIP)
            and doc.names.section_of(name) is None
        ):
            yield f"{section}.{name}", "LiteLLM's router has no such setting and ignores it; remove it"


@check("litellm-setting-unknown", "hint", "A setting that no code of LiteLLM reads by this name.")
def unknown(doc: Document) -> Iterator[Found]:
    """A callback of one's own may read it, so this is advice."""
    for section, name in _unknown(doc):
        if section in {"litellm_settings", "general_settings"}:
            known = {*doc.names.settings[section], *doc.names.settings["sections"]}
            if name not in known and not closest(name, known, SLIP) and doc.names.section_of(name) is None:
                yield (
                    f"{section}.{name}",
                    "LiteLLM has no such setting; remove it, unless a callback reads it",
                )


def _unknown(doc: Document) -> Iterator[tuple[str, str]]:
    """(section, setting) of what LiteLLM does not know there; the section is empty for the file itself."""
    for section in SECTIONS:
        for name in doc.section(section):
            if isinstance(name, str) and name not in doc.names.settings[section] and name not in REPORTED:
                yield section, name
    for name in doc.content:
        known = doc.names.settings["sections"]
        if isinstance(name, str) and name not in known and not closest(name, known, SLIP):
            yield "", name
