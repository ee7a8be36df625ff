"""
The fan-out ledger: what each root has set off at OptiLLM, live, shared by all workers, and stopped in time.

OptiLLM goes on calling when its client has left or a call was refused, retries included (measured on OptiLLM
0.3.12 and 0.4.0). So a child is admitted here before it reaches a backend, by its root's entry alone.
Every method raises `StateUnavailable` where the counters cannot be read; the caller then refuses.
"""

from __future__ import annotations

from collections.abc import Mapping

from litellm_homelab.optillm import child_failures, fanout
from litellm_homelab.optillm.child_failures import ChildFailure
from litellm_homelab.optillm.fanout import (
    CHILDREN,
    ENDED,
    MAX_CALLS,
    PROBLEM,
    Admission,
    RootFailure,
    RootRecord,
    Spent,
    Summary,
    Usage,
)
from litellm_homelab.state import Entry, Store

RETURNS_SECONDS = 86_400.0
"""How long a count of unmarked re-entries is kept: longer than any root lives."""
_RETURNS = "returns"

LINGER_SECONDS = 60.0
"""How long an ended root is remembered: long enough to book the children that were under way."""


class Ledger:
    """Roots by id, on any store; of the children of a root exactly `max_calls` are admitted."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def open(self, root: RootRecord) -> bool:
        """Open a root; False, and no change, if its id is open already."""
        return await self._store.create(_key(root.id), fanout.opened(root), root.deadline - root.opened_at)

    async def admit(self, root_id: str) -> Admission:
        """Count one more child and admit it, or say why not; the first too many marks the root `spent`."""
        taken = await self._store.take(_key(root_id), CHILDREN, MAX_CALLS, (PROBLEM, ENDED))
        admission = fanout.admission_of(taken)
        if isinstance(admission, Spent):
            await self._mark(root_id, RootFailure("spent", str(admission.limit)))
        return admission

    async def look_up(self, root_id: str) -> Admission:
        """Whether the root still takes children, nothing counted; how many it has had is `admit`'s to say."""
        return fanout.standing_of(await self._store.read(_key(root_id)))

    async def finish(self, root_id: str, usage: Usage) -> None:
        """Book a child that was answered, even after its root has ended; an unknown root books nothing."""
        await self._store.add(_key(root_id), fanout.amounts(usage))

    async def failed(self, root_id: str, shown: int, failure: ChildFailure) -> None:
        """Remember a child that its backend refused, the first of each status that OptiLLM was shown."""
        await self._store.mark(_key(root_id), child_failures.name(shown), child_failures.written(failure))

    async def loop(self, root_id: str, path: str) -> None:
        """Mark that the root has met itself again: no further child is admitted."""
        await self._mark(root_id, RootFailure("looped", path))

    async def leave(self, root_id: str) -> None:
        """
        Mark that the root's client has gone: no further child is admitted.

        It is forgotten as soon as an ended root, so that clients who hang up do not fill the store for an
        hour; OptiLLM may go on calling for longer, and children of an unknown root are refused too.
        """
        await self._mark(root_id, RootFailure("gone"), keep=LINGER_SECONDS)

    async def end(self, root_id: str) -> Summary | None:
        """End a root: no further child is admitted; its summary, or None if it is unknown."""
        return _summary(await self._store.mark(_key(root_id), ENDED, "", keep=LINGER_SECONDS))

    async def read(self, root_id: str) -> Summary | None:
        """Return a root as it is now, or None if it is unknown."""
        return _summary(await self._store.read(_key(root_id)))

    async def returned(self, group: str) -> None:
        """Count a re-entry at `group` that carries no mark: whose it is, is not known."""
        await self._store.create(_RETURNS, Entry(), RETURNS_SECONDS)
        await self._store.add(_RETURNS, {group: 1})

    async def returns(self) -> Mapping[str, int]:
        """How many re-entries without a mark each group has seen; they start from zero every day."""
        entry = await self._store.read(_RETURNS)
        return entry.counters if entry else {}

    async def _mark(self, root_id: str, problem: RootFailure, keep: float | None = None) -> None:
        await self._store.mark(_key(root_id), PROBLEM, fanout.written(problem), keep)


def _key(root_id: str) -> str:
    return f"fanout:{root_id}"


def _summary(entry: Entry | None) -> Summary | None:
    return None if entry is None else fanout.summary_of(entry)
