"""Reads `homelab.state`, without the stores: `check` imports none of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from litellm_homelab.config.wording import quoted

FORMS = "memory://, sqlite:///file.db, sqlite:////absolute/file.db, redis://host:port/db"
"""What `homelab.state` may be (the contract's `state`)."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,15}")
_FILE = re.compile(r"|[\w/-]+\.[a-z0-9]{2,7}")
"""What a message repeats: a scheme, or the name of a file; anything else may be a password."""

Kind: TypeAlias = Literal["memory", "sqlite", "redis"]


@dataclass(frozen=True, slots=True)
class Location:
    """Where counters live; `target` is a file for SQLite, a URL (it may hold a password) for Redis."""

    kind: Kind
    target: str = ""


def parse(url: str, base_dir: Path) -> Location:
    """
    Read a state URL; a relative file is relative to `base_dir`, the folder of router.yaml.

    Opens nothing. Raises ValueError with what is wrong and what is valid, never with the URL's password.
    """
    scheme, separator, rest = url.partition("://")
    if url == "memory://":
        return Location("memory")
    if separator and scheme == "sqlite":
        return Location("sqlite", str(base_dir / _sqlite_path(rest)))
    if separator and scheme == "redis":
        _check_redis(url)
        return Location("redis", url)
    harmless = (_SCHEME if separator else _FILE).fullmatch(scheme)
    given = f" {scheme + separator!r}" if harmless else ""
    raise ValueError(f"unknown store{given} (valid: {FORMS})")


def _sqlite_path(rest: str) -> str:
    path = rest.removeprefix("/")
    if path == rest or not path or path.endswith("/"):
        raise ValueError(
            f"{quoted(f'sqlite://{rest}')} names no file (valid: sqlite:///file.db, sqlite:////absolute/file.db)"
        )
    return path


def _check_redis(url: str) -> None:
    try:
        parts = urlsplit(url)
        complete = bool(parts.hostname) and parts.port is not None and parts.path[1:].isdecimal()
    except ValueError:  # brackets that do not match, a port that is no number or out of range
        complete = False
    if not complete or parts.query or parts.fragment:
        raise ValueError(
            "incomplete redis:// URL (valid: redis://host:port/db, with a number for port and db)"
        )
