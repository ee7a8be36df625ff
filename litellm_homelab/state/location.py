"""Opens the store that `homelab.state` names."""

from __future__ import annotations

from pathlib import Path

from litellm_homelab.config.state_url import Location
from litellm_homelab.state.errors import Cause, StateUnavailable
from litellm_homelab.state.store import Store


def connect(location: Location) -> Store:
    """Return the store, which connects on first use; StateUnavailable if the redis client is missing."""
    from litellm_homelab.state.memory import MemoryStore
    from litellm_homelab.state.sqlite import SqliteStore

    if location.kind == "memory":
        return MemoryStore()
    if location.kind == "sqlite":
        return SqliteStore(Path(location.target))
    return _connect_redis(location.target)


def _connect_redis(url: str) -> Store:
    try:
        from litellm_homelab.state.redis import RedisStore
    except ImportError as error:
        raise StateUnavailable("redis://", Cause.NO_CLIENT, str(error)) from error
    return RedisStore(url)
