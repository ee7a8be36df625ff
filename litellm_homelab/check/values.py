"""Traps in values: sections of another shape, texts in the place of true and false, or of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from litellm_homelab.check.finding import Found, check
from litellm_homelab.check.names import SECTIONS
from litellm_homelab.config.references import ENV_PREFIX, is_unset
from litellm_homelab.config.wording import shown

if TYPE_CHECKING:
    from litellm_homelab.check.document import Document

MAPPINGS: Final = (*SECTIONS, "environment_variables")
LISTS: Final = ("model_list", "guardrails", "credential_list")
COMPARED: Final = ("num_retries", "retry_after", "default_max_parallel_requests")
"""Numbers that LiteLLM compares as they are written: a text of digits fails each request (1.108.7)."""
READ_AS_MEANT: Final = ("drop_params", "cache")
"""Of these LiteLLM reads a text too (`drop_params_flag`, 1.108.7), or another message is about them."""
SECONDS: Final = ("timeout", "stream_timeout", "request_timeout")
"""Settings that another message is about."""


@check("litellm-section-shape", "error", "A list in the place of a mapping, or the other way round.")
def section_shape(doc: Document) -> Iterator[Found]:
    """LiteLLM walks each of them as what it should be, and does not start (1.108.7)."""
    for name in MAPPINGS:
        if not isinstance(doc.content.get(name) or {}, dict):
            yield name, f"expected settings such as `name: value`, got {shown(doc.content[name])}"
    for name in LISTS:
        if not isinstance(doc.content.get(name) or [], list):
            yield name, f"expected a list, each entry with `- ` in front, got {shown(doc.content[name])}"
    for one in doc.entries:
        info = one.entry.get("model_info")
        if not isinstance(info or {}, dict):
            yield f"{one.where}.model_info", f"expected settings such as `mode: chat`, got {shown(info)}"


@check("litellm-not-a-boolean", "error", "A text in the place of true or false.")
def not_a_boolean(doc: Document) -> Iterator[Found]:
    """The text itself becomes the setting, and every text that is not empty counts as true (1.108.7)."""
    for where, name, value, kind in _settings(doc):
        if kind != "boolean" or name in READ_AS_MEANT or not isinstance(value, str):
            continue
        if not value.startswith(ENV_PREFIX):  # LiteLLM makes true and false of a variable's value
            yield (
                where,
                (
                    f"expected true or false, got the text {shown(value)}; LiteLLM takes any text for true, "
                    "or ignores it: write it without quotes"
                ),
            )


@check("litellm-setting-not-a-number", "error", "A setting that must be a number is not.")
def setting_not_a_number(doc: Document) -> Iterator[Found]:
    """It is taken at the start, and what it counts fails or never happens (1.108.7)."""
    for where, name, value, kind in _settings(doc):
        number = doc.resolved(value)
        if kind == "boolean" or name in SECONDS or number is None or is_unset(number):
            continue
        if not is_number(number, whole=kind == "integer"):
            yield where, f"expected a {'whole ' if kind == 'integer' else ''}number, got {shown(number)}"
        elif isinstance(number, str) and name in COMPARED:
            yield (
                where,
                (
                    f"expected a number, got the text {shown(number)}, with which each request fails; write "
                    "the number itself, without quotes"
                ),
            )


def _settings(doc: Document) -> Iterator[tuple[str, str, Any, str]]:
    """(where, name, value, kind) of settings that are a boolean or a number to LiteLLM."""
    for section in SECTIONS:
        kinds = doc.names.types[section]
        for name, value in doc.section(section).items():
            if name in kinds:
                yield f"{section}.{name}", name, value, kinds[name]


def is_number(value: object, *, whole: bool) -> bool:
    """As pydantic reads a number: a text of digits is one."""
    if isinstance(value, bool):
        return False
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return False
    return not whole or number.is_integer()
