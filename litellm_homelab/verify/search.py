"""Web search through the gateway: guarded, and with results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from litellm_homelab.verify.access import SET_GATE
from litellm_homelab.verify.check import VerifyCheck, unexpected
from litellm_homelab.verify.exchange import (
    VerifyJudgement,
    VerifyQuestion,
    VerifyReply,
    failed,
    not_applicable,
    not_checked,
    passed,
)
from litellm_homelab.verify.lab import VerifyLab

BODY: Final = {"query": "home lab"}
SECONDS: Final = 30.0
SEARXNG: Final = "searxng"
LOOK: Final = (
    "Ask it directly: GET /search?q=lab&format=json at the tool's `api_base`. A SearXNG must be running "
    "there and have `json` in `search.formats` of its settings.yml (docs/web-search.md)."
)


def checks(lab: VerifyLab) -> Iterator[VerifyCheck]:
    """Two for each search tool."""
    if not lab.search_tools:
        why = not_applicable("router.yaml has no `search_tools`")
        yield VerifyCheck("search.answers", "the search tool has results", settled=why)
    for tool, provider in lab.search_tools.items():
        path = f"/v1/search/{tool}"
        yield VerifyCheck(
            "search.key",
            "nothing is searched without a key",
            (VerifyQuestion(path, None, BODY, seconds=SECONDS),),
            guarded,
            tool,
        )
        where = "through the gateway and SearXNG" if provider in (SEARXNG, "") else f"through {provider}"
        yield VerifyCheck(
            "search.answers",
            f"it has results, {where}",
            (VerifyQuestion(path, lab.client, BODY, seconds=SECONDS),),
            partial(results, lab.is_configured),
            tool,
        )


def guarded(replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether a search without a key is refused."""
    reply = replies[0]
    if reply.status in (401, 404):
        return passed(f"{reply.status} without a key")
    if reply.failure is not None:
        return not_checked(reply.said, "Run it again.")
    return unexpected(reply, "401", SET_GATE)


def results(is_configured: bool, replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether results came, each with an address."""
    reply = replies[0]
    found = reply.part("results")
    if reply.status == 404 and not is_configured:
        return not_applicable("there is no such search tool; --config says which there are")
    if reply.status == 404:
        return failed(
            f"{reply.said}: the running gateway does not have this tool",
            "Is this the gateway of this router.yaml? Restart it.",
        )
    if reply.status in (401, 403):
        return not_checked(f"{reply.said}: this key may not search")
    if not reply.is_ok or not isinstance(found, list):
        return unexpected(reply, "200 with results", LOOK)
    if not any(isinstance(one, dict) and one.get("url") for one in found):
        return failed("no result", f"Every engine of SearXNG may be blocked: look into its log. {LOOK}")
    return passed(f"{len(found)} results")
