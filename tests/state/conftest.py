"""The stores of these tests."""

from tests.state.backends import location, redis_url, store

__all__ = ["location", "redis_url", "store"]
