"""Where counters live: one small interface (`Store`), and memory, SQLite and Redis behind it."""

from litellm_homelab.state.entry import Entry, Taken
from litellm_homelab.state.location import Location, connect, parse
from litellm_homelab.state.store import StateUnavailable, Store

__all__ = ["Entry", "Location", "StateUnavailable", "Store", "Taken", "connect", "parse"]
