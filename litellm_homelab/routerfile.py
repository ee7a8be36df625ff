"""What the operator's router.yaml says about models: groups, deployments, fallbacks, callbacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from litellm_homelab import yaml_text
from litellm_homelab.wording import shown
from litellm_homelab.yaml_text import NotReadable

ENV_PREFIX = "os.environ/"
FALLBACK_SETTINGS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")
"""LiteLLM's fallback lists, each `[{group: [group, ...]}, ...]`; read in both settings sections."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One entry of `model_list`, environment references resolved where the variable is set."""

    group: str
    model: str
    api_base: str = ""
    mode: str = "chat"

    @property
    def upstream_model(self) -> str:
        """The name the upstream sees: the model without LiteLLM's provider prefix."""
        return self.model.split("/", 1)[1] if "/" in self.model else self.model


@dataclass(frozen=True, slots=True)
class RouterFile:
    """The parts of router.yaml that the rules and the settings checks look at."""

    path: str
    deployments: tuple[Deployment, ...]
    fallbacks: tuple[tuple[str, str, tuple[str, ...]], ...]
    """(where it stands, group, targets); the group `*` is `default_fallbacks`."""
    aliases: Mapping[str, str]
    callbacks: tuple[str, ...]
    search_tools: frozenset[str]
    includes: tuple[str, ...]
    """Further files that LiteLLM would merge in."""
    unset: tuple[tuple[str, str], ...]
    """(where it stands, variable) of each `os.environ/` reference of a deployment that is not set."""
    approach_settings: tuple[tuple[str, str], ...]
    """(group, setting) of each deployment parameter that would choose or drop OptiLLM's approach."""
    sections: Mapping[str, Mapping[str, Any]] = field(repr=False)

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
            for _, source, targets in self.fallbacks:
                if source in {here, "*"}:
                    new = [target for target in targets if target not in seen]
                    seen.update(new)
                    todo.extend(new)
        return frozenset(seen)


def parse(text: str, path: str, environ: Mapping[str, str]) -> tuple[RouterFile, Mapping[str, Any]]:
    """
    Read router.yaml's text; the second value is its raw `homelab:` section (empty when there is none).

    Raises:
        NotReadable: not YAML, a key twice, or not a mapping.

    """
    document = yaml_text.load(text)
    if not isinstance(document, dict):
        raise NotReadable(f"expected a mapping at the top, got {shown(document)}")
    sections = {key: value for key, value in document.items() if isinstance(value, dict)}
    router, litellm = sections.get("router_settings", {}), sections.get("litellm_settings", {})
    file = RouterFile(
        path=path,
        deployments=tuple(_deployments(document.get("model_list"), environ)),
        fallbacks=tuple(_fallbacks("router_settings", router))
        + tuple(_fallbacks("litellm_settings", litellm)),
        aliases=_aliases(router.get("model_group_alias")),
        callbacks=_names(litellm.get("callbacks")),
        search_tools=frozenset(_search_tools(document.get("search_tools"))),
        includes=_names(document.get("include")),
        unset=tuple(_unset(document.get("model_list"), environ)),
        approach_settings=tuple(_approach_settings(document.get("model_list"))),
        sections=sections,
    )
    homelab = document.get("homelab")
    if homelab is not None and not isinstance(homelab, dict):
        raise NotReadable(f"homelab: expected a mapping, got {shown(homelab)}")
    return file, homelab or {}


def resolve(value: object, environ: Mapping[str, str]) -> object:
    """`os.environ/NAME` as the variable's value; anything else, or an unset variable, as it is."""
    if isinstance(value, str) and value.startswith(ENV_PREFIX):
        return environ.get(value.removeprefix(ENV_PREFIX), value)
    return value


def is_unset(resolved: object) -> bool:
    """Whether what `resolve` gave back is still a reference, because its variable is not set."""
    return isinstance(resolved, str) and resolved.startswith(ENV_PREFIX)


def _deployments(entries: object, environ: Mapping[str, str]) -> Iterator[Deployment]:
    for entry in _dicts(entries):
        params, info = _dict(entry.get("litellm_params")), _dict(entry.get("model_info"))
        yield Deployment(
            group=str(entry.get("model_name", "")),
            model=str(resolve(params.get("model", ""), environ)),
            api_base=str(resolve(params.get("api_base") or params.get("base_url") or "", environ)),
            mode=str(info.get("mode") or "chat"),
        )


def _unset(entries: object, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        for name, value in _dict(_dict(entry).get("litellm_params")).items():
            if is_unset(resolve(value, environ)):
                yield f"model_list[{number}].litellm_params.{name}", value.removeprefix(ENV_PREFIX)


def _approach_settings(entries: object) -> Iterator[tuple[str, str]]:
    for entry in _dicts(entries):
        params = _dict(entry.get("litellm_params"))
        if "optillm_approach" in params:
            yield str(entry.get("model_name", "")), "optillm_approach"
        if "optillm_approach" in _dict(params.get("extra_body")):
            yield str(entry.get("model_name", "")), "extra_body.optillm_approach"
        if "optillm_approach" in _names(params.get("additional_drop_params")):
            yield str(entry.get("model_name", "")), "additional_drop_params"


def _fallbacks(section: str, settings: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for setting in FALLBACK_SETTINGS:
        for number, entry in enumerate(_dicts(settings.get(setting))):
            for source, targets in entry.items():
                yield f"{section}.{setting}[{number}]", str(source), _fallback_names(targets)
    default = settings.get("default_fallbacks")
    if default:
        yield f"{section}.default_fallbacks", "*", _fallback_names(default)


def _fallback_names(targets: object) -> tuple[str, ...]:
    """Group names of a fallback list; LiteLLM also takes `{model: name, ...}` entries."""
    found = targets if isinstance(targets, list) else [targets]
    return tuple(str(t.get("model", "")) if isinstance(t, dict) else str(t) for t in found)


def _aliases(value: object) -> dict[str, str]:
    """`{alias: group}`; LiteLLM also takes `{alias: {model: group, hidden: true}}`."""
    return {
        str(alias): str(target.get("model", "")) if isinstance(target, dict) else str(target)
        for alias, target in _dict(value).items()
    }


def _search_tools(entries: object) -> Iterator[str]:
    return (str(entry["search_tool_name"]) for entry in _dicts(entries) if "search_tool_name" in entry)


def _names(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
