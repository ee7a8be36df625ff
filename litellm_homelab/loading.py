"""Reads router.yaml and checks it with every room; each problem is told at once, with its path."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from litellm_homelab import callers, checks, routerfile
from litellm_homelab.fields import checks as fields_checks
from litellm_homelab.gate import openings
from litellm_homelab.optillm import checks as optillm_checks
from litellm_homelab.routerfile import ENV_PREFIX, RouterFile
from litellm_homelab.sections import Homelab
from litellm_homelab.settings import Known, Settings, SettingsError
from litellm_homelab.showroom import handles as handles_room
from litellm_homelab.showroom import placement
from litellm_homelab.showroom import registry as registry_room
from litellm_homelab.wording import described, reason
from litellm_homelab.yaml_text import NotReadable

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


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
        raise SettingsError([f"{path}: {reason(error)}"]) from error
    return parse(text, path=path, environ=environ, known=known or Known())


def parse(text: str, *, path: str | Path, environ: Mapping[str, str], known: Known) -> Settings:
    """Check a router.yaml's text; relative file names in it are relative to `path`'s folder."""
    try:
        router, raw = routerfile.parse(text, str(path), environ)
    except NotReadable as error:
        raise SettingsError([f"{path}: {error}"]) from error
    unset: dict[str, str] = {}
    resolved = _resolve(raw, "homelab", environ, unset)
    problems = [*checks.unset_problems(unset.items()), *checks.router_problems(router, known)]
    homelab, shape = _validate(resolved)
    if homelab is None:
        raise SettingsError(f"{path}: {problem}" for problem in [*shape, *problems])
    settings, own = _assembled(homelab, router, Path(path).parent, environ)
    own += [*fields_checks.problems(settings, known), *optillm_checks.problems(settings, environ, known)]
    problems += [problem for problem in own if problem.split(": ", 1)[0] not in unset]
    if problems:
        raise SettingsError(f"{path}: {problem}" for problem in problems)
    return settings


def _assembled(
    homelab: Homelab, router: RouterFile, folder: Path, environ: Mapping[str, str]
) -> tuple[Settings, list[str]]:
    """The settings with the files that they name, and what is wrong with either."""
    showroom = homelab.showroom
    lines, file_problems = handles_room.read(folder, showroom.handles_file)
    entries, registry_problems = registry_room.read(folder, showroom.registry)
    listed = frozenset(showroom.handles)  # the file may repeat what the list has
    settings = Settings(
        homelab=homelab,
        router=router,
        handles=(*showroom.handles, *(name for name in lines if name not in listed)),
        handles_lines=lines,
        registry=entries,
        master_key=master_key(router, environ),
        folder=folder,
    )
    own = [*file_problems, *registry_problems, *placement.problems(settings, folder)]
    return settings, [*own, *callers.problems(settings), *openings.problems(settings)]


def master_key(router: RouterFile, environ: Mapping[str, str]) -> str:
    """LiteLLM's master key, empty where there is none."""
    key = routerfile.resolve(router.sections.get("general_settings", {}).get("master_key"), environ)
    return key if isinstance(key, str) else environ.get("LITELLM_MASTER_KEY", "")


# --- shape -----------------------------------------------------------------------------------------


def _resolve(value: object, where: str, environ: Mapping[str, str], unset: dict[str, str]) -> object:
    """The section with its environment references resolved; those that are not set go to `unset`."""
    if isinstance(value, dict):
        return {key: _resolve(item, f"{where}.{key}", environ, unset) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, f"{where}[{n}]", environ, unset) for n, item in enumerate(value)]
    resolved = routerfile.resolve(value, environ)
    if routerfile.is_unset(resolved):
        unset[where] = str(value).removeprefix(ENV_PREFIX)
    return resolved


def _validate(raw: object) -> tuple[Homelab | None, list[str]]:
    if not raw:
        least = "homelab: {showroom: {handles: [...]}}"
        return None, [f"homelab: missing or empty; the callbacks of litellm_homelab need at least `{least}`"]
    try:
        return Homelab.model_validate(raw), []
    except ValidationError as error:
        return None, [_shape_problem(one) for one in error.errors()]


def _shape_problem(error: ErrorDetails) -> str:
    loc = error["loc"]
    where = "homelab" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown setting (known: {', '.join(_fields(loc[:-1]))})"
    if error["type"] == "missing":
        return f"{where}: missing; it is required"
    return f"{where}: {described(error, secret=_holds_a_key(loc))}"


def _holds_a_key(loc: tuple[int | str, ...]) -> bool:
    """Whether what stands at `loc` is a key, or has one in it: then no message may repeat it."""
    section, *inner = loc or ("",)
    in_caller = section == "callers" and (len(inner) <= 1 or inner[1] in {"key", "next_key"})
    return in_caller or section in {"secret", "state"}


def _fields(loc: tuple[int | str, ...]) -> list[str]:
    """Settings of the section at `loc`; below a mapping any name stands for its one kind of section."""
    model: Any = Homelab
    for part in loc:
        if isinstance(model, type) and issubclass(model, BaseModel):
            model = model.model_fields[str(part)].annotation
        else:
            model = get_args(model)[-1]
    return list(model.model_fields)
