"""
What router.yaml loads: one instance each, made when LiteLLM asks for it.

    general_settings: {custom_auth: litellm_homelab.hooks.gate}
    litellm_settings: {callbacks: [prometheus, litellm_homelab.hooks.showroom, ...]}

Making one reads the router.yaml that the running LiteLLM was started with; wrong settings raise
`SettingsError`, which stops the start (measured on LiteLLM 1.106.2: a callback that cannot be imported
ends the process with status 3).
"""

from __future__ import annotations

from typing import Any

ENTRY_POINTS = ("gate", "showroom", "approach", "loop_guard", "metrics")
"""Names that router.yaml may load, in the order in which the shipped file lists them."""


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute
    if name not in ENTRY_POINTS:
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r} (there is: {', '.join(ENTRY_POINTS)})"
        )
    from litellm_homelab.adapter import startup

    return startup.entry_point(name)
