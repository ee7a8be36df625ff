"""Makes the rules, what policies share, the policies, and the plugin that asks them."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.types import ASGIApp

from litellm_homelab import policies as registry
from litellm_homelab import state
from litellm_homelab.access import openings
from litellm_homelab.access.callers import Keyring
from litellm_homelab.access.rule import Gate
from litellm_homelab.adapter import recording
from litellm_homelab.adapter.backends.directory import Directory
from litellm_homelab.adapter.backends.discovered import Discovered
from litellm_homelab.adapter.callback import Plugin
from litellm_homelab.adapter.litellm_api import parameters
from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.adapter.litellm_api.hop_header import HopHeader
from litellm_homelab.adapter.litellm_api.last_line import LastLine
from litellm_homelab.adapter.litellm_api.root_accounts import IsRoot, Roots
from litellm_homelab.adapter.litellm_api.scrubbing import Scrub
from litellm_homelab.adapter.litellm_api.targets import Targets, target_of
from litellm_homelab.adapter.middleware.authentication import gate
from litellm_homelab.adapter.middleware.dropped_fields import Dropped
from litellm_homelab.adapter.middleware.page import Page
from litellm_homelab.adapter.middleware.request_end import Ending
from litellm_homelab.adapter.middleware.token_counts import counting
from litellm_homelab.adapter.optillm.admission import LineageGuard
from litellm_homelab.adapter.optillm.roots import RootKeeper
from litellm_homelab.adapter.page.board import Board
from litellm_homelab.adapter.page.events import RefusalLog
from litellm_homelab.adapter.page.logouts import Logouts
from litellm_homelab.adapter.page.requests import FollowedRoots, NotedCount
from litellm_homelab.adapter.page.sharing import Sharing
from litellm_homelab.adapter.page.sources import Sources
from litellm_homelab.adapter.policies import ranks
from litellm_homelab.adapter.policies.error_response import ErrorResponse
from litellm_homelab.adapter.policies.fields import RequestFields
from litellm_homelab.adapter.policies.presence import PresencePolicy
from litellm_homelab.adapter.policies.quotas import QuotaPolicy
from litellm_homelab.adapter.policies.request_opening import RequestOpening
from litellm_homelab.adapter.policies.request_stats import Count
from litellm_homelab.adapter.policies.showroom import ShowroomPolicy
from litellm_homelab.adapter.policy import Policy
from litellm_homelab.attempts.hops import GatewayIdentity
from litellm_homelab.backends.presence import probe_intervals
from litellm_homelab.backends.rule import Backends
from litellm_homelab.config.references import resolve
from litellm_homelab.config.settings import Settings
from litellm_homelab.fields.rule import Fields
from litellm_homelab.metrics.labels import Labels
from litellm_homelab.optillm.lanes import Lanes
from litellm_homelab.optillm.ledger import Ledger
from litellm_homelab.optillm.orphans import Orphans
from litellm_homelab.optillm.parameters import RELATIVES
from litellm_homelab.showroom import modes
from litellm_homelab.showroom.discovery import Discovery
from litellm_homelab.showroom.rule import Showroom


@dataclass(frozen=True, slots=True)
class Shared:
    """What policies are made from: the settings, the rules, and what several of them need."""

    settings: Settings
    rule: Gate
    keyring: Keyring
    showroom: Showroom
    lanes: Lanes
    deployments: Deployments
    targets: Targets
    fields: RequestFields
    ledger: Ledger
    orphans: Orphans
    guard: LineageGuard
    keeper: RootKeeper
    identity: GatewayIdentity
    opening: RequestOpening
    is_root: IsRoot
    scrub: Callable[[str], str]
    store: state.Store
    directory: Directory
    discovered: Discovered


@dataclass(frozen=True, slots=True)
class Parts:
    """The entry points, and what the middleware needs."""

    plugin: Plugin
    gate: Callable[..., Awaitable[Any]]
    rule: Gate
    fields: RequestFields
    keyring: Keyring
    showroom: ShowroomPolicy
    opening: RequestOpening
    ending: Ending
    last_line: LastLine
    is_root: IsRoot | None
    """None where no handle is OptiLLM."""
    scrub: Callable[[str], str]
    counting: ASGIApp
    """Serves the routes that count tokens."""
    presence: PresencePolicy | None
    """None where no backend has `presence`."""
    page: Page | None = None
    """None where `homelab.page` is off."""
    sharing: Sharing | None = None
    """Answers other workers' pages; None where `homelab.page` is off."""


def build(
    settings: Settings,
    router: Callable[[], Any],
    has_database: Callable[[], bool],
    mode_of: Callable[[str, str], str] = lambda model, _: modes.guessed(model),
) -> Parts:
    """
    Make everything from checked settings; `router` and `has_database` are asked at call time.

    `mode_of` knows the mode of a model (model, provider) that a backend lists.
    """
    recording.show(Labels.of(settings))
    shared = share(settings, router, mode_of)
    policies = [one.load().build(shared) for one in registry.active(settings.homelab)]
    showroom = next(one for one in policies if isinstance(one, ShowroomPolicy))
    presence = next((one for one in policies if isinstance(one, PresencePolicy)), None)
    if presence is not None:
        showroom.is_away = presence.is_away
        presence.presence.listed = shared.discovered.learn
    errors = ErrorResponse(shared.scrub, shared.keeper)
    served = page_of(shared, policies) if settings.homelab.page else None
    return Parts(
        plugin=Plugin(policies, shared.opening, showroom, errors),
        gate=gate(shared.keyring, shared.rule, shared.showroom, has_database),
        rule=shared.rule,
        fields=shared.fields,
        keyring=shared.keyring,
        showroom=showroom,
        opening=shared.opening,
        ending=Ending(
            shared.orphans,
            served.count if served is not None else Count(shared.keyring, shared.ledger),
            Dropped(
                (one.group for one in settings.router.deployments if not one.wildcard), shared.deployments
            ),
        ),
        last_line=LastLine(
            shared.rule,
            shared.targets,
            HopHeader(shared.identity, shared.ledger),
            partial(search_base, router),
        ),
        is_root=shared.is_root if shared.lanes.lanes else None,
        scrub=shared.scrub,
        counting=counting(shared.showroom, shared.opening),
        presence=presence,
        page=served.page if served is not None else None,
        sharing=served.sharing if served is not None else None,
    )


@dataclass(frozen=True, slots=True)
class Served:
    """What there is where `homelab.page` is on."""

    page: Page
    count: NotedCount
    sharing: Sharing


def page_of(shared: Shared, policies: Sequence[Policy]) -> Served:
    """Make the page and what gathers its facts; nothing of it is there where `homelab.page` is off."""
    roots = shared.keeper.under_way if isinstance(shared.keeper, FollowedRoots) else {}
    events = RefusalLog(shared.store, lambda: recording.meter().loops())
    presence = next((one for one in policies if isinstance(one, PresencePolicy)), None)
    quota = next((one for one in policies if isinstance(one, QuotaPolicy)), None)
    sources = Sources(shared, events, roots, presence, quota)
    sources.sharing.start()
    board = Board(sources.whole)
    return Served(
        Page(
            shared.rule,
            shared.keyring,
            shared.settings.secret,
            board,
            Logouts(shared.store),
            events.refused,
        ),
        NotedCount(shared.keyring, shared.ledger, events, roots),
        sources.sharing,
    )


def share(settings: Settings, router: Callable[[], Any], mode_of: Callable[[str, str], str]) -> Shared:
    """What policies share."""
    lanes = Lanes(settings.homelab.optillm)
    identity = identity_of(settings, os.environ)
    keyring = Keyring.from_settings(settings)
    store = state.connect(state.parse(settings.homelab.state, settings.folder))
    ledger = Ledger(store)
    orphans = Orphans(settings.homelab.limits.orphans)
    guard = LineageGuard(lanes.lanes, ledger, orphans)
    placed = settings.homelab.showroom
    discovered = Discovered(Discovery(settings), mode_of, probe_intervals(settings.homelab.backends))
    names = (*settings.handles, *placed.hidden, *placed.internal)
    deployments = Deployments(router, names, discovered.below)
    showroom = Showroom.from_settings(settings, deployments.mode_of, discovered)
    discovered.changed = showroom.forget
    targets = Targets(deployments, lanes.lanes)
    scrub = Scrub(settings.handles, deployments)
    fields = request_fields(settings)
    callers = {caller.name: caller for _, caller in keyring.entries}
    ui = openings.UI if settings.homelab.gate.ui else ()
    return Shared(
        settings=settings,
        rule=Gate((*settings.homelab.gate.open, *ui)),
        keyring=keyring,
        showroom=showroom,
        lanes=lanes,
        deployments=deployments,
        targets=targets,
        fields=fields,
        ledger=ledger,
        orphans=orphans,
        guard=guard,
        keeper=(FollowedRoots if settings.homelab.page else RootKeeper)(
            lanes.lanes, settings.secret, ledger, scrub, identity, ranks.of(settings)
        ),
        identity=identity,
        opening=RequestOpening(lanes, settings.secret, guard, callers, deployments, fields),
        is_root=Roots(deployments, lanes.lanes),
        scrub=scrub,
        store=store,
        directory=Directory(Backends(settings.homelab.backends), targets, deployments),
        discovered=discovered,
    )


def identity_of(settings: Settings, environ: Mapping[str, str]) -> GatewayIdentity:
    """
    Who this gateway is to others: the same for all processes that serve one router.yaml.

    Addresses count as they are resolved, the environment's included; so does LiteLLM's database, which may
    have models that the file does not.
    """
    general = settings.router.sections.get("general_settings", {})
    database = resolve(general.get("database_url"), environ) or environ.get("DATABASE_URL") or ""
    routes = [
        (one.group, one.model, *sorted(map(repr, target_of(one.group, one.params).bases)))
        for one in settings.router.deployments
    ]
    return GatewayIdentity.of(settings.secret, [*routes, ("", str(database))])


def request_fields(settings: Settings) -> RequestFields:
    """What judges the fields of requests."""
    rule = Fields(
        settings.homelab.fields, parameters.names(), RELATIVES, filters_tags(settings), parameters.banned()
    )
    return RequestFields(rule)


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
