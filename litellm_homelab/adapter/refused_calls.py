"""Ends requests of which the transport has refused a call: LiteLLM takes that for an error of the backend."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.litellm_api import hop_header, last_line
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.adapter.policies.quotas import QuotaPolicy

RULES: Final = frozenset({last_line.RULE, hop_header.RULE, QuotaPolicy.name})
"""Rules whose refusal of a call ends its request; after a limit of `timeouts` the next group may answer."""


def end_request(ctx: RequestContext | None) -> None:
    """
    End a request of which a call was refused, before any policy looks at its next attempt.

    Raises:
        Refused: one was; a 400 for LiteLLM's router, which cools a deployment down for a 404 and for every
            5xx (measured on 1.106.2). The client gets the refusal's own status (`LastWord`).

    """
    refusal = ctx.outcome.refusal if ctx is not None else None
    if ctx is None or refusal is None:
        return
    rule = ctx.outcome.rule_of(refusal)
    if rule in RULES:
        raise Refused(replace(refusal, to_child=True), rule)
