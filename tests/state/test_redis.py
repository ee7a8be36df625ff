"""Redis: what is lost or unreachable is told, never guessed."""

from __future__ import annotations

import asyncio
import socket
import uuid
from pathlib import Path

import pytest
from redis.asyncio import Redis

from litellm_homelab.state import Entry, StateUnavailable
from litellm_homelab.state.redis import MAX_CONNECTIONS, NAMESPACE, RedisStore
from tests.state.backends import free_port, redis_server


async def test_an_unreachable_server_is_told_without_its_password() -> None:
    """The error names the server and what to look at, and keeps the password of the URL to itself."""
    port = free_port()
    store = RedisStore(f"redis://someone:hunter2@127.0.0.1:{port}/0")
    problem = r"the server cannot be reached \(Connection refused\)\. Is Redis running"
    with pytest.raises(StateUnavailable, match=rf"^state redis://127\.0\.0\.1:{port}/0: {problem}") as told:
        await store.create("one", Entry(), 60)
    assert "hunter2" not in str(told.value)


@pytest.mark.real
async def test_a_restarted_server_is_found_again(tmp_path: Path) -> None:
    """While Redis is away every operation says so; once it is back, what it forgot is unknown."""
    port = free_port()
    with redis_server(tmp_path, port) as url:
        store = RedisStore(url)
        await store.create("one", Entry({"limit": 1}), 60)
    with pytest.raises(StateUnavailable):
        await store.take("one", "used", "limit", ())
    with redis_server(tmp_path, port):
        assert await store.take("one", "used", "limit", ()) is None
        assert await store.create("one", Entry(), 60)
        await store.close()


@pytest.mark.real
def test_a_port_that_another_server_has_is_no_redis_of_ours(tmp_path: Path) -> None:
    """A test fails then; with the other server it would count what other tests count."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        taken = redis_server(tmp_path, port)
        with pytest.raises(pytest.fail.Exception, match=f"did not listen on port {port}"), taken:
            pass


@pytest.mark.real
async def test_keys_are_ours(redis_url: str) -> None:
    """Every key begins with our namespace and carries an expiry."""
    store, client, key = RedisStore(redis_url), Redis.from_url(redis_url), uuid.uuid4().hex
    await store.create(key, Entry(), 60)
    assert 0 < await client.pttl(NAMESPACE + key) <= 60_000
    assert await client.exists(key) == 0
    await client.aclose()
    await store.close()


@pytest.mark.real
async def test_a_burst_waits_for_a_connection(redis_url: str) -> None:
    """Far more tasks at once than connections are all served."""
    store, key, tasks = RedisStore(redis_url), uuid.uuid4().hex, 20 * MAX_CONNECTIONS
    await store.create(key, Entry(), 60)
    await asyncio.gather(*(store.add(key, {"used": 1}) for _ in range(tasks)))
    assert await store.read(key) == Entry({"used": tasks})
    await store.close()


@pytest.mark.real
async def test_a_cancelled_task_leaves_no_answer_behind(redis_url: str) -> None:
    """After tasks were cancelled in the middle, every other one still gets its own answer."""
    store, keys = RedisStore(redis_url), [uuid.uuid4().hex for _ in range(40)]
    for key in keys:
        await store.create(key, Entry({}, {"key": key}), 60)
    cancelled = [asyncio.create_task(store.read(key)) for key in keys]
    await asyncio.sleep(0.001)
    for task in cancelled:
        task.cancel()
    read = await asyncio.gather(*(store.read(key) for key in keys))
    assert [entry and entry.marks["key"] for entry in read] == keys
    await store.close()
