"""Parameters that LiteLLM does not send to a provider: said to the client, who cannot change settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

LISTED: Final = re.compile(
    r"does not support parameters: (\[[^\]]*\]|\{[^}]*\}|[\w.]+(?:, (?!for\b)[\w.]+)*)"
)
"""`lm_studio does not support parameters: ['verbosity'], for model=x.` (litellm/utils.py, 1.106.2)."""
SETTING: Final = re.compile(r"Setting [`']?(\w+)[`']? is not supported")
NAMED: Final = re.compile(
    r"(?:doesn't|don't|does not) support [`']?(\w+)[`']?(?:[=. ]|$)|^[`']?(\w+)=\S+ is not supported|"
    r"^Parameter (\w+) is not supported|\bk=(\w+), not supported by"
)
"""Other wordings, for one parameter or its value: in litellm/utils.py and litellm/llms (1.106.2)."""
DROPPING: Final = re.compile(r"\bdrop_params`? ?[=:] ?true", re.IGNORECASE)
WORD: Final = re.compile(r"[A-Za-z_]\w*")
ADVICE: Final = re.compile(
    r"(?:To drop|If you want to (?:drop|use)|\.? ?To use|you can set|set `litellm|or for proxy|"
    r"`litellm_settings|drop_params|allowed_openai_params).*",
    re.DOTALL | re.IGNORECASE,
)
"""From where LiteLLM's text says which setting to change."""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """What a client gets: a sentence, and the first of the parameters."""

    message: str
    param: str | None


def readable(text: str) -> Unsupported:
    """The text of one of LiteLLM's `UnsupportedParamsError`s, without the advice to change settings."""
    names = _names(text)
    if not names:
        said = _without_advice(text)
        one = NAMED.search(said)
        return Unsupported(said, next(filter(None, one.groups()), None) if one else None)
    shown = ", ".join(f"'{name}'" for name in names)
    verb, them = ("is", "it") if len(names) == 1 else ("are", "them")
    return Unsupported(f"{shown} {verb} not supported by this handle. Remove {them}.", names[0])


def is_advice(text: str) -> bool:
    """Whether a text advises its reader to let LiteLLM drop parameters."""
    return DROPPING.search(text) is not None


def _names(text: str) -> tuple[str, ...]:
    found = LISTED.search(text)
    if found is not None:
        return tuple(dict.fromkeys(WORD.findall(found.group(1))))
    one = SETTING.search(text)
    return (one.group(1),) if one is not None else ()


def _without_advice(text: str) -> str:
    said = ADVICE.sub("", text.partition("UnsupportedParamsError: ")[2] or text).strip().rstrip(",;:`")
    return said or "A parameter of this request is not supported by this handle."
