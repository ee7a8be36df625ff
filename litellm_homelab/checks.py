"""What LiteLLM would silently make of a router.yaml that is not quite right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from litellm_homelab.showroom.modes import MODES
from litellm_homelab.wording import shown

if TYPE_CHECKING:
    from litellm_homelab.routerfile import RouterFile
    from litellm_homelab.settings import Known

HOOKS = "litellm_homelab.hooks."
"""Where our entry points live; a `callbacks` entry is this and the section's name."""
SILENT_CALLBACKS = ("success_callback", "failure_callback", "callback", "input_callback")
"""Settings in which LiteLLM takes a callback and calls none of its deciding hooks (measured on 1.106.2)."""


def router_problems(router: RouterFile, known: Known) -> Iterator[str]:
    """What is wrong with the file around the `homelab:` section, in words."""
    yield from _callback_problems(router)
    yield from _policy_problems(router, known)
    if not router.deployments:
        yield "model_list: missing or empty; a handle is a model_name of this list"
    if router.includes:
        yield (
            f"include: not supported ({', '.join(router.includes)}): the checks need the whole "
            "configuration in this file; copy its sections here"
        )
    if "key_management_system" not in router.sections.get("general_settings", {}):
        yield from unset_problems(router.unset)
    yield from _mode_problems(router)


def unset_problems(unset: Iterable[tuple[str, str]]) -> Iterator[str]:
    """
    One line for each (place, environment variable).

    LiteLLM goes on without the setting: without an `api_base` a local model's prompts would go to
    api.openai.com (read from LiteLLM 1.106.2).
    """
    for where, variable in unset:
        yield f"{where}: the environment variable {variable} is not set"


def _mode_problems(router: RouterFile) -> Iterator[str]:
    for group, deployments in router.groups.items():
        modes = sorted({deployment.mode for deployment in deployments})
        if len(modes) > 1:
            yield (
                f"model_list: the deployments of {group!r} differ in model_info.mode ({', '.join(modes)}); "
                "a handle serves one mode"
            )
        for mode in modes:
            if mode not in MODES:
                yield f"model_list: {group!r}: unknown model_info.mode {mode!r} (known: {', '.join(MODES)})"


def _callback_problems(router: RouterFile) -> Iterator[str]:
    litellm = router.sections.get("litellm_settings", {})
    if f"{HOOKS}showroom" not in router.callbacks:
        yield (
            f"litellm_settings.callbacks: {HOOKS}showroom is missing, so that nothing would apply "
            f"homelab.showroom; add it to the list (listed: {', '.join(router.callbacks) or 'none'})"
        )
    for setting in SILENT_CALLBACKS:
        for name in _listed(litellm.get(setting)):
            if name.startswith(HOOKS):
                yield f"litellm_settings.{setting}: {name} decides nothing here; move it to `callbacks`"


def _listed(value: object) -> list[str]:
    return [str(item) for item in (value if isinstance(value, list) else [value] if value else [])]


def _policy_problems(router: RouterFile, known: Known) -> Iterator[str]:
    for section in ("router_settings", "litellm_settings"):
        settings = router.sections.get(section, {})
        for setting, names in (
            ("retry_policy", known.retry_policy),
            ("allowed_fails_policy", known.allowed_fails_policy),
        ):
            yield from _unknown_names(f"{section}.{setting}", settings.get(setting), names)
        where = f"{section}.model_group_retry_policy"
        by_group = settings.get("model_group_retry_policy")
        if by_group is not None and not isinstance(by_group, Mapping):
            yield f"{where}: expected a mapping, got {shown(by_group)}"
        for group, policy in by_group.items() if isinstance(by_group, Mapping) else ():
            yield from _unknown_names(f"{where}.{group}", policy, known.retry_policy)


def _unknown_names(where: str, policy: object, known: frozenset[str]) -> Iterator[str]:
    """LiteLLM ignores a policy name that it does not know without a word (measured on 1.106.2)."""
    if policy is not None and not isinstance(policy, Mapping):
        yield f"{where}: expected a mapping, got {shown(policy)}"
    for name in policy if isinstance(policy, Mapping) and known else ():
        if name not in known:
            yield f"{where}.{name}: LiteLLM would ignore this name (known: {', '.join(sorted(known))})"
