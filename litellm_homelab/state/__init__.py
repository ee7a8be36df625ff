"""Where counters live: one small interface (`Store`), and memory, SQLite and Redis behind it."""

from litellm_homelab.state.entry import Entry, Taken
from litellm_homelab.state.errors import Cause, StateUnavailable
from litellm_homelab.state.location import Location, connect, parse
from litellm_homelab.state.store import Store

__all__ = ["Cause", "Entry", "Location", "StateUnavailable", "Store", "Taken", "connect", "parse"]
