"""
Make a self-hosted LiteLLM gateway safe to put in front of your own models.

    general_settings: {custom_auth: litellm_homelab.gate}
    litellm_settings: {callbacks: [prometheus, litellm_homelab.plugin]}

`plugin` and `gate` are made when LiteLLM asks for them, once per process: making them reads the router.yaml
that the running LiteLLM was started with.  Wrong settings raise `SettingsError`, which stops the start.  No
module or package below this one may be called `plugin` or `gate`: LiteLLM's loader would get the module.
"""

from __future__ import annotations

import json
import pkgutil
from typing import Any

__version__ = "0.1.0"

TESTED_LITELLM: tuple[str, ...] = tuple(json.loads(pkgutil.get_data(__name__, "tested.json") or "{}"))
"""
LiteLLM versions that our tests have run against, from the lowest to the newest.

`make test-compat` writes the file when nothing failed; `tests/compat.py` says what runs.
"""

ENTRY_POINTS = ("gate", "plugin")
"""Names that router.yaml may load: an auth function and a callback."""


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute
    if name not in ENTRY_POINTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from litellm_homelab.adapter import startup

    return startup.entry_point(name)


def startup() -> None:
    """
    Load both entry points without a line in router.yaml.

    For images whose list of callbacks is generated: `LITELLM_WORKER_STARTUP_HOOKS=litellm_homelab:startup`,
    which LiteLLM calls in each worker before it reads its configuration (1.106.2).
    """
    from litellm_homelab.adapter import startup

    startup.install()
