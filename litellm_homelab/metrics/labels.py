"""What values the labels of metrics may have: names of the configuration and of this package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Final

from litellm_homelab.access.callers import MASTER
from litellm_homelab.backends import priority
from litellm_homelab.backends.presence import BackendState, ProbeOutcome
from litellm_homelab.decision import RefusalType
from litellm_homelab.fields import metadata
from litellm_homelab.fields.lists import reviewed
from litellm_homelab.optillm import wire
from litellm_homelab.policies import POLICIES
from litellm_homelab.quotas.rule import Quotas
from litellm_homelab.timeouts.rule import Limit

if TYPE_CHECKING:
    from litellm_homelab.config.settings import Settings

OTHER: Final = "other"
"""The value of a label for what the configuration does not name."""
NO_POLICIES: Final = (
    *("gate", "edge", "plugin", "prompt_tags", "transport", "wire", "headers", "answers", "cooldown"),
    *("state", "page"),
)
"""Values of `rule` besides the policies' names; `state` is the store, whichever rule asked it."""
RULES: Final = (*NO_POLICIES, *(one.name for one in POLICIES))
"""
Values of `rule`: who refused, or broke.

A test reads the package's source and fails when a label that it uses is not listed here
(`tests/adapter/test_rule_labels.py`). A hook of another package that uses `closed` adds its own label.
"""
ACTIONS: Final = ("run", "neutralised", "refused")
"""Values of `action`: what became of a request for an approach; `neutralised` ran with its tags inert."""
OUTCOMES: Final = ("answered", "failed", "left")
"""Values of `outcome`: how an attempt ended; `left` is a client that hung up."""
WAKES: Final = ("sent", "failed")
"""Values of `outcome` of `homelab_wakes_total`."""
KINDS: Final = ("prompt", "completion")
"""Values of `kind`: which tokens."""
SOURCES: Final = ("key", "header", "body", "retry_after", "unknown")
"""Values of `source`: where an answer of a provider says something of its limits."""
HOOKS: Final = ("gate", "pre_call", "attempt", "wire", "success", "stream", "failure", "headers", "listing")
"""Values of `hook`: kinds of hooks whose time is measured."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What values labels may have: names of the configuration."""

    groups: tuple[str, ...] = ()
    """Every group of `model_list`."""
    callers: tuple[str, ...] = (MASTER.name,)
    lanes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Approaches by handle: those that are OptiLLM, or fall back to it."""
    chains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Handles with fallbacks: the groups that are tried, in order, the handle's own first."""
    slots: Mapping[str, int] = field(default_factory=dict)
    """Backends that have slots, and how many."""
    queues: Mapping[str, int] = field(default_factory=dict)
    """How many requests may wait for each of them."""
    followed: tuple[str, ...] = ()
    """Backends of which it is known whether they are there."""
    woken: tuple[str, ...] = ()
    """Backends that are woken."""
    timed: tuple[str, ...] = ()
    """Handles one of whose groups has limits (`homelab.timeouts`)."""
    quota_limits: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Limits of quotas by quota and window."""
    quotas: tuple[str, ...] = ()
    """Quotas (`homelab.quotas`)."""
    rules: tuple[str, ...] = RULES
    """Rules whose refusals and failures are counted by name."""

    @classmethod
    def of(cls, settings: Settings) -> Labels:
        """Read them off checked settings."""
        router, lanes = settings.router, settings.homelab.optillm
        reached = {group: router.reachable(group) & lanes.keys() for group in router.groups}
        chains = {source: targets for _, source, targets in reversed(router.fallbacks)}
        return cls(
            groups=tuple(router.groups),
            callers=(MASTER.name, *settings.homelab.callers),
            lanes={
                group: tuple(dict.fromkeys(name for lane in sorted(found) for name in lanes[lane].approaches))
                for group, found in reached.items()
                if found
            },
            chains={group: (group, *chains[group]) for group in router.groups if group in chains},
            quota_limits={
                (one.name, window.name): window.limit
                for one in Quotas(settings.homelab.quotas).all
                for window in one.windows
                if window.limit is not None
            },
            quotas=tuple(settings.homelab.quotas),
            queues={name: one.queue.length for name, one in settings.homelab.backends.items() if one.slots},
            slots={name: one.slots for name, one in settings.homelab.backends.items() if one.slots},
            woken=tuple(n for n, one in settings.homelab.backends.items() if one.wake is not None),
            followed=tuple(n for n, one in settings.homelab.backends.items() if one.presence is not None),
            timed=tuple(router.groups) if settings.homelab.timeouts else (),
        )

    def values(self) -> dict[str, frozenset[str]]:
        """Allowed values by label, `other` aside."""
        groups = frozenset(self.groups)
        return {
            "rule": frozenset(self.rules),
            "type": frozenset(kind.value for kind in RefusalType),
            "handle": groups,
            "target": groups,
            "caller": frozenset(self.callers),
            "approach": frozenset(name for names in self.lanes.values() for name in names),
            "action": frozenset(ACTIONS),
            "outcome": frozenset((*OUTCOMES, *ProbeOutcome, *WAKES)),
            "kind": frozenset(KINDS),
            "hook": frozenset(HOOKS),
            "state": frozenset(BackendState),
            "backend": frozenset((*self.slots, *self.followed)),
            "priority": frozenset(priority.NAMES),
            "limit": frozenset(Limit),
            "quota": frozenset(self.quotas),
            "source": frozenset(SOURCES),
            "field": wire.FIELD_NAMES | field_names(),
        }

    def seeds(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """
        Series to show from the start, as (metric, values): those that alerts and dashboards look at.

        Prometheus sees no increase in a counter whose first value is already its last: without a zero to
        rise from, the first loop of a quiet gateway would raise no alert.
        """
        yield from product(["homelab_rule_errors_total"], product(self.rules))
        yield from product(["homelab_loops_total"], product((*self.lanes, OTHER)))
        for handle, approaches in self.lanes.items():
            both = [*product([handle], approaches)]
            yield from product(["homelab_optillm_children"], both)
            yield from product(
                ["homelab_optillm_tokens_total"], ((*one, kind) for one in both for kind in KINDS)
            )
        yield from product(["homelab_timeouts_total"], product(self.timed, Limit))
        for handle in self.groups:
            targets = self.chains.get(handle, (handle,))
            yield from product(["homelab_attempts_total"], product([handle], targets, OUTCOMES))
        yield from product(["homelab_backend_probes_total"], product(self.followed, ProbeOutcome))
        yield from product(["homelab_wakes_total"], product(self.woken, WAKES))
        yield from product(["homelab_quota_learned_total"], product(self.quotas, SOURCES))
        yield from product(["homelab_queue_seconds"], product(self.slots, priority.NAMES))
        yield "homelab_refusals_total", ("gate", RefusalType.AUTHENTICATION_ERROR, OTHER, OTHER)
        for caller in self.callers:
            yield "homelab_refusals_total", ("gate", RefusalType.ROUTE_NOT_ALLOWED, OTHER, caller)
            yield "homelab_refusals_total", ("showroom", RefusalType.MODEL_NOT_FOUND, OTHER, caller)
            for handle in self.lanes:
                yield "homelab_refusals_total", ("loop_guard", RefusalType.FANOUT_EXCEEDED, handle, caller)

    def numbers(self, gauge: str) -> Iterator[tuple[tuple[str, ...], int]]:
        """What a gauge shows from the start, as (values of its labels, number)."""
        by_backend = {"homelab_slots": self.slots, "homelab_queue_limit": self.queues}
        if gauge in by_backend:
            yield from (((name,), number) for name, number in by_backend[gauge].items())
        else:
            yield from (((handle, target), left) for handle, target, left in self.rungs_left())

    def rungs_left(self) -> Iterator[tuple[str, str, int]]:
        """Of each chain: (handle, group, groups below it)."""
        for handle, chain in self.chains.items():
            for left, target in enumerate(reversed(chain)):
                yield handle, target, left


def field_names() -> frozenset[str]:
    """The names that a dropped field is counted under; any other is `other`."""
    lists = reviewed()
    keys = {f"{root}.{key}" for root in metadata.FIELDS for key in lists.metadata_dropped}
    return frozenset({*lists.dropped, *lists.everywhere, *keys})
