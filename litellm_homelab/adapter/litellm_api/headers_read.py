"""Names of HTTP headers that LiteLLM's own source mentions, so that a new one is closed before it is read."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import litellm

SKIPPED: Final = frozenset({"__pycache__", "llms"})
"""Folders that read no request of a client: `llms` writes what goes to providers (LiteLLM 1.110.2)."""
QUOTED: Final = re.compile(rb"[\"']((?:x|litellm)-[a-z0-9-]*)[\"']", re.IGNORECASE)
"""A string that begins as LiteLLM's own headers do; one that ends with `-` is a prefix that it compares."""
STARTS: Final = (b'"x-', b'"X-', b"'x-", b"'X-", b'"litellm-', b"'litellm-", b'"LiteLLM-', b'"Litellm-')
"""How those begin. Searching for a fixed text is ten times as fast as a pattern over 30 MB of source."""
AFTER: Final = re.compile(
    rb"eaders\w*\)?(?:\.(?:get|pop|getlist)\(|\[)\s*f?[\"']([A-Za-z][A-Za-z0-9-]*)[\"']"
)
"""What follows the word in `headers.get("name")`, `headers["name"]`, `dict(headers).get("name")`."""
BEFORE: Final = re.compile(rb"[\"']([A-Za-z][A-Za-z0-9-]*)[\"'] (?:not )?in [\w.]*$")
"""What precedes it in `"name" in request.headers`."""
DEPENDENCY: Final = re.compile(rb"(\w+)\s*:[^=\n]*=\s*(?:\w+\.)?$")
"""What precedes `Header(` in a route's parameters: FastAPI takes the header of that name."""
ALIAS: Final = re.compile(rb"Header\([^)]*alias=[\"']([A-Za-z0-9-]+)[\"']")
CONSTANT: Final = re.compile(rb"HEADER\w*(?::[^=\n]*)?\s*=\s*[\"']([A-Za-z][A-Za-z0-9-]*)[\"']")
MEMBERS: Final = re.compile(rb"[\"']([A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)+)[\"']")
COLLECTION: Final = re.compile(rb"HEADER\w*(?::[^=\n]*)?\s*=\s*(?:\w+\()?\s*[\[({]([^\])}]{0,4000})[\])}]")
"""Names in `SOME_HEADERS = ("name", ...)`."""
NEAR: Final = 160
"""Bytes around a word that are looked at."""


@functools.cache
def names() -> frozenset[str]:
    """
    Headers that the installed LiteLLM names, in lower case; read once in a process, in about half a second.

    What is found is more than what it reads of requests: its own answers' headers and providers' are among
    them. A name that LiteLLM puts together at run time is not found; where it begins with `x-litellm-` it is
    closed in any case (`unreviewed.closed_headers`).
    """
    return frozenset(in_folder(Path(str(litellm.__file__)).parent))


def in_folder(root: Path) -> Iterator[str]:
    """Those of a source tree."""
    pending = [root]
    while pending:
        for path in pending.pop().iterdir():
            if path.suffix == ".py":
                yield from in_source(path.read_bytes())
            elif path.name not in SKIPPED and path.is_dir():
                pending.append(path)


def in_source(source: bytes) -> Iterator[str]:
    """Those of a module's source."""
    for name in _in_source(source):
        yield name.decode().lower().replace("_", "-")


def _in_source(source: bytes) -> Iterator[bytes]:
    for start in STARTS:
        for place in _places(source, start):
            found = QUOTED.match(source, place)
            if found:
                yield found[1]
    for place in _places(source, b"eaders"):
        yield from _one(AFTER.match(source, place))
        yield from _one(BEFORE.search(source[max(0, place - NEAR) : place].removesuffix(b"h")))
    for place in _places(source, b"Header("):
        yield from _one(DEPENDENCY.search(source[max(0, place - NEAR) : place]))
        yield from _one(ALIAS.match(source, place))
    for place in _places(source, b"HEADER"):
        yield from _one(CONSTANT.match(source, place))
        collection = COLLECTION.match(source, place)
        if collection:
            yield from MEMBERS.findall(collection[1])


def _one(found: re.Match[bytes] | None) -> Iterator[bytes]:
    if found:
        yield found[1]


def _places(source: bytes, word: bytes) -> Iterator[int]:
    place = source.find(word)
    while place >= 0:
        yield place
        place = source.find(word, place + 1)
