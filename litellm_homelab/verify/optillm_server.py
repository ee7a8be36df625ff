"""OptiLLM itself, where its address is given: its key, and that only this machine reaches it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from litellm_homelab.optillm.addresses import LOOPBACK, host_of
from litellm_homelab.verify.check import CHAT, VerifyCheck, unexpected
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

HEALTH: Final = "/health"
MODELS: Final = "/v1/models"
EMPTY: Final = {"model": "none", "messages": []}
"""A question that no approach and no model can answer: whether it is let in is all that it shows."""
TRY_SECONDS: Final = 2.0
PORTS: Final = {"http": 80, "https": 443}
SET_KEY: Final = "Start OptiLLM with --optillm-api-key, as config/optillm/start.sh does."
SET_HOST: Final = (
    "Start OptiLLM with --host 127.0.0.1, as config/optillm/start.sh does; reach one on another machine by a "
    "tunnel (docs/optillm.md)."
)


def checks(lab: VerifyLab) -> Iterator[VerifyCheck]:
    """Every one; without an address there is nothing to ask."""
    if not lab.optillm:
        why = not_checked("its address was not given", "Give --optillm URL.") if lab.lanes else _no_optillm()
        yield VerifyCheck("optillm-server.key", "OptiLLM asks for a key of its own", settled=why)
        return
    base = lab.optillm
    yield VerifyCheck(
        "optillm-server.answers", "OptiLLM answers", (VerifyQuestion(HEALTH, base=base),), answers
    )
    yield VerifyCheck(
        "optillm-server.key",
        "OptiLLM asks for a key of its own",
        tuple(VerifyQuestion(CHAT, key, EMPTY, base=base) for key in (None, KeyRole.WRONG)),
        refused,
    )
    yield _address(lab)
    yield _way_back(lab)


def _no_optillm() -> VerifyJudgement:
    return not_applicable("there is no OptiLLM handle")


def answers(replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether something is there."""
    reply = replies[0]
    if reply.is_ok:
        return passed("200 from /health")
    return unexpected(reply, "200 from /health", "Start OptiLLM, or give its address.")


def refused(replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether OptiLLM refuses no key and a wrong one."""
    for reply, what in zip(replies, ("without a key", "with an unknown key"), strict=True):
        if reply.failure is not None:
            return not_checked(f"{reply.said}: see optillm-server.answers")
        if reply.status not in (401, 403):
            return unexpected(reply, f"401 {what}", SET_KEY)
    return passed("401 without a key and with an unknown one")


def _address(lab: VerifyLab) -> VerifyCheck:
    check, what = "optillm-server.loopback", "only its own machine reaches OptiLLM"
    parts = urlsplit(lab.optillm)
    if host_of(parts.hostname or "") != LOOPBACK:
        why = failed("it is reached at a network address: whoever reaches that can try its key", SET_HOST)
        return VerifyCheck(check, what, settled=why)
    bases = [
        f"{parts.scheme}://{_host(one)}:{parts.port or PORTS[parts.scheme]}" for one in lab.own_addresses
    ]
    questions = tuple(VerifyQuestion(HEALTH, base=base, seconds=TRY_SECONDS) for base in bases)
    if not questions:
        return VerifyCheck(check, what, settled=not_checked("this machine has no other address to try"))
    return VerifyCheck(check, what, questions, partial(loopback, lab.own_addresses))


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def loopback(addresses: Sequence[str], replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether nothing answers at this machine's other addresses."""
    for address, reply in zip(addresses, replies, strict=True):
        if reply.status:
            return failed(f"it answers at {address} too, so it listens on every address", SET_HOST)
    return passed(f"nothing answers at {', '.join(addresses)}")


def _way_back(lab: VerifyLab) -> VerifyCheck:
    check, what = "optillm-server.way-back", "OptiLLM reaches this gateway with a key that it takes"
    variable = lab.keys.variable(KeyRole.GATE)
    if not lab.knows(KeyRole.GATE):
        why = not_checked(f"{variable} is not set", f"Set {variable}, or give --env.")
        return VerifyCheck(check, what, settled=why)
    return VerifyCheck(
        check, what, (VerifyQuestion(MODELS, KeyRole.GATE, base=lab.optillm),), partial(way_back, variable)
    )


def way_back(variable: str, replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether its listing, which it fetches from its upstream, comes."""
    reply = replies[0]
    if reply.is_ok and isinstance(reply.part("data"), list):
        return passed("its listing is its upstream's")
    if reply.status in (401, 403):
        return failed(
            reply.said, f"{variable} is not the key that OptiLLM was started with: correct one of them."
        )
    if "401" in reply.body or "authentication" in reply.body.lower():
        return failed(
            f"{reply.said}: the gateway refuses the key of its calls back",
            "Give OptiLLM the value of OPTILLM_UPSTREAM_KEY as its OPENAI_API_KEY, and restart it.",
        )
    return not_checked(
        f"{reply.said} from {MODELS}: it is so too where --base-url ends in /engines/...",
        "See optillm.calls.",
    )
