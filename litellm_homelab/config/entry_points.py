"""Whether router.yaml loads the plugin and the gate, and what to write where it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from litellm_homelab.config.wording import plain, shown

if TYPE_CHECKING:
    from litellm_homelab.config.router_file import RouterFile
    from litellm_homelab.config.sections import Homelab

PLUGIN: Final = "litellm_homelab.plugin"
GATE: Final = "litellm_homelab.gate"
LINES: Final = (
    f"`custom_auth: {GATE}` under general_settings and `callbacks: [prometheus, {PLUGIN}]` under "
    "litellm_settings"
)
"""The two lines that load everything."""
OLD: Final = ("gate", "showroom", "approach", "loop_guard", "metrics")
OLD_PREFIX: Final = "litellm_homelab.hooks."
"""Where the entry points of earlier versions were."""
SILENT_CALLBACKS: Final = ("success_callback", "failure_callback", "callback", "input_callback")
"""Settings in which LiteLLM takes a callback and calls none of its deciding hooks (measured on 1.106.2)."""
STARTUP_HOOKS: Final = "LITELLM_WORKER_STARTUP_HOOKS"
STARTUP: Final = "litellm_homelab:startup"
"""The other way to load both: LiteLLM's environment variable, and its entry."""


def is_loaded_at_startup(environ: Mapping[str, str]) -> bool:
    """Whether LiteLLM's startup hooks load the plugin and the gate."""
    return STARTUP in [one.strip() for one in environ.get(STARTUP_HOOKS, "").split(",")]


def problems(router: RouterFile, homelab: Homelab | None, environ: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the lines that load the package; `homelab` is None where its shape is wrong."""
    old = [*_old(router)]
    yield from old or ([] if is_loaded_at_startup(environ) else _missing(router, homelab))
    litellm = router.sections.get("litellm_settings", {})
    for setting in SILENT_CALLBACKS:
        for name in _listed(litellm.get(setting)):
            if name == PLUGIN or name.startswith(OLD_PREFIX):
                yield f"litellm_settings.{setting}: {name} decides nothing here; move it to `callbacks`"


def _missing(router: RouterFile, homelab: Homelab | None) -> Iterator[str]:
    if PLUGIN not in router.callbacks:
        yield (
            f"litellm_settings.callbacks: {PLUGIN} is missing, so that nothing would apply "
            f"{_needing(homelab)}; add it to the list (listed: {', '.join(router.callbacks) or 'none'})"
        )
    auth = router.sections.get("general_settings", {}).get("custom_auth")
    if homelab is not None and homelab.callers and auth != GATE:
        yield (
            f"general_settings.custom_auth: must be {GATE} for homelab.callers to apply, got {shown(auth)}"
        )


def _old(router: RouterFile) -> Iterator[str]:
    auth = router.sections.get("general_settings", {}).get("custom_auth")
    if isinstance(auth, str) and auth.startswith(OLD_PREFIX):
        yield f"general_settings.custom_auth: {auth} is no longer an entry point; write {LINES}"
    names = [name for name in router.callbacks if name.startswith(OLD_PREFIX)]
    if names:
        are = "is no longer an entry point" if len(names) == 1 else "are no longer entry points"
        yield f"litellm_settings.callbacks: {', '.join(names)} {are}; write {LINES}"


def _needing(homelab: Homelab | None) -> str:
    """The sections that the plugin applies, of those that are set."""
    set_here = homelab.model_fields_set - {"state", "secret", "limits"} if homelab is not None else set()
    return ", ".join(f"homelab.{name}" for name in sorted(set_here)) or "homelab.showroom"


def _listed(value: object) -> list[str]:
    return [plain(item) for item in (value if isinstance(value, list) else [value] if value else [])]
