"""What an exception of the Redis client means."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from litellm_homelab.state.errors import Cause

_CAUSES: Final[tuple[tuple[type[Exception], Cause], ...]] = (
    (AuthenticationError, Cause.CREDENTIALS),
    (AuthorizationError, Cause.CREDENTIALS),
    (NoPermissionError, Cause.CREDENTIALS),
    (BusyLoadingError, Cause.LOADING),
    (OutOfMemoryError, Cause.OUT_OF_MEMORY),
    (ReadOnlyError, Cause.READ_ONLY),
    (MasterDownError, Cause.LOADING),
    (RedisTimeoutError, Cause.TIMEOUT),
    (TimeoutError, Cause.TIMEOUT),
    (RedisConnectionError, Cause.UNREACHABLE),
    (OSError, Cause.UNREACHABLE),
    (UnicodeDecodeError, Cause.DAMAGED),
)
"""The first that fits: some of redis-py's exceptions derive from others."""
_ANSWERS: Final[Mapping[str, Cause]] = MappingProxyType(
    {
        "WRONGPASS": Cause.CREDENTIALS,
        "NOAUTH": Cause.CREDENTIALS,
        "NOPERM": Cause.CREDENTIALS,
        "OOM": Cause.OUT_OF_MEMORY,
        "MISCONF": Cause.DISK_FULL,
        "READONLY": Cause.READ_ONLY,
        "LOADING": Cause.LOADING,
        "WRONGTYPE": Cause.DAMAGED,
    }
)
"""The first word of Redis' error answers (https://redis.io/docs/latest/develop/reference/protocol-spec)."""


def cause_of(error: Exception) -> Cause:
    """
    What an exception of the Redis client means.

    Its own text is not used: it may quote arguments. A script's error has the code somewhere in its text.
    """
    for kind, cause in _CAUSES:
        if isinstance(error, kind):
            return cause
    if isinstance(error, ResponseError):
        if "DB index" in str(error):
            return Cause.NO_DATABASE
        words = str(error).replace("-", " ").split()
        return next((_ANSWERS[word] for word in words if word in _ANSWERS), Cause.OTHER)
    return Cause.OTHER


def detail_of(error: Exception) -> str:
    """The operating system's words for a lost connection, else the kind of exception."""
    below = error if isinstance(error, OSError) else error.__cause__ or error.__context__
    if isinstance(below, OSError) and below.errno:
        return os.strerror(below.errno) if below.errno > 0 else "the host name is not known"
    return type(error).__name__
