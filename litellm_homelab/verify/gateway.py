"""Whether a LiteLLM answers at the address, is ready, and has the right time and version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final

from litellm_homelab import TESTED_LITELLM
from litellm_homelab.advisories import rule
from litellm_homelab.advisories.listed import published
from litellm_homelab.config.key_checks import is_local
from litellm_homelab.verify.check import VerifyCheck, unexpected
from litellm_homelab.verify.exchange import (
    KeyRole,
    NoReply,
    VerifyJudgement,
    VerifyQuestion,
    VerifyReply,
    failed,
    not_applicable,
    not_checked,
    passed,
    plain,
)
from litellm_homelab.verify.lab import VerifyLab

LIVE: Final = "/health/liveliness"
READY: Final = "/health/readiness"
PAGE: Final = "/homelab.json"
CLOCK_SECONDS: Final = 30.0
"""How far two clocks may differ before tokens, quotas and logs are wrong in a way that is noticed."""
CONNECTED: Final = {"connected", "not connected"}
"""What LiteLLM says of its database where all is well, with one and without (1.106.2 to 1.110.2)."""
NO_GATEWAY: Final[dict[NoReply, str]] = {
    NoReply.REFUSED: "Start the gateway, or give the port that it listens on.",
    NoReply.NAME: "Check the spelling of the host.",
    NoReply.TLS: "Check scheme and port (http or https), and that this machine trusts the certificate.",
    NoReply.TIMEOUT: "Check that the address is the gateway's and that no firewall is in between.",
    NoReply.BROKEN: "Check the scheme and the port (http or https).",
}


def answers(lab: VerifyLab) -> VerifyCheck:
    """The check without which no other makes sense."""
    return VerifyCheck(
        "gateway.answers",
        "a LiteLLM answers at this address",
        (VerifyQuestion(LIVE),),
        partial(alive, lab.url),
    )


def checks(lab: VerifyLab) -> Iterator[VerifyCheck]:
    """The further ones."""
    yield VerifyCheck("gateway.ready", "it is ready to serve", (VerifyQuestion(READY),), ready)
    yield _encrypted(lab)
    yield VerifyCheck("gateway.clock", "its clock is right", (VerifyQuestion(LIVE),), clock)
    known = lab.knows(KeyRole.MASTER)
    questions = (VerifyQuestion(READY), *((VerifyQuestion(PAGE, KeyRole.MASTER),) if known else ()))
    yield VerifyCheck(
        "gateway.version", "its LiteLLM is a tested version without an exploited hole", questions, version
    )


def alive(url: str, replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether the answer is LiteLLM's."""
    reply = replies[0]
    if reply.failure is not None:
        return failed(f"no answer: {reply.said}", NO_GATEWAY.get(reply.failure, "Start the gateway."))
    if 300 <= reply.status < 400:
        return unexpected(
            reply,
            "the gateway's own answer",
            "Give the address that this one leads to, or let the proxy pass requests on.",
        )
    if reply.is_html:
        return unexpected(
            reply,
            "the gateway's own answer",
            "Something else answers here, such as the login of a reverse proxy. Let it pass /v1/* and "
            "/health/* on without a login: the gateway has its own keys.",
        )
    if reply.is_ok and "alive" in reply.body:
        return passed(f"{url} is alive")
    return unexpected(reply, "200 from /health/liveliness", "Give the address of a LiteLLM, without /v1.")


def ready(replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether LiteLLM says that it can serve, its database included."""
    reply = replies[0]
    database = str(reply.part("db") or "").lower()
    if reply.is_ok and (not database or database in CONNECTED):
        return passed(f"{reply.part('status') or 'ready'}, database {database or 'not mentioned'}")
    if database or "database" in reply.body.lower() or "db" in reply.type:
        return failed(
            f"{reply.said}, database {plain(database or 'not reachable')}",
            "Start LiteLLM's database, or correct DATABASE_URL.",
        )
    return unexpected(
        reply, "200 from /health/readiness", "Read the gateway's log: it says why it is not ready."
    )


def _encrypted(lab: VerifyLab) -> VerifyCheck:
    what = "keys do not cross a public network in clear text"
    if lab.url.startswith("https://"):
        settled = passed("https")
    elif is_local(lab.url):
        settled = not_applicable("this address is of this machine, of a home network or of a tailnet")
    else:
        settled = failed("http to a public address", "Put HTTPS in front of the gateway (docs/https.md).")
    return VerifyCheck("gateway.encrypted", what, settled=settled)


def clock(replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether the answer's Date is this machine's time."""
    reply = replies[0]
    try:
        date = parsedate_to_datetime(reply.headers["date"])
    except (KeyError, ValueError):
        return not_checked("its answers have no date")
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    apart = (datetime.fromtimestamp(reply.at, UTC) - date).total_seconds()
    if abs(apart) <= CLOCK_SECONDS:
        return passed("it agrees with this machine's")
    return failed(
        f"it is {abs(apart):.0f} s {'behind' if apart > 0 else 'ahead of'} this machine's",
        "Switch on time synchronisation on both: quotas and lineage tokens go by the gateway's clock.",
    )


def version(replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether the running LiteLLM is tested, and what is published of it."""
    found = _version(replies)
    if not found:
        return not_checked(
            "the gateway names its version to the page only",
            "Set `homelab.page: true` and give the master key, or run `litellm-homelab selftest` beside it.",
        )
    listed = published()
    exploited = [one.advisory.id for one in rule.concerns(found, listed.advisories, ()) if one.stops]
    if exploited:
        return failed(
            f"LiteLLM {found} has holes that are known to be exploited: {', '.join(exploited)}",
            f"Install a tested version ({', '.join(TESTED_LITELLM)}).",
        )
    if found in TESTED_LITELLM:
        return passed(f"LiteLLM {found}; advisories as of {listed.date}")
    return not_checked(
        f"LiteLLM {found} is not among the tested versions ({', '.join(TESTED_LITELLM)})",
        "Run `litellm-homelab selftest` beside the gateway.",
    )


def _version(replies: Sequence[VerifyReply]) -> str:
    """As the page says it; a stock LiteLLM says it to anyone."""
    places: tuple[Any, ...] = (
        replies[-1].part("gateway", "litellm"),
        replies[0].part("litellm_version"),
        replies[0].headers.get("x-litellm-version"),
    )
    return next((plain(one, 40) for one in places if isinstance(one, str) and one), "")
