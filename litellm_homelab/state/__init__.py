"""Where counters live: one small interface (`Store`), and memory, SQLite and Redis behind it."""

from litellm_homelab.config.state_url import Location, parse
from litellm_homelab.state.entry import Entry, Taken
from litellm_homelab.state.errors import Cause, StateUnavailable
from litellm_homelab.state.location import connect
from litellm_homelab.state.patience import answered, within
from litellm_homelab.state.pool import Claim, Claimed, Pool
from litellm_homelab.state.store import Store

__all__ = [
    "Cause",
    "Claim",
    "Claimed",
    "Entry",
    "Location",
    "Pool",
    "StateUnavailable",
    "Store",
    "Taken",
    "answered",
    "connect",
    "parse",
    "within",
]
