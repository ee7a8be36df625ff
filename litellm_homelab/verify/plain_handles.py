"""A handle that is not OptiLLM: none of the four ways to ask for an approach does anything there; no loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from litellm_homelab.attempts.hops import HEADER
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
)
from litellm_homelab.verify.lab import VerifyLab
from litellm_homelab.verify.names import SET_PLUGIN

APPROACH: Final = "moa"
FIELD: Final = "optillm_approach"
TAG: Final = f"<{FIELD}>{APPROACH}</{FIELD}> Reply with the word ready."
METRICS: Final = "/metrics/"
STRIPPED: Final = "homelab_fields_stripped_total"
ROUND: Final = "verify.loop, verify.loop"
"""What the header says of a request that has been at one gateway twice."""
RAN: Final = ("x-homelab-approach", "x-homelab-calls")
"""Headers of an answer that came from OptiLLM."""


def checks(lab: VerifyLab) -> Iterator[VerifyCheck]:
    """Every one; without a plain handle there is nothing to try."""
    ways: dict[str, tuple[str, dict[str, object]]] = {
        "approach.field": ("the field optillm_approach does not reach a model", {FIELD: APPROACH}),
        "approach.extra-body": (
            "optillm_approach in extra_body does not reach a model",
            {"extra_body": {FIELD: APPROACH}},
        ),
    }
    for check, (what, fields) in ways.items():
        yield _counted(lab, check, what, fields)
    name = f"{APPROACH}-{lab.plain}"
    yield _of_plain(
        lab,
        VerifyCheck(
            "approach.name",
            "an approach in front of a handle's name is not a name",
            (chat(name, lab.client),),
            partial(no_name, name),
            lab.plain,
            key=lab.client,
        ),
    )
    yield _of_plain(
        lab,
        VerifyCheck(
            "approach.prompt",
            "a tag in a prompt does not lead to OptiLLM",
            (chat(lab.plain, lab.client, text=TAG, is_call=True),),
            no_run,
            lab.plain,
            key=lab.client,
        ),
    )
    yield _of_plain(
        lab,
        VerifyCheck(
            "loop.gateways",
            "a request that comes back through another gateway is refused",
            (chat(lab.plain, lab.client, headers={HEADER: ROUND}),),
            loop,
            lab.plain,
            key=lab.client,
        ),
    )


def _of_plain(lab: VerifyLab, check: VerifyCheck) -> VerifyCheck:
    if lab.plain:
        return check
    why = not_applicable("this key has no chat handle but OptiLLM's")
    return VerifyCheck(check.id, check.what, settled=why)


def _counted(lab: VerifyLab, check: str, what: str, fields: dict[str, object]) -> VerifyCheck:
    """Asked between two looks at the counter of fields that were taken out."""
    if lab.plain and lab.reader is None:
        why = not_checked(
            "only /metrics/ shows what was taken out of a request",
            f"Set {lab.keys.variable(KeyRole.METRICS)} to the key of the caller of role metrics.",
        )
        return VerifyCheck(check, what, subject=lab.plain, settled=why)
    look = VerifyQuestion(METRICS, lab.reader)
    asked = chat(lab.plain, lab.client, fields, is_call=True)
    judge = partial(taken_out, lab.plain)
    return _of_plain(
        lab, VerifyCheck(check, what, (look, asked, look), judge, lab.plain, key=lab.client, settles=True)
    )


def taken_out(handle: str, replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether the field was counted as taken out between the two looks."""
    before, answer, after = replies
    if not (before.is_ok and after.is_ok and counters.has(before.body, counters.OURS)):
        return not_checked(f"{before.said} from {METRICS}: see metrics.read")
    if answer.status == 400 and answer.type in ("param_not_allowed", "approach_not_allowed"):
        return passed(f"refused: {answer.said}")
    if not answer.is_ok:
        return not_checked(f"{answer.said}: see handle.answers")
    if any(name in answer.headers for name in RAN):
        return failed(
            "OptiLLM ran it", "Give this handle a deployment that is not OptiLLM, or `homelab.optillm`."
        )
    looks = [counters.total(one.body, STRIPPED, handle=handle, field=FIELD) for one in (before, after)]
    if looks[1] > looks[0]:
        return passed("served without it")
    return failed("it was served, and nothing counts the field as taken out", SET_PLUGIN)


def no_name(name: str, replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether the approach in front makes it an unknown name."""
    reply = replies[0]
    if reply.status == 404:
        return passed(f"404 for {name}")
    return unexpected(reply, f"404 for {name}", SET_PLUGIN)


def no_run(replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether the tag did nothing."""
    reply = replies[0]
    if reply.status == 400 and reply.type == "approach_in_prompt":
        return passed("refused: 400 approach_in_prompt")
    if not reply.is_ok:
        return not_checked(f"{reply.said}: see handle.answers")
    if any(name in reply.headers for name in RAN):
        return failed(
            "OptiLLM ran it", "Take the fallback of this handle to an OptiLLM handle out of router.yaml."
        )
    return passed("served as text, without OptiLLM")


def loop(replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether a request that says it has been round is refused before it reaches a model."""
    reply = replies[0]
    if reply.status == 508 and reply.type == "loop_detected":
        return passed("508 loop_detected")
    if reply.is_ok:
        return failed(
            "a request that has been round was served: a loop would not end",
            f"{SET_PLUGIN} A proxy in between must not take the header {HEADER} off.",
        )
    if reply.status in (429, 503):
        return not_checked(f"{reply.said}: see handle.answers")
    return unexpected(reply, "508 loop_detected", SET_PLUGIN)
