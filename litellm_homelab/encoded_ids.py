"""Ids in which LiteLLM has hidden the name or the deployment id of a model."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

MARKS = re.compile(r"(?:;model,|target_model_names,|model_id[:,])([^;]+)")
"""
How LiteLLM 1.106.2 writes it, after base64: `litellm:<id>;model,<name>` (files, batches),
`...;target_model_names,<a>,<b>` (managed files), `...model_id:<deployment id>;...` (responses, videos,
containers, batches).
"""
LONGEST = 8192
"""Longer ids are not LiteLLM's; the bound keeps a hostile one cheap."""
BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


def names_in(encoded: object) -> tuple[str, ...]:
    """Model names and deployment ids that an id carries, in order; empty for an ordinary id."""
    if not isinstance(encoded, str) or len(encoded) > LONGEST:
        return ()
    return tuple(
        name.strip()
        for text in _decodings(encoded)
        for group in MARKS.findall(text)
        for name in group.split(",")
        if name.strip() and name.strip() != "None"
    )


def _decodings(encoded: str) -> list[str]:
    """The id as it is and, after each possible prefix (`file-`, `batch_`, `resp_`, ...), decoded."""
    starts = {0, *(encoded.find(mark) + 1 for mark in "-_" if mark in encoded)}
    found = [encoded] if MARKS.search(encoded) else []
    for start in sorted(starts):
        text = _decode(encoded[start:])
        if text.startswith("litellm") or MARKS.search(text):
            found.append(text)
    return found


def _decode(text: str) -> str:
    if not BASE64.fullmatch(text):
        return ""
    plain = text.rstrip("=").translate(str.maketrans("+/", "-_"))
    try:
        return base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def opaque(encoded: str) -> str:
    """
    An id of the same kind that carries nothing: the prefix, then a digest of the whole.

    The same id always becomes the same, so that the events of one stream still agree.
    """
    prefix = re.match(r"[A-Za-z]+[-_]", encoded)
    return (prefix.group() if prefix else "") + hashlib.sha256(encoded.encode()).hexdigest()[:32]
