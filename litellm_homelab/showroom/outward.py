"""Takes internal names and addresses out of texts."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

PLACEHOLDER = "upstream"


ORDINARY = re.compile(r"[A-Za-z]+")
"""
Names that are words: `spare`, `local`. In a sentence they may be meant as such, so that they are taken out
only where they are used as a name: quoted, or after `model=` and the like.
"""
FIELDS = frozenset(
    {"model", "models", "messages", "input", "prompt", "tools", "stream", "user", "file", "image", "content"}
    | {"role", "text", "name", "type"}
)
"""Words that are in quotes because they are fields of the APIs, whatever a group is called."""
CALLED = r"(?:model|model_name|model_id|model_group|group|deployment|deployment_id|fallback|alias)s?"
"""What a name follows, in LiteLLM's texts and in those of servers."""


@dataclass(frozen=True, slots=True)
class Scrubber:
    """Takes names and addresses of backends out of a text by an upstream or by LiteLLM."""

    pattern: re.Pattern[str] | None
    words: re.Pattern[str] | None = None
    public: frozenset[str] = frozenset()

    @classmethod
    def of(cls, names: Iterable[str], addresses: Iterable[str], public: Iterable[str]) -> Scrubber:
        """Build it from the names and addresses that must not be seen, less the names that clients use."""
        shown = frozenset(public)
        known, places = frozenset(names) - {""}, frozenset(addresses)
        words = frozenset(name for name in known if ORDINARY.fullmatch(name)) - places
        return cls(_pattern(known - words | places, shown), _word_pattern(words - shown), shown)

    def __call__(self, text: str) -> str:
        """The text with every name and address replaced by `upstream`."""
        if self.pattern is not None:
            text = self.pattern.sub(self._instead, text)
        return text if self.words is None else self.words.sub(self._word, text)

    def _instead(self, match: re.Match[str]) -> str:
        return match.group() if match.group() in self.public else PLACEHOLDER

    @staticmethod
    def _word(match: re.Match[str]) -> str:
        before, quoted = match.group("before"), match.group("quoted")
        if quoted and not before and quoted[1:-1] in FIELDS:
            return match.group()
        instead = f"{quoted[0]}{PLACEHOLDER}{quoted[-1]}" if quoted else PLACEHOLDER
        return f"{before or ''}{instead}"


@functools.lru_cache(maxsize=8)
def _pattern(words: frozenset[str], public: frozenset[str]) -> re.Pattern[str] | None:
    """
    Secrets, and the public names that have one inside them, which are stepped over.

    A secret is a whole word, in any case: `qwen` is not found in `qwen2.5`, but in `/srv/models/Qwen` and in
    `qwen:7b`.
    """
    secrets = words - public - {""}
    if not secrets:
        return None
    alone = _either(secrets)
    around = {name for name in public if alone.search(name)}
    return _either(secrets | around) if around else alone


def _either(words: frozenset[str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    either = "|".join(map(re.escape, longest_first))
    return re.compile(rf"(?<![A-Za-z0-9_.-])(?:{either})(?![A-Za-z0-9_]|[.-][A-Za-z0-9])", re.IGNORECASE)


@functools.lru_cache(maxsize=8)
def _word_pattern(words: frozenset[str]) -> re.Pattern[str] | None:
    """Ordinary words where they are used as names."""
    if not words:
        return None
    either = "|".join(sorted(words, key=lambda word: (-len(word), word)))
    quoted = "|".join(f"{mark}(?:{either}){mark}" for mark in "`'\"")
    return re.compile(
        rf"(?P<before>[\"'`]?\b{CALLED}[\"'`]?\s*[=:]\s*|\b(?:model group|group|deployment|fallback|alias) )?"
        rf"(?:(?P<quoted>{quoted})|(?(before)\b(?:{either})(?![\w-])|(?!)))"
    )


def address_words(api_base: str) -> Iterable[str]:
    """How an address shows up in error texts: whole, without the path, host and port, and the host alone."""
    if not api_base:
        return
    yield from {api_base, api_base.rstrip("/")}
    parts = urlsplit(api_base)
    if parts.netloc:
        yield f"{parts.scheme}://{parts.netloc}"
        yield parts.netloc
    if parts.hostname:
        yield parts.hostname


def model_words(model: str) -> Iterable[str]:
    """How a deployment's model shows up: with LiteLLM's provider prefix, without it, and its last part."""
    yield model
    if "/" in model:
        yield model.split("/", 1)[1]
        yield model.rsplit("/", 1)[1]
