"""The gate's rule: may this caller use this route?"""

from __future__ import annotations

from dataclasses import dataclass, field

from litellm_homelab import refusals
from litellm_homelab.access.callers import MASTER, READS_ONLY, Caller
from litellm_homelab.access.table import OWN, Access, Route, Table, access, is_unreviewed, matches, reviewed
from litellm_homelab.decision import Allow, Refuse


@dataclass(frozen=True, slots=True)
class Gate:
    """
    Who may use which route.

    `opened` are the names and patterns of `homelab.gate.open`: what the table closes and the operator has
    opened. Only LiteLLM's own checks apply there.
    """

    opened: tuple[str, ...] = ()
    table: Table = field(default_factory=reviewed)

    def access(self, route: Route) -> Access:
        """Who may use a route; if router.yaml opens it, clients may."""
        return self.placed(route)[0]

    def placed(self, route: Route) -> tuple[Access, bool]:
        """Who may use a route, and whether that is so because the operator has opened it."""
        kind = access(route, self.table)
        if kind in {Access.UNGUARDED, Access.KEYLESS} and self._opens(route):
            return Access.GUARDED, True
        return kind, False

    def before_key(self, route: Route, caller: Caller | None, kind: Access | None = None) -> Allow | Refuse:
        """
        Decide on what LiteLLM would serve without asking us for a key, and on what no client may use.

        `caller` is who sent the key, None for no key or one that is not ours; `kind` is the route's access,
        where it is known. Any other route is decided once LiteLLM asks whose key it is.
        """
        kind = kind or self.access(route)
        if kind is Access.UNGUARDED:
            return self._closed(route)
        if kind is Access.KEYLESS:
            return self._master_only(route, caller)
        return Allow()

    @staticmethod
    def unknown(*, missing: bool) -> Refuse:
        """The refusal of a request without a key, or with an unknown one."""
        return refusals.key_missing() if missing else refusals.key_unknown()

    def metrics(self, caller: Caller | None) -> Allow | Refuse:
        """Decide on `/metrics/`: role `metrics` and the master key."""
        if matches("/metrics", self.opened) or caller is MASTER:
            return Allow()
        if caller is None:
            return refusals.metrics_key_missing()
        if caller.role == "metrics":
            return Allow()
        return refusals.metrics_with_another_role()

    def page(self, route: Route, caller: Caller | None) -> Allow | Refuse:
        """Decide on a route of the page: role `admin` and the master key; `widgets` reads its own route."""
        kind = self.table.get((route.method, route.path))
        if kind is Access.LOGIN:
            return Allow()
        if kind not in {Access.PAGE, Access.WIDGETS}:
            return self._closed(route)
        roles = ("admin", "widgets") if kind is Access.WIDGETS else ("admin",)
        if caller is None:
            return refusals.page_key_missing(route.path, roles)
        if caller is MASTER or caller.role in roles:
            return Allow()
        return refusals.page_with_another_role(route.path, roles)

    def decide(self, route: Route, caller: Caller) -> Allow | Refuse:
        """Decide on a route for a caller whose key is known."""
        kind = self.access(route)
        if kind is Access.METRICS:
            return self.metrics(caller)
        if kind is Access.UNGUARDED:
            return self._closed(route)
        if kind in OWN:
            return self.page(route, caller)
        if caller is MASTER or kind is Access.OPEN:
            return Allow()
        if caller.role in READS_ONLY:
            return refusals.reading_key_elsewhere(READS_ONLY[caller.role])
        if kind in {Access.MANAGEMENT, Access.KEYLESS}:
            return self._master_only(route, caller)
        if caller.routes is None or matches(route.path, caller.routes):
            return Allow()
        return refusals.route_of_other_callers(route, caller.routes)

    def guards(self, route: Route) -> bool:
        """Whether our rules decide on all that a route leads to; False for what the operator has opened."""
        return access(route, self.table) is Access.GUARDED

    def _opens(self, route: Route) -> bool:
        """
        Whether the operator has opened a route; an unreviewed one only by its whole path.

        A pattern was written for the routes that there were: it opens none that a new LiteLLM puts below it.
        """
        return route.path in self.opened or (
            matches(route.path, self.opened) and not is_unreviewed(route, self.table)
        )

    def _closed(self, route: Route) -> Refuse:
        unreviewed = is_unreviewed(route, self.table)
        return refusals.route_unreviewed(route) if unreviewed else refusals.route_closed(route)

    @staticmethod
    def _master_only(route: Route, caller: Caller | None) -> Allow | Refuse:
        if caller is MASTER:
            return Allow()
        if caller is None:
            return refusals.master_key_missing(route)
        return refusals.route_of_the_master_key(route)
