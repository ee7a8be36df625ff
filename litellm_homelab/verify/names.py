"""Names: what is listed, and what answers to which name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from litellm_homelab.verify.check import NO_NAME, VerifyCheck, chat, unexpected
from litellm_homelab.verify.exchange import (
    VerifyJudgement,
    VerifyQuestion,
    VerifyReply,
    failed,
    not_applicable,
    not_checked,
    passed,
    plain,
)
from litellm_homelab.verify.lab import CANONICAL, VerifyLab

MODELS: Final = "/v1/models"
INFO: Final = "/v1/model/info"
SET_PLUGIN: Final = (
    "Add `litellm_homelab.plugin` to `litellm_settings.callbacks` and a `homelab:` section, and restart the "
    "gateway (docs/adopt.md)."
)
LEAKS: Final = ("x-litellm-model-", "x-litellm-version", "llm_provider-")
"""How headers of a stock LiteLLM begin that name what is behind a handle (1.106.2)."""
SHOWN: Final = 8
"""Names that a report repeats of a list."""


def checks(lab: VerifyLab) -> Iterator[VerifyCheck]:
    """Every one, in the order in which a fault of one explains the next."""
    yield VerifyCheck(
        "plugin.loaded", "our rules are active", (chat(NO_NAME, lab.client),), plugin, key=lab.client
    )
    yield VerifyCheck(
        "listing.handles",
        "the listing shows the handles and nothing else",
        (VerifyQuestion(MODELS, lab.client),),
        partial(listing, lab),
        key=lab.client,
    )
    yield VerifyCheck(
        "listing.details",
        "the listing names no upstream, address or id",
        (VerifyQuestion(INFO, lab.client),),
        details,
        key=lab.client,
    )
    yield _unknown(lab)
    yield _answers(lab)


def plugin(replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether an unknown name gets our refusal."""
    reply = replies[0]
    if reply.status == 404 and reply.type == "model_not_found":
        return passed("404 model_not_found for an unknown name")
    if reply.status == 503 and reply.type == "policy_error":
        return failed(
            "503 policy_error: the gate is there and the plugin is not, so everything is refused",
            "Add `litellm_homelab.plugin` to `litellm_settings.callbacks`, and restart the gateway.",
        )
    return unexpected(reply, "404 model_not_found for an unknown name", SET_PLUGIN)


def names_of(reply: VerifyReply) -> tuple[str, ...] | None:
    """The names of a listing; None where it is none."""
    rows = reply.part("data")
    if not reply.is_ok or not isinstance(rows, list):
        return None
    return tuple(str(one["id"]) for one in rows if isinstance(one, dict) and "id" in one)


def listing(lab: VerifyLab, replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether exactly the handles are listed; those of an absent server may be missing."""
    names = names_of(replies[0])
    if names is None:
        return unexpected(replies[0], f"a list from {MODELS}", "See keys.client.")
    if lab.is_configured:
        return _as_configured(lab, names)
    odd = [one for one in names if CANONICAL.fullmatch(one) or "*" in one]
    if odd:
        return failed(
            f"ids and patterns are listed: {_few(odd)}",
            "Name them under `homelab.showroom.hidden`, or give --config if they are handles.",
        )
    return passed(f"{len(names)} handles, none of them an mlx- id or a pattern: {_few(names)}")


def _as_configured(lab: VerifyLab, names: Sequence[str]) -> VerifyJudgement:
    more = [one for one in names if one not in lab.handles and not one.startswith(lab.prefixes or ("\0",))]
    gone = [one for one in lab.handles if one not in names]
    if more:
        return failed(
            f"listed and not a handle that this key may use: {_few(more)}",
            f"Is this the gateway of this router.yaml? Restart it. {SET_PLUGIN}",
        )
    if gone and not lab.may_leave:
        return failed(
            f"handles that are not listed: {_few(gone)}",
            "Is this the gateway of this router.yaml? Restart it.",
        )
    away = f"; not listed, since their server is away: {_few(gone)}" if gone else ""
    return passed(f"{len(names)} handles{away}")


def _few(names: Sequence[str]) -> str:
    rest = len(names) - SHOWN
    shown = ", ".join(plain(one, 60) for one in names[:SHOWN])
    return shown if rest <= 0 else f"{shown} and {rest} more"


def details(replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether `/v1/model/info` has the handle's own name and nothing else in its parameters."""
    reply = replies[0]
    rows = reply.part("data")
    if reply.status in (403, 404):
        return not_applicable(f"{reply.status} from {INFO}")
    if not reply.is_ok or not isinstance(rows, list):
        return not_checked(f"{reply.said} from {INFO}")
    for row in rows:
        found = row.get("litellm_params") if isinstance(row, dict) else None
        params = found if isinstance(found, dict) else {}
        more = [name for name in params if name != "model"]
        if more or params.get("model") != row.get("model_name"):
            said = ", ".join(more) or f"the model {plain(params.get('model'), 60)}"
            return failed(f"{INFO} shows {said} of {plain(row.get('model_name'), 60)}", SET_PLUGIN)
    return passed(f"{len(rows)} entries with the handle's name only")


def _unknown(lab: VerifyLab) -> VerifyCheck:
    check, what = (
        "names.closed",
        "a name of the configuration that is closed answers as one that does not exist",
    )
    if not lab.is_configured:
        return VerifyCheck(check, what, settled=not_checked("no name to try is known", "Give --config."))
    if not lab.closed:
        return VerifyCheck(check, what, settled=not_applicable("this key may use every name of router.yaml"))
    names = (NO_NAME, *lab.closed)
    return VerifyCheck(
        check,
        what,
        tuple(chat(name, lab.client) for name in names),
        partial(same_answer, names),
        key=lab.client,
    )


def same_answer(names: Sequence[str], replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether each name gets the answer of the first one, which exists nowhere, but for the name itself."""
    first = replies[0]
    if first.status != 404:
        return unexpected(first, "404 for an unknown name", SET_PLUGIN)
    for name, reply in zip(names[1:], replies[1:], strict=True):
        if reply.is_ok:
            return failed(
                f"{name} answers", "Take it out of `handles` and `hidden`, or out of the caller's `handles`."
            )
        if reply.failure is not None:
            return not_checked(reply.said)
        if reply.status != first.status or _without(reply.body, name) != _without(first.body, names[0]):
            return failed(
                f"{name} is a {reply.said} and an unknown name a {first.said}: a client can tell what exists",
                SET_PLUGIN,
            )
    return passed(f"the same 404 for {', '.join(names[1:])} and for an unknown name")


def _without(body: str, name: str) -> str:
    """The quoted name only: other names may have it in them."""
    return body.replace(f"'{name}'", "NAME")


def _answers(lab: VerifyLab) -> VerifyCheck:
    check, what = "handle.answers", "a handle answers under its own name, and nothing shows what is behind it"
    if not lab.plain:
        return VerifyCheck(check, what, settled=not_applicable("this key has no chat handle but OptiLLM's"))
    question = chat(lab.plain, lab.client, is_call=True)
    return VerifyCheck(check, what, (question,), partial(own_name, lab.plain), lab.plain, key=lab.client)


def own_name(handle: str, replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether an answer is there, and names the handle only."""
    reply = replies[0]
    if not reply.is_ok:
        return unexpected(
            reply, "200", "Ask `litellm-homelab status` which backend is away, and read the gateway's log."
        )
    if not isinstance(reply.part("choices", 0), dict):
        return failed("the answer has no choices", "Check what `api_base` of this handle leads to.")
    shown = [plain(name, 60) for name in reply.headers if name.startswith(LEAKS)]
    if reply.part("model") != handle:
        shown = [f"the model {plain(reply.part('model'), 60)}", *shown]
    if shown:
        return failed(f"the answer shows {', '.join(shown)}", SET_PLUGIN)
    return passed("200 under its own name")
