"""The `homelab:` section of router.yaml: frozen, strict, every problem told at once with its path."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from litellm_homelab import routerfile
from litellm_homelab.routerfile import ENV_PREFIX, RouterFile
from litellm_homelab.showroom import handles as handles_room
from litellm_homelab.showroom import registry as registry_room
from litellm_homelab.showroom.modes import MODES

HOOKS = "litellm_homelab.hooks."
"""Where our entry points live; a `callbacks` entry is this and the section's name."""

Name = Annotated[str, Field(min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Showroom(_Section):
    """
    Which names clients may use; every one is a `model_name` of `model_list`, written exactly.

    A group of `model_list` that stands in none of the three lists is backroom: never reachable.
    """

    handles: list[Name] = Field(min_length=1)
    """Listed and callable."""
    hidden: list[Name] = []
    """Callable by exact name, never listed."""
    internal: list[Name] = []
    """Only for the router's own fallbacks and for OptiLLM's calls back."""
    handles_file: Name | None = None
    """A handles.jsonl that adds to `handles`; relative to router.yaml."""
    registry: Name | None = None
    """An MLX registry.json (version 2) that says where each model's files are; relative to router.yaml."""
    roots: list[Name] = []
    """Folders that are showroom storage; a handle whose model lies outside all of them is backroom."""


class Homelab(_Section):
    """The whole `homelab:` section; a part is accepted once its rule exists."""

    showroom: Showroom


@dataclass(frozen=True, slots=True)
class Known:
    """What the installed LiteLLM understands, told by the hooks (this module does not import it)."""

    retry_policy: frozenset[str] = frozenset()
    allowed_fails_policy: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the rules need, checked: the `homelab:` section and the router.yaml around it."""

    homelab: Homelab
    router: RouterFile
    handles: tuple[str, ...]
    """`showroom.handles`, then what the handles file adds."""
    registry: Mapping[str, registry_room.Entry] = field(default_factory=dict)


class SettingsError(ValueError):
    """Settings that must not be started with; `problems` holds one line for each mistake."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def load(path: str | Path, environ: Mapping[str, str] | None = None, known: Known | None = None) -> Settings:
    """
    Read and check the router.yaml that LiteLLM was started with.

    `environ` defaults to the process environment. Messages name the file as `path` does.

    Raises:
        SettingsError: with every problem found, one a line.

    """
    environ = os.environ if environ is None else environ
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path}: not readable: {error}"]) from error
    return parse(text, path=path, environ=environ, known=known or Known())


def parse(text: str, *, path: str | Path, environ: Mapping[str, str], known: Known) -> Settings:
    """Check a router.yaml's text; relative file names in it are relative to `path`'s folder."""
    try:
        router, raw = routerfile.parse(text, str(path), environ)
    except routerfile.NotReadable as error:
        raise SettingsError([f"{path}: {error}"]) from error
    if not raw:
        raise SettingsError([f"{path}: homelab: missing; the callbacks of litellm_homelab need this section"])
    unset: list[str] = []
    resolved = _resolve(raw, "homelab", environ, unset)
    problems = [*unset, *_router_problems(router, known)]
    homelab, shape = _validate(resolved)
    if homelab is None:
        raise SettingsError(f"{path}: {problem}" for problem in [*problems, *shape])
    return _finish(homelab, router, Path(path), problems)


def _finish(homelab: Homelab, router: RouterFile, path: Path, problems: list[str]) -> Settings:
    showroom = homelab.showroom
    extra, file_problems = handles_room.read(path.parent, showroom.handles_file)
    entries, registry_problems = registry_room.read(path.parent, showroom.registry)
    names = (*showroom.handles, *(name for name in extra if name not in showroom.handles))
    settings = Settings(homelab=homelab, router=router, handles=names, registry=entries)
    problems += [*file_problems, *registry_problems, *_showroom_problems(settings)]
    if problems:
        raise SettingsError(f"{path}: {problem}" for problem in problems)
    return settings


# --- shape -----------------------------------------------------------------------------------------


def _resolve(value: object, where: str, environ: Mapping[str, str], unset: list[str]) -> object:
    if isinstance(value, dict):
        return {key: _resolve(item, f"{where}.{key}", environ, unset) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, f"{where}[{n}]", environ, unset) for n, item in enumerate(value)]
    resolved = routerfile.resolve(value, environ)
    if resolved is value and isinstance(value, str) and value.startswith(ENV_PREFIX):
        unset.append(f"{where}: the environment variable {value.removeprefix(ENV_PREFIX)} is not set")
    return resolved


def _validate(raw: object) -> tuple[Homelab | None, list[str]]:
    try:
        return Homelab.model_validate(raw), []
    except ValidationError as error:
        return None, [
            _shape_problem(one["loc"], one["type"], one["msg"], one["input"]) for one in error.errors()
        ]


def _shape_problem(loc: tuple[int | str, ...], kind: str, message: str, got: object) -> str:
    where = "homelab" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    if kind == "extra_forbidden":
        return f"{where}: unknown setting (known: {', '.join(_known_fields(loc[:-1]))})"
    if kind == "missing":
        return f"{where}: missing; it is required"
    return f"{where}: {message[0].lower()}{message[1:]}, got {_shown(got)}"


def _known_fields(loc: tuple[int | str, ...]) -> list[str]:
    model: Any = Homelab
    for part in loc:
        model = model.model_fields[part].annotation
    return list(model.model_fields)


def _shown(value: object) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"


# --- router.yaml around it ---------------------------------------------------------------------------


def _router_problems(router: RouterFile, known: Known) -> Iterator[str]:
    yield from _callback_problems(router)
    yield from _policy_problems(router, known)
    if not router.deployments:
        yield "model_list: empty or missing; a handle is a model_name of this list"
    if "include" in router.sections or "include" in (router.sections.get("general_settings") or {}):
        yield "include: not supported; the checks need the whole configuration in this one file"
    for group, deployments in router.groups.items():
        modes = sorted({deployment.mode for deployment in deployments})
        if len(modes) > 1:
            yield f"model_list: the deployments of {group!r} differ in model_info.mode: {', '.join(modes)}"
        for mode in modes:
            if mode not in MODES:
                yield f"model_list: {group!r}: unknown model_info.mode {mode!r} (known: {', '.join(MODES)})"


def _callback_problems(router: RouterFile) -> Iterator[str]:
    litellm = router.sections.get("litellm_settings", {})
    if f"{HOOKS}showroom" not in router.callbacks:
        yield (
            f"litellm_settings.callbacks: {HOOKS}showroom is not listed, so homelab.showroom would not hold; "
            f"got {list(router.callbacks)}"
        )
    for setting in ("success_callback", "failure_callback", "callback", "input_callback"):
        for name in _listed(litellm.get(setting)):
            if name.startswith(HOOKS):
                yield f"litellm_settings.{setting}: {name} decides nothing there; list it under `callbacks`"


def _listed(value: object) -> list[str]:
    return [str(item) for item in (value if isinstance(value, list) else [value] if value else [])]


def _policy_problems(router: RouterFile, known: Known) -> Iterator[str]:
    for section in ("router_settings", "litellm_settings"):
        settings = router.sections.get(section, {})
        where = f"{section}.retry_policy"
        yield from _unknown_names(where, settings.get("retry_policy"), known.retry_policy)
        for group, policy in (settings.get("model_group_retry_policy") or {}).items():
            yield from _unknown_names(
                f"{section}.model_group_retry_policy.{group}", policy, known.retry_policy
            )
        where = f"{section}.allowed_fails_policy"
        yield from _unknown_names(where, settings.get("allowed_fails_policy"), known.allowed_fails_policy)


def _unknown_names(where: str, policy: object, known: frozenset[str]) -> Iterator[str]:
    """LiteLLM ignores a policy name that it does not know without a word (measured on 1.106.2)."""
    for name in policy if isinstance(policy, dict) and known else ():
        if name not in known:
            yield f"{where}.{name}: LiteLLM ignores this name (known: {', '.join(sorted(known))})"


# --- the showroom ------------------------------------------------------------------------------------


def _showroom_problems(settings: Settings) -> Iterator[str]:
    showroom, groups = settings.homelab.showroom, settings.router.groups
    lists = {"handles": list(settings.handles), "hidden": showroom.hidden, "internal": showroom.internal}
    for which, names in lists.items():
        for number, name in enumerate(names):
            where = f"homelab.showroom.{which}[{number}]"
            yield from _name_problems(where, name, names[:number], settings)
    for which, other in (("hidden", "handles"), ("internal", "handles"), ("internal", "hidden")):
        for name in sorted(set(lists[which]) & set(lists[other])):
            yield f"homelab.showroom.{which}: {name!r} stands in {other} too; a name has one place"
    yield from _fallback_problems(settings)
    yield from _registry_problems(settings, groups)


def _name_problems(where: str, name: str, before: list[str], settings: Settings) -> Iterator[str]:
    if name in before:
        yield f"{where}: {name!r} stands in this list twice"
    elif name in settings.router.aliases:
        yield f"{where}: {name!r} is a model_group_alias; make it a model_name of model_list of its own"
    elif name not in settings.router.groups:
        known = ", ".join(settings.router.groups) or "none"
        yield f"{where}: {name!r} is not a model_name of model_list (there: {known})"
    problem = handles_room.naming_problem(name)
    if problem:
        yield f"{where}: {problem}"


def _fallback_problems(settings: Settings) -> Iterator[str]:
    showroom, groups = settings.homelab.showroom, settings.router.groups
    placed = {*settings.handles, *showroom.hidden, *showroom.internal}
    for where, source, targets in settings.router.fallbacks:
        for name in (source, *targets):
            if name not in groups and name != "*":
                yield f"{where}: {name!r} is not a model_name of model_list (there: {', '.join(groups)})"
        for target in targets:
            if target in groups and target not in placed:
                yield (
                    f"{where}: the fallback {source} -> {target} leads to a backroom model; "
                    f"put {target!r} into homelab.showroom.internal or take the fallback out"
                )


def _registry_problems(
    settings: Settings, groups: Mapping[str, list[routerfile.Deployment]]
) -> Iterator[str]:
    showroom = settings.homelab.showroom
    if showroom.registry and not showroom.roots:
        yield "homelab.showroom.roots: missing; with a registry it says which folders are showroom storage"
        return
    for which, names in (("handles", settings.handles), ("hidden", showroom.hidden)):
        for number, name in enumerate(names):
            for deployment in groups.get(name, ()):
                entry = settings.registry.get(deployment.upstream_model)
                if entry and not registry_room.inside(entry.path, showroom.roots):
                    yield (
                        f"homelab.showroom.{which}[{number}]: {name!r} is backroom: its model "
                        f"{deployment.upstream_model!r} lies at {entry.path}, outside of roots "
                        f"({', '.join(showroom.roots)})"
                    )
