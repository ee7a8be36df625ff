"""
Hops: the (gateway, group) pairs that a request has passed, in the header `x-homelab-hop`.

Each gateway adds its own pair to every attempt at a backend that is not a cloud's, so a request that comes
back to where it has been is known by the pair that would be repeated, whatever is in between: a second
gateway, a reverse proxy, another LiteLLM. docs/loop-protocol.md is the specification.
"""

from __future__ import annotations

import base64
import functools
import hmac
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from litellm_homelab import refusals
from litellm_homelab.config import wildcards
from litellm_homelab.decision import Allow, Refuse

HEADER: Final = "x-homelab-hop"
MOST: Final = 16
"""Most pairs of one request (the contract, "Lineage"): more is a loop through ever new gateways."""

_PAIR: Final = re.compile(r"[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{1,64}")
_LONGEST: Final = 4 * MOST * 131
"""Characters of a header that are read at all: four times as many pairs of the longest kind as may be."""
_PURPOSE: Final = b"litellm-homelab hop 1 "
_OPAQUE_BYTES: Final = 10
"""80 bits, which base32 writes as 16 characters."""

Hops: TypeAlias = tuple[str, ...]
"""Pairs in the order in which they were passed, each as `gateway.group`."""


@dataclass(frozen=True, slots=True)
class GatewayIdentity:
    """
    Who this gateway is to others: opaque, and the same in all of its workers and after a restart.

    It is derived from `secret` and from where the models of router.yaml lead (`routes`). So two processes of
    one gateway, behind a balancer or as workers, are one; and two gateways in a row that share a secret are
    two, since the first leads to the second and the second leads elsewhere.
    """

    key: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: str, routes: Iterable[Sequence[str]]) -> GatewayIdentity:
        """Derive it; `routes` are (group, model, addresses...) of each deployment, in any order."""
        text = json.dumps(sorted([*one] for one in routes), ensure_ascii=True)
        signing = hmac.digest(secret.encode("utf-8", "surrogateescape"), _PURPOSE, "sha256")
        return cls(hmac.digest(signing, text.encode("ascii"), "sha256"))

    def pair(self, group: str) -> str:
        """Return the pair of this gateway and a group."""
        return _pair(self.key, group)

    def pairs(self, asked: str | None, group: str | None) -> Hops:
        """
        Return the pairs of an attempt at `group` for a request that asked for `asked`.

        A fallback adds both: a request that comes back for the name that it had here is its own ancestor,
        whichever group it left from. A wildcard group counts by the concrete name that was asked for.
        """
        names = [name for name in (asked, group) if name is not None]
        if asked is not None and group is not None and wildcards.is_wildcard(group):
            names = [asked]
        return tuple(self.pair(name) for name in dict.fromkeys(names))


@functools.lru_cache(maxsize=1024)
def _pair(key: bytes, group: str) -> str:
    """One pair; the same few come with every request."""
    return f"{_opaque(key, 'gateway')}.{_opaque(key, f'group {group}')}"


def _opaque(key: bytes, what: str) -> str:
    digest = hmac.digest(key, what.encode("utf-8", "surrogatepass"), "sha256")
    return base64.b32encode(digest[:_OPAQUE_BYTES]).decode("ascii").lower()


def read(values: Sequence[str]) -> Hops | None:
    """
    Read the values of the header, one for each line of it; None where it is malformed.

    Elements are separated by commas and optional spaces, empty ones do not count (RFC 9110, section 5.6.1).
    """
    if sum(map(len, values)) > _LONGEST:
        return None
    pairs = [one.strip(" \t") for value in values for one in value.split(",")]
    found = tuple(one for one in pairs if one)
    return found if all(_PAIR.fullmatch(one) for one in found) else None


def joined(*lists: Hops) -> Hops:
    """Return the pairs of several lists in order, each once."""
    return tuple(dict.fromkeys(pair for one in lists for pair in one))


def decide(seen: Hops | None, own: Hops, *, to_child: bool) -> Allow | Refuse:
    """
    Decide whether a request that has passed `seen` may pass `own`; `seen` is None for a malformed header.

    A header with a pair twice has gone round already, at a gateway that did not look.
    """
    if seen is None:
        return refusals.hops_malformed(to_child=to_child)
    if len(set(seen)) < len(seen) or not set(own).isdisjoint(seen):
        return refusals.came_back(to_child=to_child)
    if len(seen) + len(own) > MOST:
        return refusals.too_many_hops(MOST, to_child=to_child)
    return Allow()


def written(hops: Hops) -> str:
    """Return the value of the header."""
    return ", ".join(hops)
