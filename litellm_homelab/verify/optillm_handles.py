"""OptiLLM handles: calls behind an answer, approaches that are not listed, tags, the router, loops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from litellm_homelab.optillm.catalogue import CATALOGUE, Kind
from litellm_homelab.optillm.costs import COSTS
from litellm_homelab.verify import counters
from litellm_homelab.verify.check import VerifyCheck, chat, unexpected
from litellm_homelab.verify.exchange import (
    KeyRole,
    VerifyJudgement,
    VerifyQuestion,
    VerifyReply,
    failed,
    not_applicable,
    not_checked,
    passed,
    plain,
)
from litellm_homelab.verify.lab import LaneFacts, VerifyLab
from litellm_homelab.verify.plain_handles import FIELD, METRICS

CALLS: Final = "x-homelab-calls"
RAN: Final = "x-homelab-approach"
TOKENS: Final = 256
"""Of an answer that is read: a model that thinks has said something by then, if only its thoughts."""
ERROR_TEXTS: Final = ("Error:", "Error processing", "Error code")
"""How OptiLLM's 200 begins where all of its calls failed (0.4.0 and 0.3.12)."""
CHROME: Final = ("web_search", "deep_research")
"""Approaches with which OptiLLM drives a Chrome on its own machine."""
WAY_BACK: Final = (
    "Look into OptiLLM's log. Its --base-url must be this gateway, its OPENAI_API_KEY the key of the caller "
    "of role optillm, and the deployment's model a name that this key may use (docs/optillm.md)."
)
CLASSIFIER: Final = "It needs torch, transformers<5 and the model codelion/optillm-modernbert-large."
TAG: Final = "<optillm_approach>none</optillm_approach> Reply with the word ready."


def checks(lab: VerifyLab) -> Iterator[VerifyCheck]:
    """Those of each OptiLLM handle, then that OptiLLM's key does not lead back to OptiLLM."""
    if not lab.lanes:
        why = not_applicable("there is no OptiLLM handle")
        yield VerifyCheck("optillm.calls", "OptiLLM answers with several calls to a model", settled=why)
        return
    for lane in lab.lanes:
        if lane.key is None:
            why = not_checked("none of the known keys may use it", "Set LITELLM_MASTER_KEY.")
            yield VerifyCheck("optillm.calls", "OptiLLM answers", subject=lane.name, settled=why)
            continue
        yield from _of_lane(lab, lane)
    yield _way_round(lab)


def _of_lane(lab: VerifyLab, lane: LaneFacts) -> Iterator[VerifyCheck]:
    yield _calls(lab, lane)
    yield _tag(lane)
    yield _not_listed(lane)
    yield _web_search(lane)
    yield _router(lane)


# --- several calls -----------------------------------------------------------------------------------


def several(lane: LaneFacts) -> str:
    """The approach with the fewest calls that makes several; empty where none does."""
    found = [
        (COSTS[name].usual, COSTS[name].worst, name)
        for name in lane.approaches or ("moa",)
        if name in COSTS and CATALOGUE[name].kind is Kind.ORDINARY
    ]
    return next((name for usual, worst, name in sorted(found) if usual > 1 and worst <= lane.max_calls), "")


def _calls(lab: VerifyLab, lane: LaneFacts) -> VerifyCheck:
    check, what = "optillm.calls", "OptiLLM answers, with several calls to a model behind it"
    approach = several(lane)
    if not approach:
        why = not_applicable("it allows no ordinary approach that makes several calls")
        return VerifyCheck(check, what, subject=lane.name, settled=why)
    asked = chat(lane.name, lane.key, {FIELD: approach, "max_tokens": TOKENS}, is_call=True)
    look = () if lab.reader is None else (VerifyQuestion(METRICS, lab.reader),)
    judge = partial(calls, approach) if lane.counts_calls else answers
    return VerifyCheck(check, what, (*look, asked, *look), judge, lane.name, key=lane.key)


def answers(replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether OptiLLM made a text, where its calls cannot be counted."""
    reply = replies[len(replies) // 2]
    text = str(reply.part("choices", 0, "message", "content") or "")
    if not reply.is_ok or text.startswith(ERROR_TEXTS):
        return _broken(reply, text, replies)
    return not_checked("it answers; with `carrier: off` the gateway does not know which calls are its own")


def calls(approach: str, replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether OptiLLM ran the approach with several calls, and made a text of them."""
    reply = replies[len(replies) // 2]
    if reply.failure is not None:
        return failed(f"no answer: {reply.said}", "Look into OptiLLM's log, or allow more with --seconds.")
    if reply.type == "approach_not_allowed":
        return not_checked(f"{approach} is not allowed here", "Give --config, which says what is.")
    count, text = _number(reply.headers.get(CALLS)), str(reply.part("choices", 0, "message", "content") or "")
    if not reply.is_ok or text.startswith(ERROR_TEXTS) or count == 0:
        return _broken(reply, text, replies)
    if count is None or reply.headers.get(RAN) != approach:
        return failed(
            f"{reply.said}, and no header says that OptiLLM ran {approach}",
            "Name this handle under `homelab.optillm`, and restart the gateway (docs/optillm.md).",
        )
    if count < 2:
        return failed(
            f"{approach} made {count} call",
            "OptiLLM did not run it: look into its log for `Using approach(es)`, and at its version.",
        )
    if not text and reply.part("choices", 0, "finish_reason") != "length":
        return failed(f"{count} calls and no text", "Look into OptiLLM's log.")
    return passed(f"{approach} made {count} calls")


def _broken(reply: VerifyReply, text: str, replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """OptiLLM did not answer, or without a single call that was served."""
    looks = [
        counters.total(one.body, counters.OURS, type="authentication_error")
        for one in (replies[0], replies[-1])
        if len(replies) == 3 and one.is_ok
    ]
    if len(looks) == 2 and looks[1] > looks[0]:
        return failed(
            f"{reply.said}: the gateway refused the key of OptiLLM's calls back",
            "Give OptiLLM the value of OPTILLM_UPSTREAM_KEY as its OPENAI_API_KEY, and restart it.",
        )
    if reply.type == "loop_detected":
        return failed(
            f"{reply.said}: OptiLLM calls back a name that leads to OptiLLM again; the gateway ended it",
            "Set the deployment's model to an internal name that is a model (docs/optillm.md).",
        )
    if not reply.is_ok:
        do = (
            "Is OptiLLM running at the `api_base` of this handle, and is the handle's `api_key` its key? "
            + WAY_BACK
        )
        return unexpected(reply, "200", do)
    said = (
        f"OptiLLM says {plain(text)!r}"
        if text.startswith(ERROR_TEXTS)
        else "no call came back to this gateway"
    )
    return failed(said, f"Is this handle's `api_base` an OptiLLM, and not a model? {WAY_BACK}")


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


# --- what a client must not choose -------------------------------------------------------------------


def _tag(lane: LaneFacts) -> VerifyCheck:
    return VerifyCheck(
        "optillm.tag",
        "a tag in a prompt does not choose the approach",
        (chat(lane.name, lane.key, text=TAG, is_call=not lane.refuses_tags),),
        partial(tag, lane),
        lane.name,
        key=lane.key,
    )


def tag(lane: LaneFacts, replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether a tag is refused, or passes as text where the handle says so."""
    reply = replies[0]
    if reply.status == 400 and reply.type == "approach_in_prompt":
        return passed("400 approach_in_prompt")
    if not lane.refuses_tags and reply.is_ok:
        return passed("served as text (`tags: neutralise`)")
    if reply.is_ok:
        return failed(
            "served: every prompt chooses the approach, executecode too",
            f"Set `tags: refuse` for {lane.name} in `homelab.optillm`, and restart the gateway.",
        )
    return unexpected(reply, "400 approach_in_prompt", "See optillm.calls.")


def _not_listed(lane: LaneFacts) -> VerifyCheck:
    check, what = "optillm.not-listed", "an approach that the handle does not list is refused"
    known = [one.name for one in CATALOGUE.values() if one.kind is Kind.ORDINARY]
    if not lane.approaches:
        why = not_checked("its list of approaches is not known", "Give --config.")
        return VerifyCheck(check, what, subject=lane.name, settled=why)
    asked = next((one for one in known if one not in lane.approaches), "")
    if not asked:
        return VerifyCheck(check, what, subject=lane.name, settled=not_applicable("it lists them all"))
    return _refuses(lane, check, what, asked)


def _web_search(lane: LaneFacts) -> VerifyCheck:
    check, what = "optillm.web-search", "OptiLLM's own web search, which drives a Chrome, is refused"
    listed = [one for one in CHROME if one in lane.approaches]
    if listed:
        why = not_checked(
            f"{lane.name} allows {', '.join(listed)}: OptiLLM drives a Chrome on its machine for it, and the "
            "prompt leaves for a search engine; this command does not start that",
            "Search through the gateway (`/v1/search/...`), and take them out of `approaches`.",
        )
        return VerifyCheck(check, what, subject=lane.name, settled=why)
    return _refuses(lane, check, what, CHROME[0])


def _refuses(lane: LaneFacts, check: str, what: str, approach: str) -> VerifyCheck:
    question = chat(lane.name, lane.key, {FIELD: approach})
    return VerifyCheck(check, what, (question,), partial(not_allowed, approach), lane.name, key=lane.key)


def not_allowed(approach: str, replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether the approach is refused before OptiLLM sees it."""
    reply = replies[0]
    if reply.status == 400 and reply.type == "approach_not_allowed":
        return passed(f"400 approach_not_allowed for {approach}")
    do = "Name this handle under `homelab.optillm` with what it allows, and restart the gateway."
    if reply.is_ok:
        return failed(f"{approach} was served", do)
    return unexpected(reply, f"400 approach_not_allowed for {approach}", do)


# --- the router --------------------------------------------------------------------------------------


def _router(lane: LaneFacts) -> VerifyCheck:
    check, what = "optillm.router", "the approach router, which chooses among the others, is active"
    if not lane.approaches:
        why = not_checked("its list of approaches is not known", "Give --config.")
        return VerifyCheck(check, what, subject=lane.name, settled=why)
    if "router" not in lane.approaches:
        return VerifyCheck(check, what, subject=lane.name, settled=not_applicable("it does not allow router"))
    asked = chat(lane.name, lane.key, {FIELD: "router", "max_tokens": TOKENS}, is_call=True)
    return VerifyCheck(check, what, (asked,), router, lane.name, key=lane.key)


def router(replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether it chose something; with one call it may have chosen `none`, or not have its classifier."""
    reply = replies[0]
    count = _number(reply.headers.get(CALLS))
    if not reply.is_ok or not count:
        return failed(
            f"{reply.said}, with {count or 'no'} calls",
            "If optillm.calls passed, OptiLLM has not loaded the plugin router: its log says why. "
            + CLASSIFIER,
        )
    if reply.headers.get(RAN) != "router":
        return failed("no header says that OptiLLM was asked for router", "Restart the gateway.")
    if count > 1:
        return passed(f"it chose an approach that made {count} calls")
    return not_checked(
        "one call: it chose `none`, or its classifier is not loaded",
        f"Look for `Using approach(es) ['router']` and for an error after it in OptiLLM's log. {CLASSIFIER}",
    )


# --- no way round ------------------------------------------------------------------------------------


def _way_round(lab: VerifyLab) -> VerifyCheck:
    check, what = "loop.optillm", "OptiLLM's own key does not lead to OptiLLM again"
    variable, lane = lab.keys.variable(KeyRole.OPTILLM), lab.lanes[0]
    if not lab.knows(KeyRole.OPTILLM):
        why = not_checked(f"{variable} is not set", f"Set {variable}, or give --env.")
        return VerifyCheck(check, what, subject=lane.name, settled=why)
    question = chat(lane.name, KeyRole.OPTILLM)
    return VerifyCheck(check, what, (question,), partial(way_round, variable), lane.name)


def way_round(variable: str, replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether a call with OptiLLM's key for an OptiLLM handle is refused."""
    reply = replies[0]
    if reply.type in ("loop_detected", "model_not_found") and 400 <= reply.status < 600:
        return passed(f"{reply.said}")
    if reply.status == 401:
        return failed(
            f"{reply.said}: the gateway does not know the key of OptiLLM's calls back",
            f"{variable} must be the key of a caller with `role: optillm`; restart the gateway.",
        )
    if reply.is_ok:
        return failed(
            "served: a request to OptiLLM can go round for ever",
            f"Give OptiLLM a key of its own, {variable}, of a caller with `role: optillm`.",
        )
    return unexpected(
        reply, "400 loop_detected", f"{variable} must be the key of a caller with `role: optillm`."
    )
