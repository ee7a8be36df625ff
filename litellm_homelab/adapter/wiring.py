"""Puts the rules, what they share, and the hooks together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.types import ASGIApp

from litellm_homelab import state
from litellm_homelab.access import openings
from litellm_homelab.access.callers import Keyring
from litellm_homelab.access.rule import Gate
from litellm_homelab.adapter import recording
from litellm_homelab.adapter.litellm_api import parameters
from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.adapter.litellm_api.last_line import LastLine
from litellm_homelab.adapter.litellm_api.scrubbing import Scrub
from litellm_homelab.adapter.litellm_api.targets import Targets
from litellm_homelab.adapter.middleware.authentication import gate
from litellm_homelab.adapter.middleware.dropped_fields import Dropped
from litellm_homelab.adapter.middleware.request_end import Ending
from litellm_homelab.adapter.middleware.token_counts import counting
from litellm_homelab.adapter.policies.admission import LineageGuard
from litellm_homelab.adapter.policies.approach import ApproachCallback
from litellm_homelab.adapter.policies.error_response import Closing
from litellm_homelab.adapter.policies.fields import RequestFields
from litellm_homelab.adapter.policies.loop_guard import LoopGuardCallback
from litellm_homelab.adapter.policies.metrics import MetricsCallback
from litellm_homelab.adapter.policies.request_opening import Opening
from litellm_homelab.adapter.policies.request_stats import Count
from litellm_homelab.adapter.policies.roots import RootKeeper
from litellm_homelab.adapter.policies.showroom import ShowroomCallback
from litellm_homelab.config.settings import Settings
from litellm_homelab.fields.rule import Fields
from litellm_homelab.metrics.labels import Labels
from litellm_homelab.optillm.lanes import Lanes
from litellm_homelab.optillm.ledger import Ledger
from litellm_homelab.optillm.orphans import Orphans
from litellm_homelab.optillm.parameters import RELATIVES
from litellm_homelab.showroom.rule import Showroom

METRICS = "litellm_homelab.hooks.metrics"
"""The callback without which nothing is counted."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The entry points by their names in router.yaml, and what the ASGI wrapper needs."""

    gate: Callable[..., Awaitable[Any]]
    rule: Gate
    fields: RequestFields
    keyring: Keyring
    showroom: ShowroomCallback
    approach: ApproachCallback
    loop_guard: LoopGuardCallback
    metrics: MetricsCallback
    opening: Opening
    ending: Ending
    last_line: LastLine
    scrub: Callable[[str], str]
    counting: ASGIApp
    """Serves the routes that count tokens."""


def build(settings: Settings, router: Callable[[], Any], has_database: Callable[[], bool]) -> Parts:
    """Make everything from checked settings; `router` and `has_database` are asked at call time."""
    if METRICS in settings.router.callbacks:
        recording.show(Labels.of(settings))
    lanes = Lanes(settings.homelab.optillm)
    keyring = Keyring.from_settings(settings)
    rule = Gate((*settings.homelab.gate.open, *(openings.UI if settings.homelab.gate.ui else ())))
    fields = RequestFields(
        Fields(
            settings.homelab.fields,
            parameters.names(),
            RELATIVES,
            filters_tags(settings),
            parameters.banned(),
        )
    )
    ledger = Ledger(state.connect(state.parse(settings.homelab.state, settings.folder)))
    orphans = Orphans(settings.homelab.limits.orphans)
    guard = LineageGuard(lanes.lanes, ledger, orphans)
    placed = settings.homelab.showroom
    deployments = Deployments(router, (*settings.handles, *placed.hidden, *placed.internal))
    scrub = Scrub(settings.handles, deployments)
    keeper = RootKeeper(lanes.lanes, settings.secret, ledger, scrub)
    targets = Targets(deployments, lanes.lanes)
    callers = {caller.name: caller for _, caller in keyring.entries}
    opening = Opening(lanes, settings.secret, guard, callers, deployments)
    showroom = Showroom.from_settings(settings, deployments.mode_of)
    closing = Closing(scrub, keeper)
    return Parts(
        gate=gate(keyring, rule, showroom, has_database),
        rule=rule,
        fields=fields,
        keyring=keyring,
        showroom=ShowroomCallback(showroom, opening, deployments, closing, targets, fields),
        approach=ApproachCallback(lanes, opening, deployments),
        loop_guard=LoopGuardCallback(lanes, opening, deployments, guard, keeper, closing, showroom),
        metrics=MetricsCallback(deployments),
        opening=opening,
        ending=Ending(
            orphans,
            Count(keyring, ledger),
            Dropped((one.group for one in settings.router.deployments), deployments),
        ),
        last_line=LastLine(rule, targets, partial(search_base, router)),
        scrub=scrub,
        counting=counting(showroom, opening),
    )


def search_base(router: Callable[[], Any], tool: str) -> str | None:
    """The `api_base` of a search tool of LiteLLM's router; None where it has none of its own."""
    for one in getattr(router(), "search_tools", None) or ():
        if one.get("search_tool_name") == tool:
            found = (one.get("litellm_params") or {}).get("api_base")
            return found if isinstance(found, str) else None
    return None


def filters_tags(settings: Settings) -> bool:
    """Whether tags choose among deployments (`router_settings.enable_tag_filtering`)."""
    return bool(settings.router.sections.get("router_settings", {}).get("enable_tag_filtering"))
