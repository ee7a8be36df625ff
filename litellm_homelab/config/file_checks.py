"""What LiteLLM would silently make of a router.yaml that is not quite right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from litellm_homelab.config import key_checks
from litellm_homelab.config.findings import Caution
from litellm_homelab.config.references import ENV_PREFIX, unset_problem
from litellm_homelab.config.wording import did_you_mean, plain, quoted, shown
from litellm_homelab.showroom.modes import MODES

if TYPE_CHECKING:
    from litellm_homelab.config.router_file import RouterFile
    from litellm_homelab.config.settings import Known

FALLBACK_SETTINGS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")


def router_problems(router: RouterFile, known: Known) -> Iterator[str]:
    """What is wrong with the file around the `homelab:` section; some of it is a caution."""
    yield from _policy_problems(router, known)
    yield from _reference_problems(router)
    if not router.deployments:
        yield Caution(
            "model_list: missing or empty; a handle is a model_name of this list, or of LiteLLM's database"
        )
    if not has_vault(router):
        yield from key_checks.unset_findings(router)
    yield from _auto_router_problems(router)
    yield from _mode_problems(router)


def has_vault(router: RouterFile) -> bool:
    """Whether LiteLLM asks a vault for what is not in the environment."""
    return "key_management_system" in router.sections.get("general_settings", {})


def _auto_router_problems(router: RouterFile) -> Iterator[str]:
    for deployment in router.deployments:
        if deployment.params.get("auto_router_config_path"):
            yield (
                f"{deployment.where}.litellm_params.auto_router_config_path: not supported: the checks must "
                "see where it leads; write its content as auto_router_config"
            )


def unset_problems(unset: Iterable[tuple[str, str]]) -> Iterator[str]:
    """One line for each (place, environment variable)."""
    for where, variable in unset:
        yield unset_problem(where, variable, frozenset())


def _mode_problems(router: RouterFile) -> Iterator[str]:
    for group, deployments in router.groups.items():
        modes = sorted({one.mode for one in deployments if one.mode_is_set})
        if len(modes) > 1:
            yield (
                f"model_list: the deployments of {quoted(group)} differ in model_info.mode "
                f"({', '.join(modes)}); a handle serves one mode"
            )
        for mode in modes:
            if mode not in MODES:
                known = ", ".join(MODES)
                yield Caution(
                    f"model_list: {quoted(group)}: unknown model_info.mode {quoted(mode)}, which counts as "
                    f"chat (known: {known}){did_you_mean(mode, MODES)}"
                )


def _reference_problems(router: RouterFile) -> Iterator[str]:
    """References in the lists of fallbacks, which LiteLLM takes for names (measured on 1.106.2)."""
    for section in ("router_settings", "litellm_settings"):
        for setting in (*FALLBACK_SETTINGS, "default_fallbacks"):
            for text in _texts(router.sections.get(section, {}).get(setting)):
                if text.startswith(ENV_PREFIX):
                    yield Caution(
                        f"{section}.{setting}: LiteLLM does not resolve {text} in a list; write it as "
                        f"{{model: {text}}}, or write the name"
                    )


def _texts(value: object) -> Iterator[str]:
    """Texts in lists, at any depth."""
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for item in items:
        if isinstance(item, str) and isinstance(value, list):
            yield item
        yield from _texts(item)


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
            yield from _unknown_names(f"{where}.{plain(group)}", policy, known.retry_policy)


def _unknown_names(where: str, policy: object, known: frozenset[str]) -> Iterator[str]:
    """LiteLLM silently ignores a policy name that it does not know (measured on 1.106.2)."""
    if policy is not None and not isinstance(policy, Mapping):
        yield f"{where}: expected a mapping, got {shown(policy)}"
    for name in policy if isinstance(policy, Mapping) and known else ():
        if name not in known:
            names = ", ".join(sorted(known))
            right = _policy_meant(plain(name), known)
            yield Caution(f"{where}.{plain(name)}: LiteLLM ignores this name (known: {names}){right}")


def _policy_meant(name: str, known: frozenset[str]) -> str:
    """The policy that `RateLimitError` or `Timeout` was meant to be."""
    found = sorted(one for one in known if one.lower().startswith(name.lower()))
    return f"; did you mean {quoted(found[0])}?" if found else did_you_mean(name, known)
