"""What `/homelab/widget.json` says: one flat object, for Homepage, Glance, Homarr and Home Assistant."""

from __future__ import annotations

from dataclasses import dataclass

from litellm_homelab.page import states
from litellm_homelab.page.model import PageView, QuotaView


@dataclass(frozen=True, slots=True)
class Widget:
    """The contract's names; what there is nothing of is null."""

    handles_up: int
    handles_total: int
    backends_absent: int
    queue_waiting: int
    quota_low_name: str | None
    quota_low_left: int | None
    quota_low_resets_at: str | None
    loops_blocked_24h: int
    refusals_24h: int
    last_refusal: str | None


def widget(view: PageView) -> Widget:
    """The flat object of what the page shows; internal names do not count as handles."""
    handles = [one for one in view.handles if one.place == "handle"]
    low = _lowest(view)
    last = view.refusals[0] if view.refusals else None
    return Widget(
        sum(one.state in states.GOOD for one in handles),
        len(handles),
        sum(one.state in states.AWAY for one in view.backends),
        sum(one.waiting or 0 for one in view.backends),
        None if low is None else f"{low.name} {low.window}",
        None if low is None else low.left,
        None if low is None else low.resets_at,
        view.counts.loops_blocked_24h,
        view.counts.refusals_24h,
        None if last is None else _said(last.type, last.handle),
    )


def _lowest(view: PageView) -> QuotaView | None:
    """The window with the smallest share left."""
    limited = [one for one in view.quotas if one.limit]
    return min(limited, key=lambda one: (one.left or 0) / (one.limit or 1), default=None)


def _said(kind: str, handle: str | None) -> str:
    return kind if handle is None else f"{kind} ({handle})"
