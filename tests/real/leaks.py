"""What an answer must not say, and where it could say it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote, urlsplit

import httpx

ENCODED = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
DEPLOYMENT_ID = re.compile(r"\b[0-9a-f]{64}\b")
"""What LiteLLM makes of a deployment's settings when it has no id of its own."""


def secrets(environ: Mapping[str, str], groups: Iterable[str], public: Iterable[str]) -> frozenset[str]:
    """
    Every word that names an upstream: models, addresses, and `groups` (internal names, deployment ids).

    `public` are the names that clients use: a model that is called like its handle is no secret.
    """
    shown = [name.lower() for name in public]
    words = {word.lower() for word in (*_models(environ), *_addresses(environ), *groups)}
    return frozenset(word for word in words if not any(word in name for name in shown))


def _models(environ: Mapping[str, str]) -> Iterator[str]:
    for name, value in environ.items():
        if name.endswith("_MODEL") and value:
            yield from (value, value.partition("/")[2], value.rpartition("/")[2])


def _addresses(environ: Mapping[str, str]) -> Iterator[str]:
    yield from ("127.0.0.1", "localhost")
    for name, value in environ.items():
        if name.endswith("_API_BASE") and value:
            yield from (value, urlsplit(value).netloc)


def found(answer: httpx.Response, words: Iterable[str]) -> list[str]:
    """The words that an answer says: in its status line, headers, body, or in what an id of it encodes."""
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers.multi_items())
    plain = f"{answer.reason_phrase}\n{head}\n{answer.text}"
    texts = [plain.lower(), unquote(plain).lower(), *(text.lower() for text in decoded(plain))]
    said = {word for word in words if any(word in text for text in texts)}
    return sorted(said | set(DEPLOYMENT_ID.findall(texts[0])))


def decoded(text: str) -> Iterator[str]:
    """Everything in a text that is base64, whole or after a prefix such as `resp_` or `file-`, decoded."""
    for token in set(ENCODED.findall(text)):
        for start in {0, *(mark.end() for mark in re.finditer(r"[-_]", token))}:
            yield _decode(token[start:])


def _decode(text: str) -> str:
    plain = text.rstrip("=").translate(str.maketrans("+/", "-_"))
    try:
        return base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4)).decode("utf-8", "ignore")
    except (binascii.Error, ValueError):
        return ""
