"""Keys and routes: who is let in, and to what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from litellm_homelab.verify.check import NO_NAME, VerifyCheck, chat, unexpected
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

MODELS: Final = "/v1/models"
MANAGEMENT: Final = "/active/callbacks"
"""A management route that only reads."""
PAGES: Final = ("/docs", "/redoc", "/openapi.json")
UI: Final = ("/", "/ui/")
"""LiteLLM's API documentation and its Admin UI, for which it asks no key itself (1.106.2)."""
SET_GATE: Final = "Set `custom_auth: litellm_homelab.gate` in general_settings, and restart the gateway."


def checks(lab: VerifyLab) -> Iterator[VerifyCheck]:
    """Every one, with the keys that are known."""
    yield VerifyCheck(
        "keys.missing",
        "without a key nothing is served",
        (VerifyQuestion(MODELS), chat(NO_NAME, None)),
        partial(refused, "a request without a key", (401,)),
    )
    yield VerifyCheck(
        "keys.unknown",
        "an unknown key is refused",
        (VerifyQuestion(MODELS, KeyRole.WRONG), chat(NO_NAME, KeyRole.WRONG)),
        partial(refused, "a request with an unknown key", (401,)),
    )
    yield VerifyCheck(
        "keys.default",
        "the key of LiteLLM's documentation (sk-1234) is not the master key",
        (VerifyQuestion(MODELS, KeyRole.DEFAULT),),
        default_key,
    )
    yield VerifyCheck("keys.gate", "our gate looks at the keys", (VerifyQuestion(MODELS),), gate)
    for role in (KeyRole.MASTER, KeyRole.CLIENT):
        yield _accepted(lab, role)
    yield _management(lab)
    paths = tuple(one for one in (*PAGES, *(() if lab.has_ui else UI)) if not lab.opens(one))
    yield VerifyCheck(
        "keys.pages",
        "LiteLLM's documentation and Admin UI are not shown without a key",
        tuple(map(VerifyQuestion, paths)),
        partial(pages, paths),
    )


def refused(what: str, statuses: Sequence[int], replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether each answer has one of these statuses."""
    for reply in replies:
        if reply.failure is not None:
            return not_checked(reply.said, "Run it again.")
        if reply.status not in statuses:
            wanted = " or ".join(map(str, statuses))
            do = "Set `general_settings.master_key`, and restart the gateway." if reply.is_ok else SET_GATE
            return unexpected(reply, f"{wanted} for {what}", do)
    return passed(f"{replies[0].status} for {what}")


def default_key(replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether anyone who has read LiteLLM's documentation is let in."""
    reply = replies[0]
    if reply.status == 401:
        return passed("401 for sk-1234")
    if reply.is_ok:
        return failed(
            "sk-1234 is let in",
            "Choose another master key (`make env` makes one), and replace it wherever it is used.",
        )
    return not_checked(reply.said, "Run it again.")


def gate(replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether a refused key gets our refusal: LiteLLM's own has another type."""
    reply = replies[0]
    if reply.status == 401 and reply.type == "authentication_error":
        return passed("401 authentication_error")
    if reply.status == 401:
        return unexpected(reply, "authentication_error as the type of the error", SET_GATE)
    return not_checked(f"{reply.said}: see keys.missing")


def _accepted(lab: VerifyLab, role: KeyRole) -> VerifyCheck:
    variable = lab.keys.variable(role)
    check, what = f"keys.{role}", f"the {role} key ({variable}) is let in"
    if not lab.knows(role):
        return VerifyCheck(
            check, what, settled=not_checked(f"{variable} is not set", f"Set {variable}, or give --env.")
        )
    return VerifyCheck(check, what, (VerifyQuestion(MODELS, role),), partial(accepted, variable))


def accepted(variable: str, replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether a key is let in."""
    reply = replies[0]
    if reply.is_ok:
        return passed("200 from /v1/models")
    return unexpected(
        reply,
        "200 from /v1/models",
        f"{variable} here is not the gateway's: restart it, or correct the variable.",
    )


def _management(lab: VerifyLab) -> VerifyCheck:
    check, what = "keys.management", "a client's key does not manage the gateway"
    if not lab.knows(KeyRole.CLIENT):
        return VerifyCheck(check, what, settled=not_applicable("no client's key is known here"))
    return VerifyCheck(check, what, (VerifyQuestion(MANAGEMENT, KeyRole.CLIENT),), management)


def management(replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether a management route is closed for a client."""
    reply = replies[0]
    if reply.status == 403:
        return passed(f"403 from {MANAGEMENT}")
    if reply.status == 401:
        return not_checked(f"{reply.said}: see keys.client")
    do = f"{SET_GATE} Take the route out of `homelab.gate.open`."
    return unexpected(reply, f"403 from {MANAGEMENT}", do)


def pages(paths: Sequence[str], replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether one of the pages is there for anyone."""
    shown = [path for path, reply in zip(paths, replies, strict=True) if reply.is_ok]
    if shown:
        return failed(
            f"200 without a key: {', '.join(shown)}",
            f"{SET_GATE} NO_DOCS, NO_REDOC, NO_OPENAPI and DISABLE_ADMIN_UI (True) switch them off.",
        )
    return passed(f"none of {', '.join(paths)}")
