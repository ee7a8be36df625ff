"""
Takes out of an error's text what it says about the upstream.

Addresses, paths, keys, accounts, names, versions: each kind of thing is one of `STEPS`.
"""

from __future__ import annotations

import ast
import functools
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from litellm_homelab.answers import patterns
from litellm_homelab.answers.patterns import PATTERNS, PLACEHOLDER
from litellm_homelab.answers.provider_names import NAMES

LONGEST: Final = 2000
"""Characters of a text that are kept: an upstream's page of HTML, or the prompt again, does not help."""
READ: Final = 50_000
"""Characters of a text that are searched for the message in it."""
OBJECTS: Final = 4
"""JSON objects in one text that are read."""
DEEPEST: Final = 8


@dataclass(frozen=True, slots=True)
class Words:
    """What may stay in a text: names that clients use, and what the client's own request said."""

    public: frozenset[str] = frozenset()
    said: Callable[[str], bool] = lambda _: False


Step = Callable[[str, Words], str]


def message(text: str, words: Words) -> str:
    """The message in a text, without what a server or LiteLLM has put around it; the first of two passes."""
    return _through(WRAPPERS, text[:READ], words).strip()[:LONGEST]


def redacted(text: str, words: Words) -> str:
    """A text without the things that `STEPS` name; each is replaced by `upstream`, or left out."""
    text = text[:LONGEST]
    own = [url for url in _urls(text) if words.said(url)]
    for number, url in enumerate(own):
        text = text.replace(url, f"\x01{number}\x01")
    text = _through(STEPS, text, words)
    for number, url in enumerate(own):
        text = text.replace(f"\x01{number}\x01", url)
    return text


def _urls(text: str) -> list[str]:
    return [url.rstrip(".,;:") for url in _URL.findall(text)]


def _through(steps: Mapping[str, Step], text: str, words: Words) -> str:
    for step in steps.values():
        text = step(text, words)
    return text


def _pattern(pattern: str, instead: str, flags: int = re.IGNORECASE) -> Step:
    compiled = re.compile(pattern, flags)

    def step(text: str, words: Words) -> str:
        return compiled.sub(lambda match: _kept(match, words) or match.expand(instead), text)

    return step


def _kept(match: re.Match[str], words: Words) -> str | None:
    return match.group() if match.group().strip("'\"`.,;:()[] ") in words.public else None


def _traceback(text: str, words: Words) -> str:  # noqa: ARG001 - a step's signature
    for mark in patterns.TRACEBACKS:
        text = text.partition(mark)[0]
    return _FRAME.sub("", text).rstrip()


_FRAME: Final = re.compile(patterns.FRAME, re.MULTILINE)


def _embedded(text: str, words: Words) -> str:  # noqa: ARG001 - a step's signature
    """Replace an upstream's JSON, or the `repr` of a dict, in the text by the messages in it."""
    kept, rest = "", text
    for _ in range(OBJECTS):
        start = rest.find("{")
        found, end = _object(rest, start) if start >= 0 else (None, 0)
        if not isinstance(found, Mapping):
            break
        kept += rest[:start] + " ".join(dict.fromkeys(_messages(found)))
        rest = rest[end:]
    broken = _BROKEN.search(rest)
    rest = rest[: broken.start()] if broken else rest
    return f"{kept}{rest}".strip(" -") if kept or broken else rest


_BROKEN: Final = re.compile(r"\{\s*(?:'[^'\n]*'|\"[^\"\n]*\")\s*:")
"""An object that was cut off, or is not one: what it says cannot be separated from what it gives away."""


def _object(text: str, start: int) -> tuple[Any, int]:
    try:
        return json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        pass
    end = text.rfind("}") + 1
    try:
        return ast.literal_eval(text[start:end]), end
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None, end


def _messages(found: Any, depth: int = 0) -> list[str]:  # noqa: ANN401 - JSON of any shape
    if depth > DEEPEST:
        return []
    if isinstance(found, Mapping):
        texts = []
        for name in ("message", "error", "detail", "msg", "errors"):
            inner = found.get(name)
            texts += [inner] if isinstance(inner, str) else _messages(inner, depth + 1)
        return texts
    return [text for one in found for text in _messages(one, depth + 1)] if isinstance(found, list) else []


_URL: Final = re.compile(patterns.URL, re.IGNORECASE)


def _url(text: str, words: Words) -> str:  # noqa: ARG001 - a step's signature
    def instead(match: re.Match[str]) -> str:
        url = match.group().rstrip(".,;:")
        return PLACEHOLDER + match.group()[len(url) :]

    return _URL.sub(instead, text)


_PATH: Final = re.compile(patterns.PATH, re.IGNORECASE)
_ROUTE: Final = re.compile(patterns.ROUTE)


def _path(text: str, words: Words) -> str:
    def instead(match: re.Match[str]) -> str:
        bare = match.group().rstrip(".")
        return match.group() if _ROUTE.fullmatch(bare) or words.said(bare) else PLACEHOLDER

    return _PATH.sub(instead, text)


_IPV6: Final = re.compile(patterns.IPV6, re.IGNORECASE)


def _ipv6(text: str, words: Words) -> str:  # noqa: ARG001 - a step's signature
    def instead(match: re.Match[str]) -> str:
        try:
            ipaddress.IPv6Address(match.group(1))
        except ValueError:
            return match.group()
        return match.group() if match.group(1) == "::" else PLACEHOLDER

    return _IPV6.sub(instead, text)


_MODEL: Final = re.compile(patterns.MODEL, re.IGNORECASE)


def _model(text: str, words: Words) -> str:
    """What is called a model and quoted, unless clients know it by that name."""

    def instead(match: re.Match[str]) -> str:
        before, mark, quoted = match.groups()
        return match.group() if quoted in words.public else f"{before}{mark}{PLACEHOLDER}{mark}"

    return _MODEL.sub(instead, text)


def _providers(text: str, words: Words) -> str:
    """Names of providers, but for those in names of fields that the client's own request has."""

    def instead(match: re.Match[str]) -> str:
        if match.group() in words.public or _is_said(text, match, words):
            return match.group()
        return PLACEHOLDER

    return _provider_pattern(words.public).sub(instead, text)


_WORD: Final = re.compile(r"\w*")


def _is_said(text: str, match: re.Match[str], words: Words) -> bool:
    """Whether a name is a part of a longer word (`azure_ad_token`) that the client's request has."""
    end = _WORD.match(text, match.end())
    word = match.group() + (end.group() if end else "")
    return len(word) > len(match.group()) and words.said(word)


@functools.lru_cache(maxsize=8)
def _provider_pattern(public: frozenset[str]) -> re.Pattern[str]:
    """The names, and the public names that have one of them in it, which are stepped over."""
    around = {name for name in public if any(one in name.lower() for one in NAMES)}
    longest_first = sorted({*NAMES, *around}, key=lambda name: (-len(name), name))
    either = "|".join(re.escape(name) for name in longest_first)
    return re.compile(rf"(?<![A-Za-z0-9])(?:{either})(?![a-z0-9])", re.IGNORECASE)


def _named(*names: str) -> dict[str, Step]:
    return {name: _pattern(*PATTERNS[name]) for name in names}


WRAPPERS: Final[dict[str, Step]] = {
    "router": _pattern(patterns.ROUTER, "", re.DOTALL),
    "embedded": _embedded,
    "traceback": _traceback,
}
"""By name, in order: they read the text as it came, before any other redaction changes it."""
STEPS: Final[dict[str, Step]] = {
    **_named("value", "run"),
    "url": _url,
    **_named("mail", "arn", "field", "key", "credential", "account"),
    "path": _path,
    **_named("file", "address"),
    "ipv6": _ipv6,
    **_named("host"),
    "exception": _pattern(patterns.EXCEPTION, "", 0),
    "module": _pattern(patterns.MODULE, PLACEHOLDER, 0),
    **_named("version", "hardware"),
    "provider": _providers,
    "model": _model,
    **_named("family", "hub"),
}
"""By name, in order; a test switches each off and sees something get through."""
