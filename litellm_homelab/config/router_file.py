"""What router.yaml says about models: groups, deployments, fallbacks, callbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from litellm_homelab.config import deployments, leads, references, wildcards, yaml_text
from litellm_homelab.config.deployments import Deployment
from litellm_homelab.config.leads import Lead
from litellm_homelab.config.references import is_unset, resolve
from litellm_homelab.config.wording import plain, shown
from litellm_homelab.config.yaml_text import NotReadable

__all__ = ["Deployment", "RouterFile", "is_unset", "parse", "resolve"]

FALLBACK_SETTINGS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")
"""LiteLLM's fallback lists, each `[{group: [group, ...]}, ...]`; read in both settings sections."""


@dataclass(frozen=True, slots=True)
class RouterFile:
    """The parts of router.yaml that the rules and the settings checks look at."""

    path: str
    deployments: tuple[Deployment, ...]
    fallbacks: tuple[tuple[str, str, tuple[str, ...]], ...]
    """(where it is, group, targets); the group `*` is `default_fallbacks`."""
    aliases: Mapping[str, str]
    callbacks: tuple[str, ...]
    search_tools: frozenset[str]
    includes: tuple[str, ...]
    """Further files that LiteLLM would merge in."""
    unset: tuple[tuple[str, str], ...]
    """(where it is, variable) of each `os.environ/` reference of a deployment that is not set."""
    approach_settings: tuple[tuple[str, str], ...]
    """(group, setting) of each deployment parameter that would choose or drop OptiLLM's approach."""
    sections: Mapping[str, Mapping[str, Any]] = field(repr=False)
    leads: tuple[Lead, ...] = ()
    """As `fallbacks`: where a deployment's own parameters take a request (`leads.py`)."""
    late: frozenset[str] = frozenset()
    """Variables that `environment_variables` sets, which is too late for every reference in the file."""
    in_database: bool = False
    """Whether LiteLLM adds models of its database (`store_model_in_db`)."""
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The whole file, as it is written."""

    @property
    def groups(self) -> dict[str, list[Deployment]]:
        """Deployments by `model_name`, in the order of the file."""
        found: dict[str, list[Deployment]] = {}
        for deployment in self.deployments:
            found.setdefault(deployment.group, []).append(deployment)
        return found

    def reachable(self, group: str) -> frozenset[str]:
        """Groups that LiteLLM may end up at for a request for `group`, itself included."""
        seen, todo = {group}, [group]
        while todo:
            here = todo.pop()
            for _, source, targets in (*self.fallbacks, *self.leads):
                if source in self.sources(here):
                    new = [target for target in targets if target not in seen]
                    seen.update(new)
                    todo.extend(new)
        return frozenset(seen)

    def sources(self, name: str) -> frozenset[str]:
        """
        Under which names LiteLLM finds what leads on from a group.

        For a name without fallbacks of its own it looks for those of the name without its provider
        (`_check_stripped_model_group`, 1.106.2). A deployment's own parameters stand below its wildcard.
        """
        patterns = (one.wildcard for one in self.groups.get(name, ()) if one.wildcard)
        return frozenset({name, "*", name.partition("/")[2] or name, *patterns})

    def with_names(self, names: Iterable[str], mode_of: Callable[[str, str], str]) -> RouterFile:
        """
        A copy that also has the groups of concrete names below wildcard groups.

        `mode_of` says which mode a deployment has (model, provider) whose `model_info` does not.
        """
        led = (name for _, source, targets in (*self.fallbacks, *self.leads) for name in (source, *targets))
        found = wildcards.below(self.groups, (*names, *led))
        every = (*self.deployments, *found)
        modes = (one.mode if one.mode_is_set else mode_of(one.model, one.custom_provider) for one in every)
        return replace(self, deployments=tuple(map(_with_mode, every, modes)))


def parse(text: str, path: str, environ: Mapping[str, str]) -> tuple[RouterFile, Mapping[str, Any]]:
    """
    Read router.yaml's text; the second value is its raw `homelab:` section (empty when there is none).

    Raises:
        NotReadable: not YAML, a duplicate key, or not a mapping.

    """
    return read(yaml_text.load(text), path, environ)


def read(document: object, path: str, environ: Mapping[str, str]) -> tuple[RouterFile, Mapping[str, Any]]:
    """As `parse`, of what the YAML contains."""
    if not isinstance(document, dict):
        raise NotReadable(f"expected a mapping at the top, got {shown(document)}")
    late = references.late(document.get("environment_variables"))
    environ = {name: value for name, value in environ.items() if name not in late}
    sections = {
        key: _resolved(value, environ) if str(key).endswith("_settings") else value
        for key, value in document.items()
        if isinstance(value, dict)
    }
    router, litellm = sections.get("router_settings", {}), sections.get("litellm_settings", {})
    found = tuple(deployments.read(document.get("model_list"), document.get("credential_list"), environ))
    file = RouterFile(
        path=path,
        deployments=found,
        fallbacks=tuple(_fallbacks("router_settings", router, environ))
        + tuple(_fallbacks("litellm_settings", litellm, environ)),
        aliases=_aliases(router.get("model_group_alias")),
        callbacks=_names(litellm.get("callbacks")),
        search_tools=frozenset(_search_tools(document.get("search_tools"))),
        includes=_names(document.get("include")),
        unset=tuple(deployments.unset(found)),
        approach_settings=tuple(deployments.approach_settings(found)),
        sections=sections,
        leads=(*leads.of_deployments(found, environ), *leads.of_settings(sections, environ)),
        late=late,
        in_database=_is_on(sections.get("general_settings", {}).get("store_model_in_db"))
        or _is_on(environ.get("STORE_MODEL_IN_DB")),
        document=document,
    )
    homelab = document.get("homelab")
    if homelab is not None and not isinstance(homelab, dict):
        raise NotReadable(f"homelab: expected a mapping, got {shown(homelab)}")
    return file, homelab or {}


def _resolved(value: Any, environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - YAML of any shape
    """A section with its references resolved, as LiteLLM does it: not in lists (1.106.2)."""
    if isinstance(value, dict):
        return {key: _resolved(item, environ) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item, environ) if isinstance(item, dict) else item for item in value]
    return resolve(value, environ)


def _is_on(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _with_mode(deployment: Deployment, mode: str) -> Deployment:
    return deployment if deployment.mode == mode else replace(deployment, mode=mode)


def _fallbacks(
    section: str, settings: Mapping[str, Any], environ: Mapping[str, str]
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for setting in FALLBACK_SETTINGS:
        for number, entry in enumerate(_dicts(settings.get(setting))):
            for source, targets in entry.items():
                yield f"{section}.{setting}[{number}]", plain(source), _fallback_names(targets, environ)
    default = settings.get("default_fallbacks")
    if default:
        yield f"{section}.default_fallbacks", "*", _fallback_names(default, environ)


def _fallback_names(targets: object, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Group names of a fallback list, references resolved; LiteLLM takes `{model: name, ...}` too."""
    found = targets if isinstance(targets, list) else [targets]
    names = (t.get("model", "") if isinstance(t, dict) else t for t in found)
    return tuple(plain(resolve(name, environ)) for name in names)


def _aliases(value: object) -> dict[str, str]:
    """`{alias: group}`; LiteLLM also takes `{alias: {model: group, hidden: true}}`."""
    return {
        plain(alias): plain(target.get("model", "")) if isinstance(target, dict) else plain(target)
        for alias, target in _dict(value).items()
    }


def _search_tools(entries: object) -> Iterator[str]:
    return (plain(entry["search_tool_name"]) for entry in _dicts(entries) if "search_tool_name" in entry)


def _names(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(plain(item) for item in value) if isinstance(value, list) else ()


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
