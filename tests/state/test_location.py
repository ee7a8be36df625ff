"""A store that cannot be opened says why."""

from __future__ import annotations

import sys

import pytest

from litellm_homelab.state import Location, StateUnavailable, connect


def test_a_missing_redis_client_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the redis package the error says how to install it."""
    monkeypatch.delitem(sys.modules, "litellm_homelab.state.redis", raising=False)
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(StateUnavailable, match=r"pip install 'litellm-homelab\[redis\]'"):
        connect(Location("redis", "redis://127.0.0.1:6379/0"))
