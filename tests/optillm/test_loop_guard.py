"""The loop guard as a rule: facts in, an answer and effects out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.decision import Allow, RefusalType, Refuse
from litellm_homelab.optillm import loop_guard
from litellm_homelab.optillm.fanout import (
    Admission,
    Admitted,
    Ended,
    Looped,
    RootFailure,
    RootRecord,
    Spent,
    Summary,
    Unknown,
    Usage,
)
from litellm_homelab.optillm.lineage import ChildName, Forged, Opened, Untouched
from litellm_homelab.optillm.loop_guard import (
    CallFacts,
    CountLoop,
    CountReturn,
    Effect,
    JoinRoot,
    MarkLooped,
    RejectToken,
    Reserve,
    StartChild,
)

ROOT = RootRecord("ab" * 14, "boost", "moa", 12, 0.0, 60.0)
CHILD = ChildName("base", ROOT.id, 1)
NO_TOKEN = Untouched()
PATH = "boost -> OptiLLM -> deep"

ENTERING = [
    pytest.param(CallFacts(), "allow", (), id="client"),
    pytest.param(CallFacts(optillm_group="boost"), "allow", (), id="client-asks-for-optillm"),
    pytest.param(CallFacts(is_optillms=True, orphans=4), "orphan", (), id="optillm-without-a-token"),
    pytest.param(
        CallFacts(is_optillms=True, optillm_group="deep"),
        "loop_detected",
        (CountReturn("deep"), CountLoop(None)),
        id="optillms-key-asks-for-optillm",
    ),
    pytest.param(
        CallFacts(CHILD, optillm_group="deep", start="boost"),
        "loop_detected",
        (MarkLooped(ROOT.id, PATH), CountLoop("boost")),
        id="child-asks-for-optillm",
    ),
    pytest.param(
        CallFacts(CHILD, optillm_group="deep"),
        "loop_detected",
        (MarkLooped(ROOT.id, "deep -> OptiLLM -> deep"), CountLoop("deep")),
        id="child-of-an-unknown-root-asks-for-optillm",
    ),
    pytest.param(CallFacts(CHILD, known=Admitted(1, ROOT)), "allow", (JoinRoot(ROOT),), id="child"),
    pytest.param(CallFacts(CHILD, known=Spent(12)), "allow", (), id="spent-is-for-the-charge-to-say"),
    pytest.param(CallFacts(CHILD, known=Looped(PATH)), "loop_detected", (), id="root-has-looped"),
    pytest.param(
        CallFacts(CHILD, known=Ended()), "param_not_allowed", (RejectToken("ended"),), id="root-has-ended"
    ),
    pytest.param(
        CallFacts(CHILD, known=Unknown()), "param_not_allowed", (RejectToken("unknown"),), id="unknown-root"
    ),
    pytest.param(CallFacts(CHILD), "param_not_allowed", (RejectToken("unknown"),), id="ledger-not-asked"),
    pytest.param(CallFacts(Forged("foreign")), "param_not_allowed", (), id="forged-token"),
]
"""What comes in: facts, the answer, the effects."""


def said(answer: Allow | Refuse | Reserve) -> str:
    """An answer in one word."""
    if isinstance(answer, Refuse):
        return answer.type.value
    return answer.what if isinstance(answer, Reserve) else "allow"


@pytest.mark.parametrize(("facts", "answer", "effects"), ENTERING)
def test_a_call_that_comes_in(facts: CallFacts, answer: str, effects: tuple[Effect, ...]) -> None:
    """Who calls, with which token, for which group: allowed, refused or to be reserved."""
    verdict = loop_guard.enter(facts)
    assert (said(verdict.answer), verdict.effects) == (answer, effects)


@pytest.mark.parametrize(
    ("facts", "is_charged", "answer"),
    [
        pytest.param(CallFacts(), False, "allow", id="client"),
        pytest.param(CallFacts(is_optillms=True), False, "allow", id="optillm-without-a-token"),
        pytest.param(CallFacts(CHILD), False, "call", id="first-attempt-of-a-child"),
        pytest.param(CallFacts(CHILD), True, "allow", id="later-attempt-of-a-child"),
        pytest.param(CallFacts(CHILD, optillm_group="deep"), True, "loop_detected", id="fallback-to-optillm"),
        pytest.param(
            CallFacts(is_optillms=True, optillm_group="deep"), False, "loop_detected", id="fallback-by-key"
        ),
        pytest.param(CallFacts(optillm_group="deep"), False, "allow", id="a-clients-fallback-to-optillm"),
    ],
)
def test_an_attempt(facts: CallFacts, is_charged: bool, answer: str) -> None:
    """A child is charged once; no fallback leads OptiLLM back to itself."""
    assert said(loop_guard.attempt(facts, is_charged=is_charged).answer) == answer


@pytest.mark.parametrize(
    ("admission", "answer", "effects"),
    [
        pytest.param(Admitted(1, ROOT), "allow", (StartChild(),), id="admitted"),
        pytest.param(Spent(12), "fanout_exceeded", (), id="spent"),
        pytest.param(Looped(PATH), "loop_detected", (), id="looped"),
        pytest.param(Ended(), "param_not_allowed", (RejectToken("ended"),), id="ended"),
        pytest.param(Unknown(), "param_not_allowed", (RejectToken("unknown"),), id="unknown"),
    ],
)
def test_a_child_that_was_to_be_charged(
    admission: Admission, answer: str, effects: tuple[Effect, ...]
) -> None:
    """It goes on where the store took the charge, and nowhere else."""
    verdict = loop_guard.charged(admission)
    assert (said(verdict.answer), verdict.effects) == (answer, effects)


def test_an_orphan_goes_on_where_a_place_was_reserved() -> None:
    """Without one the refusal names the limit."""
    facts = CallFacts(is_optillms=True, orphans=4)
    assert loop_guard.orphan_reserved(facts, granted=True).answer == Allow()
    refusal = loop_guard.orphan_reserved(facts, granted=False).answer
    assert isinstance(refusal, Refuse)
    assert "4 calls under way" in refusal.message


# --- laws --------------------------------------------------------------------------------------------

GROUPS = st.none() | st.sampled_from(["boost", "deep"])
ADMISSIONS = st.sampled_from([Admitted(1, ROOT), Spent(12), Looped(PATH), Ended(), Unknown()])
TOKENS: st.SearchStrategy[Opened] = st.sampled_from([NO_TOKEN, CHILD, Forged("foreign"), Forged("expired")])
FACTS = st.builds(
    CallFacts,
    TOKENS,
    st.booleans(),
    GROUPS,
    st.none() | ADMISSIONS,
    st.none() | st.just("boost"),
    st.integers(1),
)


@given(facts=FACTS, is_charged=st.booleans(), admission=ADMISSIONS)
def test_laws_of_the_loop_guard(facts: CallFacts, is_charged: bool, admission: Admission) -> None:
    """OptiLLM never reaches OptiLLM, no call of its key is unbounded, and OptiLLM gets nothing but a 400."""
    came, attempted = loop_guard.enter(facts), loop_guard.attempt(facts, is_charged=is_charged)
    is_child = isinstance(facts.token, ChildName)
    if facts.optillm_group is not None and (is_child or facts.is_optillms):
        assert isinstance(came.answer, Refuse)
    if is_child and facts.optillm_group is not None:
        assert isinstance(attempted.answer, Refuse)
    if came.answer == Allow() and facts.is_optillms:
        assert is_child
    if is_child and not is_charged:
        assert attempted.answer != Allow()
    verdicts = [
        came,
        attempted,
        loop_guard.charged(admission),
        loop_guard.orphan_reserved(facts, granted=False),
    ]
    for verdict in verdicts:
        if isinstance(verdict.answer, Refuse):
            assert verdict.answer.status == 400
    assert came == loop_guard.enter(facts)


# --- roots -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        pytest.param(None, None, id="nothing"),
        pytest.param(RootFailure("gone"), None, id="client-left"),
        pytest.param(RootFailure("looped", PATH), 508, id="looped"),
        pytest.param(RootFailure("spent", "12"), 422, id="spent"),
    ],
)
def test_what_the_client_of_a_root_gets(problem: RootFailure | None, status: int | None) -> None:
    """The root's client gets the real status of what went wrong."""
    refusal = loop_guard.root_problem(Summary(ROOT, 1, 1, Usage(), problem, ended=True))
    assert (refusal.status if refusal else None) == status


def test_an_account_that_is_lost_is_a_refusal() -> None:
    """Whether the root looped is not known, so it is not answered."""
    refusal = loop_guard.root_problem(None)
    assert refusal is not None
    assert refusal.type is RefusalType.POLICY_ERROR


def test_a_return_that_only_the_answer_tells_of() -> None:
    """Blamed on the groups that were asked for since, those first that the answer names."""
    before, now = {"boost": 2}, {"boost": 3, "deep": 1}
    for said_by_optillm, blamed in (("", "boost or deep"), ("... OptiLLM -> deep)", "deep")):
        refusal = loop_guard.swallowed_return("self", before, now, said_by_optillm)
        assert refusal is not None
        assert f"self -> OptiLLM -> {blamed}." in refusal.message
    assert loop_guard.swallowed_return("self", now, now, "") is None
