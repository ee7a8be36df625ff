"""Children of one root, in processes of their own: functions of a module that `spawn` can import."""

from __future__ import annotations

import asyncio

from litellm_homelab.optillm.fanout import Admitted, Usage
from litellm_homelab.optillm.ledger import Ledger
from litellm_homelab.state import Location, connect

ROOT_ID = "f" * 28


def ask_60(location: Location) -> list[int]:
    """Ask for 60 children of the root, ten at once, and finish the admitted ones; their numbers."""
    return asyncio.run(_ask_60(location))


async def _ask_60(location: Location) -> list[int]:
    store = connect(location)
    ledger = Ledger(store)

    async def six() -> list[int]:
        numbers = []
        for _ in range(6):
            admission = await ledger.admit(ROOT_ID)
            if isinstance(admission, Admitted):
                numbers.append(admission.number)
                await ledger.finish(ROOT_ID, Usage(admission.number, 1, 0.001))
        return numbers

    groups = await asyncio.gather(*(six() for _ in range(10)))
    await store.close()
    return [number for group in groups for number in group]
