"""
The loop guard: may a call that reaches OptiLLM, or comes from it, be made?

Facts in, an answer and effects out. The policy gathers the facts, asks, and applies the effects. Where only
a store can decide, since other workers ask it at the same time, the answer is `Reserve`: the policy
reserves, and asks again with what came of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from litellm_homelab import refusals
from litellm_homelab.decision import Allow, Refuse
from litellm_homelab.optillm import topology
from litellm_homelab.optillm.fanout import (
    Admission,
    Admitted,
    Ended,
    Looped,
    RootRecord,
    Spent,
    Summary,
    Unknown,
)
from litellm_homelab.optillm.lineage import ChildName, Opened, Untouched
from litellm_homelab.optillm.orphans import REST_SECONDS

UNTOUCHED = Untouched()

# --- facts -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallFacts:
    """One call, as it comes in or as an attempt of it begins."""

    token: Opened = UNTOUCHED
    """The lineage token of the model name, verified."""
    is_optillms: bool = False
    """Whether the caller's role is `optillm`."""
    optillm_group: str | None = None
    """The group that is asked for, where its deployments are OptiLLM."""
    known: Admission | None = None
    """What the ledger knows of the token's root, where a child comes in; None where it was not asked."""
    start: str | None = None
    """The handle at which the token's root began, where the ledger knows it."""
    orphans: int = 0
    """The limit of calls without a token under way (`limits.orphans`)."""


# --- effects ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MarkLooped:
    """Note in the ledger that a root has met itself again; `path` names the way."""

    root: str
    path: str


@dataclass(frozen=True, slots=True)
class CountReturn:
    """Count in the ledger that OptiLLM's key asked for an OptiLLM group, without a token."""

    group: str


@dataclass(frozen=True, slots=True)
class CountLoop:
    """Count a blocked loop under the handle where it began; None where that is not known."""

    handle: str | None


@dataclass(frozen=True, slots=True)
class RejectToken:
    """Note why the token is not accepted: its root has ended, or is unknown here."""

    reason: Literal["ended", "unknown"]


@dataclass(frozen=True, slots=True)
class JoinRoot:
    """Note the handle and the approach of the root that the call belongs to."""

    root: RootRecord


@dataclass(frozen=True, slots=True)
class StartChild:
    """Note that the call has been charged to its root, once for all its attempts."""


Effect: TypeAlias = MarkLooped | CountReturn | CountLoop | RejectToken | JoinRoot | StartChild


# --- answers ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reserve:
    """
    Reserve first, then ask again with what came of it; nothing may be sent before.

    `orphan`: a place among the calls without a token (then `orphan_reserved`); `call`: one of the calls of
    the token's root (then `charged`).
    """

    what: Literal["orphan", "call"]


@dataclass(frozen=True, slots=True)
class LoopVerdict:
    """What becomes of the call, and what the policy has to do about it in any case."""

    answer: Allow | Refuse | Reserve
    effects: tuple[Effect, ...] = ()


ALLOW = LoopVerdict(Allow())


# --- calls -----------------------------------------------------------------------------------------------


def enter(facts: CallFacts) -> LoopVerdict:
    """Decide on a call as it comes in, before any other rule looks at it."""
    if not isinstance(facts.token, Untouched | ChildName):
        return LoopVerdict(refusals.lineage_token_invalid())
    returned = _returned(facts)
    if returned is not None:
        return returned
    if isinstance(facts.token, ChildName):
        return _known(facts.known or Unknown())
    return LoopVerdict(Reserve("orphan")) if facts.is_optillms else ALLOW


def attempt(facts: CallFacts, *, is_charged: bool) -> LoopVerdict:
    """
    Decide on an attempt, which a fallback may have led elsewhere.

    A child is charged at the first of its attempts: a call that another rule refuses costs its root nothing.
    """
    if facts.optillm_group is not None:
        return _returned(facts) or ALLOW
    if isinstance(facts.token, ChildName) and not is_charged:
        return LoopVerdict(Reserve("call"))
    return ALLOW


def orphan_reserved(facts: CallFacts, *, granted: bool) -> LoopVerdict:
    """Decide on a call of OptiLLM's without a token, once a place for it was asked for."""
    return ALLOW if granted else LoopVerdict(refusals.orphaned(facts.orphans, REST_SECONDS))


def charged(admission: Admission) -> LoopVerdict:
    """Decide on a child, once the ledger was asked to charge it to its root."""
    if isinstance(admission, Admitted):
        return LoopVerdict(Allow(), (StartChild(),))
    return _not_admitted(admission)


def _returned(facts: CallFacts) -> LoopVerdict | None:
    """Refuse OptiLLM's way back to itself, known by the token or by its key; None for everything else."""
    group = facts.optillm_group
    if group is None:
        return None
    if isinstance(facts.token, ChildName):
        start = facts.start or group
        path = topology.written((start, topology.OPTILLM, group))
        effects = (MarkLooped(facts.token.root, path), CountLoop(start))
        return LoopVerdict(refusals.returned(path), effects)
    if facts.is_optillms:
        path = topology.written((group, topology.OPTILLM, group))
        return LoopVerdict(refusals.returned(path), (CountReturn(group), CountLoop(None)))
    return None


def _known(admission: Admission) -> LoopVerdict:
    """Refuse a child whose root is over; one that is spent says so when the child is charged."""
    if isinstance(admission, Admitted):
        return LoopVerdict(Allow(), (JoinRoot(admission.root),))
    return ALLOW if isinstance(admission, Spent) else _not_admitted(admission)


def _not_admitted(admission: Spent | Looped | Ended | Unknown) -> LoopVerdict:
    if isinstance(admission, Spent):
        return LoopVerdict(refusals.fan_out_spent(admission.limit, to_child=True))
    if isinstance(admission, Looped):
        return LoopVerdict(refusals.looped(admission.path, to_child=True))
    # The token is not shown: whoever presents it again must learn nothing from the refusal.
    reason: Literal["ended", "unknown"] = "ended" if isinstance(admission, Ended) else "unknown"
    return LoopVerdict(refusals.parent_finished(), (RejectToken(reason),))


# --- roots -----------------------------------------------------------------------------------------------


def root_problem(summary: Summary | None) -> Refuse | None:
    """Why the client of a root gets no answer; None where nothing went wrong, or the client has left."""
    if summary is None:
        return refusals.account_lost()
    if summary.problem is None or summary.problem.kind == "gone":
        return None
    if summary.problem.kind == "looped":
        return refusals.looped(summary.problem.text)
    return refusals.fan_out_spent(summary.root.max_calls)


def swallowed_return(
    handle: str, before: Mapping[str, int], now: Mapping[str, int], said: str
) -> Refuse | None:
    """
    The refusal of a root whose OptiLLM was refused its way back and answers with the text of that refusal.

    No token said whose call it was. `before` and `now` count re-entries by group, as the root began and as
    it ends; `said` is OptiLLM's answer, which contains the refusal's text (`hearsay.tells_of_return`).
    """
    groups = [group for group, count in now.items() if count != before.get(group, 0)]
    if not groups:
        return None
    named = [group for group in groups if f"{topology.OPTILLM} -> {group})" in said]
    return refusals.looped(topology.written((handle, topology.OPTILLM, " or ".join(sorted(named or groups)))))
