"""The windows of quotas as the page shows them: used, limit, reset, and where the limit is from."""

from __future__ import annotations

from collections.abc import Iterator

from litellm_homelab.page.facts import Closed, QuotaWindow
from litellm_homelab.quotas.forecast import LONG, used_up_at
from litellm_homelab.quotas.rule import Quota
from litellm_homelab.quotas.windows import Instant
from litellm_homelab.state.account import Account, Use

CONFIGURED = "configuration"
PRESET = "preset"
PROVIDER = "provider"
"""The source of a limit that only the provider knows, until it has said one."""


def windows(quota: Quota, account: Account, at: Instant) -> Iterator[QuotaWindow]:
    """Each window of a quota whose use is counted here."""
    of = {one.name: one for one in quota.windows}
    for use in quota.uses(0, at):
        window = of[use.name]
        span, used, limit = window.calendar.span(at), account.total(use.keys), account.limit_of(use)
        is_long = not window.rolling and window.calendar.per in LONG
        yield QuotaWindow(
            quota.name,
            use.name,
            used,
            limit,
            span.end,
            _source(account, use, limit),
            window.rolling,
            used_up_at(window, used, limit, at) if is_long else None,
        )


def closures(quota: Quota, account: Account, at: Instant) -> Iterator[Closed]:
    """What the provider has closed now."""
    for name, one in account.closed.items():
        if one.since <= at < one.until:
            yield Closed(quota.name, name, one.until, one.state, one.source, one.group)


def _source(account: Account, use: Use, limit: int | None) -> str:
    """Where the limit that counts is from."""
    said = account.limits.get(use.name)
    if said is not None and said.limit == limit and (use.limit is None or said.limit != use.limit):
        return said.source
    if use.limit is None:
        return PROVIDER
    return PRESET if use.documented else CONFIGURED
