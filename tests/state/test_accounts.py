"""Accounts in every store: changed in one step, exact among processes, also when one is killed."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import time
import uuid
from pathlib import Path

import pytest

from litellm_homelab.state import Location, Store, connect, parse
from litellm_homelab.state import account as accounts
from litellm_homelab.state.account import Account, Accounts, Use
from tests.state.backends import PROCESS_SHARED, free_port, redis_server
from tests.state.workers import LIMIT, SPENT, in_processes, spend, spend_until_killed

LEASE = 60_000


@pytest.fixture
def name() -> str:
    """An account that no other test uses: Redis is shared by the session."""
    return uuid.uuid4().hex


async def take(store: Store, owner: str, *uses: Use) -> bool:
    """Reserve in one step."""

    def work(found: Accounts, now: int) -> tuple[bool, Accounts]:
        done = accounts.reserve(found, uses, owner, "main", 0.0, now, now + LEASE)
        return done.is_granted, done.accounts

    return await store.change([use.account for use in uses], work)


def begin(location: Location) -> None:
    """Empty the account that the processes of a test spend: Redis is shared by the session."""

    async def empty() -> None:
        store = connect(location)
        await store.change([SPENT.account], lambda found, now: (None, {SPENT.account: Account()}))
        await store.close()

    asyncio.run(empty())


async def test_all_accounts_or_none(store: Store, name: str) -> None:
    """Where the second account has no room, nothing is counted in the first."""
    one, two = Use(f"{name}1", "requests/day", (0,), 5, 1), Use(f"{name}2", "requests/day", (0,), 1, 1)
    assert [await take(store, f"w:{number}", one, two) for number in range(3)] == [True, False, False]
    found = await store.change(["x", one.account, two.account], lambda found, now: (found, {}))
    assert [found[use.account].total(use.keys) for use in (one, two)] == [1, 1]
    assert found["x"] == Account()


async def test_a_failed_change_changes_nothing(store: Store, name: str) -> None:
    """What raises leaves the account as it was, and the next change goes on."""

    def fails(found: Accounts, now: int) -> tuple[None, Accounts]:
        raise LookupError

    with pytest.raises(LookupError):
        await store.change([name], fails)
    assert await take(store, "w:1", Use(name, "requests/day", (0,), 1, 1))


@pytest.mark.parametrize("location", PROCESS_SHARED, indirect=True)
def test_processes_spend_exactly_the_limit(location: Location) -> None:
    """Four processes with 64 tasks each ask for more than there is: no more and no less is granted."""
    begin(location)
    granted = in_processes(4, spend, location)
    assert sum(granted) == LIMIT
    assert all(granted)


@pytest.mark.parametrize("location", PROCESS_SHARED, indirect=True)
def test_a_killed_process_takes_no_more_than_was_in_flight(location: Location, tmp_path: Path) -> None:
    """After kill -9 the others spend what is left; what the dead one had not sent comes back."""
    begin(location)
    spawn = multiprocessing.get_context("spawn")
    sent = tmp_path / "sent"
    victim = spawn.Process(target=spend_until_killed, args=(location, str(sent)))
    victim.start()
    give_up_at = time.monotonic() + 30
    while not sent.exists() or sent.stat().st_size < 100:
        assert time.monotonic() < give_up_at
        time.sleep(0.005)
    os.kill(victim.pid or 0, signal.SIGKILL)
    victim.join(10)
    time.sleep(1.1)  # its leases are of one second
    granted = sum(in_processes(3, spend, location))
    left = sent.stat().st_size
    assert granted + left <= LIMIT
    assert granted + left >= LIMIT - 64


@pytest.mark.real
async def test_a_redis_that_was_restarted_empty_gets_the_counts_back(tmp_path: Path) -> None:
    """Each worker restores its own: together they are granted what they would have been without it."""
    port, use = free_port(), Use("quota", "requests/day", (0,), 50, 1)
    workers = {name: Account() for name in "ab"}

    async def once(store: Store, worker: str, number: int) -> bool:
        def work(found: Accounts, now: int) -> tuple[tuple[bool, Account], Accounts]:
            account, known = found["quota"], workers[worker]
            if account.has_lost(known, worker):
                account = account.merged(known, worker)
            owner = f"{worker}:{number}"
            done = accounts.reserve({"quota": account}, [use], owner, "", 0.0, now, now + LEASE)
            if done.is_granted:
                done = accounts.send(done.accounts, [use], owner, now, now + LEASE, settles=False)
            return (done.is_granted, done.accounts["quota"]), done.accounts

        granted, workers[worker] = await store.change(["quota"], work)
        return granted

    granted = 0
    for begin in (0, 30):
        with redis_server(tmp_path, port) as url:
            store = connect(parse(url, tmp_path))
            for number in range(begin, begin + 30 * (1 + begin // 30)):
                granted += await once(store, "ab"[number % 2], number)
            await store.close()
    assert granted == 50
