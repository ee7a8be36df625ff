"""Ids in which LiteLLM has hidden the name or the deployment id of a model."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from functools import lru_cache

MARKS = ("model,", "model_id:", "model_id,")
"""
How LiteLLM 1.106.2 writes it, below base64: `litellm:<id>;model,<name>` (files, batches),
`...model_id:<deployment id>;...` (responses, videos, containers, batches), `...;model_id,<deployment id>`
(managed resources).
"""
LIST = "target_model_names,"
"""The same for several names: `...;target_model_names,<a>,<b>` (managed files, vector stores)."""
OTHER = "unified_id,"
"""
Start of the second part of LiteLLM's own managed ids.

As a response's id LiteLLM would take that part for a deployment, but no deployment has such an id.
"""
ITEM, CONTENT = "encitem_", "litellm_enc:"
"""An output item's id, and encrypted content: in front of `;` there is the deployment, by itself."""
PREFIXES = ("resp_", "video_", "cntr_", "character_", "encitem_", "file-", "batch_")
"""LiteLLM takes some of them out wherever they are, others at the start only (read from 1.106.2)."""
ALPHABETS = (b"+/", b"-_")
KIND = re.compile(r"[A-Za-z]+[-_]")
REMEMBERED_LENGTH = 256
"""Longest text that is remembered, so that 1024 of them are no more than a few hundred kilobytes."""


def names_in(encoded: object) -> tuple[str, ...]:
    """
    Model names and deployment ids that an id carries, in order; empty for an ordinary id.

    It reads whatever any of LiteLLM's decoders reads, or more. They skip characters that are not base64
    (measured on LiteLLM 1.106.2), so that one id can be written in many ways.
    """
    if not isinstance(encoded, str):
        return ()
    return _remembered(encoded) if len(encoded) <= REMEMBERED_LENGTH else _read(encoded)


def _read(encoded: str) -> tuple[str, ...]:
    names = dict.fromkeys(_spellings(encoded))
    return tuple(name for name in names if name and name != "None")


def _spellings(encoded: str) -> Iterator[str]:
    """Each name as LiteLLM reads it, and without white space around it, as the router's lists have it."""
    for name in _all_names(encoded):
        yield name.strip()
        if name != name.strip() and name.strip():
            yield name


def _all_names(encoded: str) -> Iterator[str]:
    yield from _marked(encoded)
    for text in _decodings(encoded):
        yield from _marked(text)
        yield from _parts(text)
        if encoded.startswith(ITEM) and ";" in text:
            yield text.partition(";")[0].replace("litellm:model_id:", "")
    if encoded.startswith(CONTENT) and ";" in encoded:
        head = encoded.partition(";")[0].replace(CONTENT, "")
        for text in _decodings(head):
            yield text.replace("model_id:", "")


_remembered = lru_cache(maxsize=1024)(_read)
"""Parts of paths come with every request, the id of a stream with every chunk: 5 us each to read."""


def _marked(text: str) -> Iterator[str]:
    """
    What follows a mark, in each part between semicolons.

    Some decoders read to the end of the part and others to the next mark; none looks into a part twice.
    """
    for part in text.split(";"):
        if LIST in part:
            yield from (name.strip() for name in part.partition(LIST)[2].split(","))
        for mark in MARKS:
            if mark in part:
                yield part.partition(mark)[2]
                yield from part.split(mark)[1:]


def _parts(text: str) -> Iterator[str]:
    """The second of three parts is a deployment, marked or not; without one the first is the provider."""
    parts = text.split(";", 3)
    if len(parts) < 3 or parts[1].startswith(OTHER):
        return
    model = parts[1].replace("model_id:", "")
    without = not model.strip() or model == "None"
    yield parts[0].replace("litellm:custom_llm_provider:", "") if without else model


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
