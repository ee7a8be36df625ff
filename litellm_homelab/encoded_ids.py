"""Ids in which LiteLLM has hidden the name or the deployment id of a model."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from functools import lru_cache

MARKS = re.compile(r"(?:;model,|target_model_names,|model_id[:,])([^;]+)")
"""
How LiteLLM 1.106.2 writes it, below base64: `litellm:<id>;model,<name>` (files, batches),
`...;target_model_names,<a>,<b>` (managed files), `...model_id:<deployment id>;...` (responses, videos,
containers, batches).
"""
BARE = re.compile(r"[^;]*;([^;:,]+);")
"""LiteLLM takes the second part of a response's or a video's id for the deployment, marked or not."""
PREFIXES = ("resp_", "video_", "cntr_", "character_", "encitem_", "file-", "batch_")
"""LiteLLM takes some of them out wherever they stand, others at the start only (read from 1.106.2)."""
ALPHABETS = (b"+/", b"-_")
KIND = re.compile(r"[A-Za-z]+[-_]")
REMEMBERED_LENGTH = 256
"""Longest text that is remembered, so that 1024 of them are no more than a few hundred kilobytes."""


def names_in(encoded: object) -> tuple[str, ...]:
    """
    Model names and deployment ids that an id carries, in order; empty for an ordinary id.

    It reads whatever any of LiteLLM's decoders reads, or more. They skip characters that are no base64
    (measured on LiteLLM 1.106.2), so that one id can be written in many ways.
    """
    if not isinstance(encoded, str):
        return ()
    return _remembered(encoded) if len(encoded) <= REMEMBERED_LENGTH else _read(encoded)


def _read(encoded: str) -> tuple[str, ...]:
    found = (name.strip() for text in (encoded, *_decodings(encoded)) for name in _names(text))
    return tuple(dict.fromkeys(name for name in found if name and name != "None"))


_remembered = lru_cache(maxsize=1024)(_read)
"""Parts of paths come with every request, the id of a stream with every chunk: 5 us each to read."""


def _names(text: str) -> Iterator[str]:
    for group in MARKS.findall(text):
        yield from group.split(",")
    bare = BARE.match(text)
    if bare:
        yield bare.group(1)


def _decodings(encoded: str) -> Iterator[str]:
    for text in dict.fromkeys(_bodies(encoded)):
        raw = text.encode("utf-8", "ignore") + b"=="  # LiteLLM pads too; more than needed does no harm
        for alphabet in ALPHABETS:
            try:
                yield base64.b64decode(raw, altchars=alphabet).decode("utf-8")
            except ValueError:
                continue


def _bodies(encoded: str) -> Iterator[str]:
    """What may be the base64 in an id: all of it, and what is left without each prefix that it may have."""
    yield encoded
    kind = KIND.match(encoded)
    if kind:
        yield encoded[kind.end() :]
    for prefix in PREFIXES:
        if prefix in encoded:
            yield encoded.replace(prefix, "")


def opaque(encoded: str) -> str:
    """
    An id of the same kind that carries nothing: the prefix, then a digest of the whole.

    The same id always becomes the same, so that the events of one stream still agree.
    """
    kind = KIND.match(encoded)
    return (kind.group() if kind else "") + hashlib.sha256(encoded.encode("utf-8", "ignore")).hexdigest()[:32]
