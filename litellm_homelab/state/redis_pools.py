"""
Pools in Redis: the scripts that do what `pool.Pool` does.

A pool is one JSON text, as `pool.written` writes it; the clock is Redis's own, so that machines need not
agree. Its key expires with the last of its leases and waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from litellm_homelab.state.pool import Claim

_COMMON: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function read(key)
  local text = redis.call('GET', key)
  local pool = text and cjson.decode(text) or {held = {}, waiting = {}, ticket = 0}
  for _, part in ipairs({'held', 'waiting'}) do
    for owner, one in pairs(pool[part]) do
      if one[1] <= now then pool[part][owner] = nil end
    end
  end
  return pool
end
local function write(key, pool)
  local last = 0
  for _, part in ipairs({'held', 'waiting'}) do
    for _, one in pairs(pool[part]) do last = math.max(last, one[1]) end
  end
  if last <= now then redis.call('DEL', key) return end
  redis.call('SET', key, cjson.encode(pool), 'PX', last - now)
end
"""
_LEASE: Final = """
local owner, till = ARGV[1], now + ARGV[2]
local pools, room, place = {}, true, true
for i, key in ipairs(KEYS) do
  local limit, amount, rank, length = unpack(ARGV, 4 * i - 1, 4 * i + 2)
  limit, amount, rank, length = tonumber(limit), tonumber(amount), tonumber(rank), tonumber(length)
  local pool = read(key)
  local own = pool.waiting[owner]
  if not pool.held[owner] then
    local ticket, taken, number = own and own[3] or pool.ticket, amount, 0
    for _, one in pairs(pool.held) do taken = taken + one[2] end
    for _, one in pairs(pool.waiting) do
      number = number + 1
      if one[2] < rank or (one[2] == rank and one[3] < ticket) then taken = taken + one[4] end
    end
    room = room and taken <= limit
    place = place and (own ~= nil or number < length)
  end
  pools[i] = {pool, amount, rank}
end
for i, key in ipairs(KEYS) do
  local pool, amount, rank = unpack(pools[i])
  if room then
    local own = pool.held[owner]
    pool.waiting[owner], pool.held[owner] = nil, {till, own and own[2] or amount}
  elseif place then
    local own = pool.waiting[owner]
    if own then
      own[1] = till
    else
      pool.waiting[owner] = {till, rank, pool.ticket, amount}
      pool.ticket = pool.ticket + 1
    end
  else
    pool.waiting[owner], pool.held[owner] = nil, nil
  end
  write(key, pool)
end
return room and 'granted' or place and 'waiting' or 'full'
"""
_RENEW: Final = """
for _, key in ipairs(KEYS) do
  local pool = read(key)
  for i = 2, #ARGV do
    if pool.held[ARGV[i]] then pool.held[ARGV[i]][1] = now + ARGV[1] end
    if pool.waiting[ARGV[i]] then pool.waiting[ARGV[i]][1] = now + ARGV[1] end
  end
  write(key, pool)
end
"""
_RELEASE: Final = """
for _, key in ipairs(KEYS) do
  local pool = read(key)
  pool.held[ARGV[1]], pool.waiting[ARGV[1]] = nil, nil
  write(key, pool)
end
"""
_POOL: Final = "return cjson.encode(read(KEYS[1]))"
SCRIPTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "lease": _COMMON + _LEASE,
        "renew": _COMMON + _RENEW,
        "release": _COMMON + _RELEASE,
        "pool": _COMMON + _POOL,
    }
)
"""Scripts by the name of the store's method."""


def arguments(claims: Sequence[Claim]) -> Iterator[int]:
    """What the script `lease` is given of each claim."""
    for one in claims:
        yield from (one.limit, one.amount, one.rank, one.length)
