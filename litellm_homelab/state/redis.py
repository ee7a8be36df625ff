"""
Entries in Redis: for several machines.

Each change is one Lua script, which Redis runs alone: the check and the count cannot be torn apart. A command
is never repeated by the client, since the first one may have counted. An entry that Redis loses (eviction, a
restart, a replica that took over too early) is like one that expired: whoever needs it is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from litellm_homelab.state import account as accounts
from litellm_homelab.state import pool as pools
from litellm_homelab.state import redis_pools
from litellm_homelab.state.entry import Entry, Taken
from litellm_homelab.state.errors import Cause, StateUnavailable
from litellm_homelab.state.pool import Claim, Claimed, Pool
from litellm_homelab.state.redis_errors import cause_of, detail_of
from litellm_homelab.state.texts import Texts

if TYPE_CHECKING:
    from redis.commands.core import AsyncScript

    from litellm_homelab.state.store import Change

T = TypeVar("T")
NAMESPACE = "homelab:"
"""What every key of ours begins with, so that the database may be shared with LiteLLM's own cache."""

TIMEOUT_SECONDS = 10.0
"""For connecting, for an answer, and for a free connection: each; it is a worker's own time that counts."""

MAX_CONNECTIONS = 128
"""
About as many as one worker has requests under way.

A round trip takes several turns of its event loop, and with 100 requests on it a turn takes up to a second:
of 200 at once on two workers with 16 connections and 2 s, most were refused for a Redis that was well
(measured on LiteLLM 1.106.2).
"""

# One hash per entry. Field names begin with c (counter) or m (mark); `_` keeps one that has neither in being.
_CREATE = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], '_', '', unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
"""
_TAKE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local count = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or 0)
local granted = count < tonumber(redis.call('HGET', KEYS[1], ARGV[2]) or 0)
for i = 3, #ARGV do
  granted = granted and redis.call('HEXISTS', KEYS[1], ARGV[i]) == 0
end
if granted then redis.call('HINCRBY', KEYS[1], ARGV[1], 1) end
return {granted and 1 or 0, redis.call('HGETALL', KEYS[1])}
"""
_ADD = """
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
for i = 1, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
return redis.call('HGETALL', KEYS[1])
"""
_MARK = """
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
if ARGV[3] and tonumber(ARGV[3]) < redis.call('PTTL', KEYS[1]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return redis.call('HGETALL', KEYS[1])
"""
_ACCOUNTS = """
local time = redis.call('TIME')
local found = {tostring(time[1] * 1000 + math.floor(time[2] / 1000))}
for i, key in ipairs(KEYS) do found[i + 1] = redis.call('GET', key) or '' end
return found
"""
_EXCHANGE = """
for i, key in ipairs(KEYS) do
  if (redis.call('GET', key) or '') ~= ARGV[i] then return 0 end
end
for i, key in ipairs(KEYS) do redis.call('SET', key, ARGV[#KEYS + i]) end
return 1
"""
_READ = """
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
return redis.call('HGETALL', KEYS[1])
"""


class RedisStore:
    """One Redis database; connections are opened on first use, so after any fork."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._changing = asyncio.Lock()
        self._accounts = Texts(accounts.read, accounts.written)
        parts = urlsplit(url)
        self._where = f"redis://{parts.hostname}:{parts.port or 6379}{parts.path}"  # without the password

    async def create(self, key: str, entry: Entry, ttl: float) -> bool:
        """Create an entry (`Store.create`)."""
        return await self._run("create", key, _milliseconds(ttl), *_fields(entry)) == 1

    async def take(self, key: str, counter: str, limit: str, unless: Collection[str]) -> Taken | None:
        """Check and count one more (`Store.take`)."""
        marks = (f"m{name}" for name in unless)
        answer = await self._run("take", key, f"c{counter}", f"c{limit}", *marks)
        if answer is None:
            return None
        granted, fields = cast("tuple[int, list[str]]", answer)
        return Taken(self._entry(fields), granted=granted == 1)

    async def add(self, key: str, amounts: Mapping[str, int]) -> Entry | None:
        """Add to several counters in one step (`Store.add`)."""
        return self._entry_or_none(await self._run("add", key, *_fields(Entry(amounts))))

    async def mark(self, key: str, name: str, text: str, keep: float | None = None) -> Entry | None:
        """Set a mark unless it is set (`Store.mark`)."""
        lifetime = () if keep is None else (_milliseconds(keep),)
        return self._entry_or_none(await self._run("mark", key, f"m{name}", text, *lifetime))

    async def read(self, key: str) -> Entry | None:
        """Return the entry as it is now (`Store.read`)."""
        return self._entry_or_none(await self._run("read", key))

    async def lease(self, claims: Sequence[Claim], owner: str, seconds: float) -> Claimed:
        """Take a lease of several pools (`Store.lease`)."""
        names = [_pool_key(one.pool) for one in claims]
        given = redis_pools.arguments(claims)
        answer = await self._run_on("lease", names, owner, _milliseconds(seconds), *given)
        return Claimed(cast("str", answer))

    async def renew(self, pools: Collection[str], owners: Collection[str], seconds: float) -> None:
        """Prolong what these owners have (`Store.renew`)."""
        await self._run_on("renew", [*map(_pool_key, pools)], _milliseconds(seconds), *owners)

    async def release(self, pools: Collection[str], owner: str) -> None:
        """Give back what the owner has (`Store.release`)."""
        await self._run_on("release", [*map(_pool_key, pools)], owner)

    async def pool(self, name: str) -> Pool:
        """Return a pool as it is now (`Store.pool`)."""
        text = cast("str", await self._run_on("pool", [_pool_key(name)]))
        try:
            return pools.read(text)
        except ValueError as error:  # another program wrote to our key
            raise StateUnavailable(self._where, Cause.DAMAGED, type(error).__name__) from error

    async def change(self, names: Collection[str], change: Change[T]) -> T:
        """
        Change several accounts in one step (`Store.change`).

        They are written if they are still what was read, and else read again; of one worker one at a time
        tries, so that among some workers each soon has its turn.
        """
        keys = [f"account:{name}" for name in names]
        async with self._changing:
            while True:
                now, *texts = cast("list[str | None]", await self._run_on("accounts", keys))
                try:
                    known = {
                        name: self._accounts.read(name, text or None)
                        for name, text in zip(names, texts, strict=True)
                    }
                except ValueError as error:  # another program wrote to our key
                    raise StateUnavailable(self._where, Cause.DAMAGED, type(error).__name__) from error
                answer, changed = change(known, int(now or 0))
                if all(changed.get(name, one) == one for name, one in known.items()):
                    return answer
                new = [self._accounts.written(name, changed.get(name, one)) for name, one in known.items()]
                old = [text or "" for text in texts]
                if await self._run_on("exchange", keys, *old, *new) == 1:
                    return answer

    async def close(self) -> None:
        """Close the connections (`Store.close`)."""
        await self._client.aclose()
        await self._client.connection_pool.disconnect()

    @cached_property
    def _client(self) -> Redis:
        # Blocking: with the ordinary pool a burst of more requests than connections is an error.
        pool = BlockingConnectionPool.from_url(
            self._url,
            max_connections=MAX_CONNECTIONS,
            timeout=TIMEOUT_SECONDS,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
            encoding_errors="surrogatepass",  # a mark may hold any text
        )
        return Redis(connection_pool=pool)

    @cached_property
    def _scripts(self) -> Mapping[str, AsyncScript]:
        sources = {"create": _CREATE, "take": _TAKE, "add": _ADD, "mark": _MARK, "read": _READ}
        sources |= {"accounts": _ACCOUNTS, "exchange": _EXCHANGE, **redis_pools.SCRIPTS}
        return {name: self._client.register_script(source) for name, source in sources.items()}

    async def _run(self, script: str, key: str, *args: str | int) -> object:
        return await self._run_on(script, [key], *args)

    async def _run_on(self, script: str, keys: Sequence[str], *args: str | int) -> object:
        try:
            return await self._scripts[script](keys=[NAMESPACE + key for key in keys], args=args)
        except (RedisError, OSError, ValueError) as error:  # ValueError: a value that is not ours, not UTF-8
            raise StateUnavailable(self._where, cause_of(error), detail_of(error)) from error

    def _entry_or_none(self, answer: object) -> Entry | None:
        return None if answer is None else self._entry(cast("list[str]", answer))

    def _entry(self, fields: Sequence[str]) -> Entry:
        try:
            return _entry(fields)
        except ValueError as error:  # another program wrote to our key
            raise StateUnavailable(self._where, Cause.DAMAGED, type(error).__name__) from error


def _pool_key(name: str) -> str:
    return f"pool:{name}"


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _fields(entry: Entry) -> Iterator[str | int]:
    for counter, value in entry.counters.items():
        yield from (f"c{counter}", value)
    for name, text in entry.marks.items():
        yield from (f"m{name}", text)


def _entry(fields: Sequence[str]) -> Entry:
    pairs = list(zip(fields[::2], fields[1::2], strict=True))
    counters = {name[1:]: int(value) for name, value in pairs if name.startswith("c")}
    return Entry(counters, {name[1:]: text for name, text in pairs if name.startswith("m")})
