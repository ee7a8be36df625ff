"""
A root's fan-out: the facts that the ledger keeps of it, and what follows from them for its next child.

Pure: it reads and writes entries of a store, which `ledger` fetches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast

from litellm_homelab.optillm import child_failures
from litellm_homelab.optillm.child_failures import ChildFailure
from litellm_homelab.state import Entry, Taken

MAX_AMOUNT = 2**40
"""Most that one booking may add to a counter: no sum of them overflows the 64 bits that Redis counts in."""

ProblemKind: TypeAlias = Literal["looped", "spent", "gone"]

CHILDREN, MAX_CALLS = "children", "max_calls"  # the counter of children, and its limit
HOPS = "hops"
RANK = "rank"  # not a count: the order in which its children wait
PROBLEM, ENDED = "problem", "ended"  # the marks; either of them refuses every further child


@dataclass(frozen=True, slots=True)
class RootRecord:
    """One client request to an OptiLLM handle; times in unix seconds. After `deadline` it is forgotten."""

    id: str
    handle: str
    approach: str
    max_calls: int
    opened_at: float
    deadline: float
    hops: tuple[str, ...] = ()
    """Pairs of gateway and group that it had passed when it left for OptiLLM; its children inherit them."""
    rank: int | None = None
    """In which order its children wait for a backend; None where nothing waits."""


@dataclass(frozen=True, slots=True)
class Usage:
    """
    What children used: tokens as the backend reports them, and seconds from admission to answer.

    Cached tokens are part of the prompt's, reasoning tokens of the completion's.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Prompt and completion tokens together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class RootFailure:
    """What went wrong first: `looped` (text: the path), `spent` (the limit) or `gone` (the client left)."""

    kind: ProblemKind
    text: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """A root as it is now: children admitted, those of them finished, and what these used in sum."""

    root: RootRecord
    children: int
    finished: int
    usage: Usage
    problem: RootFailure | None
    ended: bool
    failures: Mapping[int, ChildFailure] = field(default_factory=dict)
    """Children that their backends refused: the first of each status that OptiLLM was shown."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The child is admitted; it is the root's `number`th, counted from 1."""

    number: int
    root: RootRecord


@dataclass(frozen=True, slots=True)
class Spent:
    """The root has had its `limit` children."""

    limit: int


@dataclass(frozen=True, slots=True)
class Looped:
    """The root has met itself again; `path` names the way, for people."""

    path: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The root has been answered, or its client has gone: this child's answer would be discarded."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """An unknown root: it has expired, or was opened on counters that are not these."""


Admission: TypeAlias = Admitted | Spent | Looped | Ended | Unknown


def admission_of(taken: Taken | None) -> Admission:
    """Decide about a child from what the store answered; an end outweighs what went wrong before it."""
    if taken is None:
        return Unknown()
    if taken.granted:
        return Admitted(taken.entry.count(CHILDREN), _root(taken.entry))
    problem = _problem(taken.entry)
    if ENDED in taken.entry.marks or (problem and problem.kind == "gone"):
        return Ended()
    if problem and problem.kind == "looped":
        return Looped(problem.text)
    return Spent(taken.entry.count(MAX_CALLS))


def standing_of(entry: Entry | None) -> Admission:
    """As `admission_of` for an entry that was only read: whether the root still takes children at all."""
    if entry is None:
        return Unknown()
    over = ENDED in entry.marks or PROBLEM in entry.marks
    admission = admission_of(Taken(entry, granted=not over))
    return admission if not isinstance(admission, Spent) else Admitted(entry.count(CHILDREN), _root(entry))


def opened(root: RootRecord) -> Entry:
    """Return the entry of a root that has no children yet."""
    times = {"opened_at": repr(root.opened_at), "deadline": repr(root.deadline)}
    marks = {"id": root.id, "handle": root.handle, "approach": root.approach, **times}
    if root.hops:
        marks[HOPS] = " ".join(root.hops)
    ranked = {} if root.rank is None else {RANK: root.rank}
    return Entry({MAX_CALLS: root.max_calls, **ranked}, marks)


def _root(entry: Entry) -> RootRecord:
    marks = entry.marks
    opened_at, deadline = float(marks["opened_at"]), float(marks["deadline"])
    own = (marks["id"], marks["handle"], marks["approach"], entry.count(MAX_CALLS), opened_at, deadline)
    return RootRecord(*own, hops=tuple(marks.get(HOPS, "").split()), rank=entry.counters.get(RANK))


def amounts(usage: Usage) -> dict[str, int]:
    """Return what one finished child adds to its root's counters."""
    booked = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "milliseconds": usage.seconds * 1000,
        # A part is never more than the whole, whatever a backend says.
        "cached_tokens": min(usage.cached_tokens, usage.prompt_tokens),
        "reasoning_tokens": min(usage.reasoning_tokens, usage.completion_tokens),
    }
    # A backend's word: a negative number must not pay for other children, nor a huge one break the sum.
    return {"finished": 1} | {name: int(min(max(0, value), MAX_AMOUNT)) for name, value in booked.items()}


def written(problem: RootFailure) -> str:
    """Return the text of the mark about a problem."""
    return f"{problem.kind}:{problem.text}"


def _problem(entry: Entry) -> RootFailure | None:
    kind, _, text = entry.marks.get(PROBLEM, "").partition(":")
    return RootFailure(cast("ProblemKind", kind), text) if kind else None


def summary_of(entry: Entry) -> Summary:
    """Read a root's entry."""
    used = Usage(
        entry.count("prompt_tokens"),
        entry.count("completion_tokens"),
        entry.count("milliseconds") / 1000,
        entry.count("cached_tokens"),
        entry.count("reasoning_tokens"),
    )
    return Summary(
        _root(entry),
        entry.count(CHILDREN),
        entry.count("finished"),
        used,
        _problem(entry),
        ENDED in entry.marks,
        child_failures.found(entry.marks),
    )
