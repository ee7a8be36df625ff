"""How often one address may try to log in; times are monotonic seconds."""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict, deque
from typing import Final

MOST: Final = 10
"""Failures of one address within `SECONDS`."""
SECONDS: Final = 60.0
ADDRESSES: Final = 1024
"""Addresses that are remembered: those that failed last."""


class Tries:
    """Counts failed logins of this worker by address; a network of IPv6 (/64) is one address."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, address: str, now: float) -> int:
        """Seconds until an address may try again; 0 where it may now."""
        failed = self._failures.get(_network(address))
        if failed is None or len(failed) < MOST or now - failed[0] >= SECONDS:
            return 0
        return max(1, math.ceil(SECONDS - (now - failed[0])))

    def failed(self, address: str, now: float) -> None:
        """A login of an address failed."""
        name = _network(address)
        self._failures.setdefault(name, deque(maxlen=MOST)).append(now)
        self._failures.move_to_end(name)
        while len(self._failures) > ADDRESSES:
            self._failures.popitem(last=False)


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((found, 64), strict=False))
