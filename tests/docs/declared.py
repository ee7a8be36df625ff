"""What the package declares, read from the package itself: what docs/extension-points.md must show."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pkgutil
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litellm.integrations.custom_logger import CustomLogger
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import litellm_homelab
from litellm_homelab import ENTRY_POINTS, adapter
from litellm_homelab.config.sections import Homelab

PACKAGE = Path(litellm_homelab.__file__).parent
HOMELAB: type[BaseModel] = Homelab
"""The whole `homelab:` section, from wherever the settings have it."""
NO_ROOMS = frozenset({"adapter", "cli", "config", "demo", "page", "state", "testing"})
"""Packages in which no rule lives."""
DECISIONS = re.compile(r"\b(Allow|Refuse)\b")
HOOK_NAMES = frozenset(name for name in vars(CustomLogger) if not name.startswith("_"))
WORDS: dict[Any, str] = {str: "text", int: "whole number", float: "number", bool: "true or false"}


@dataclass(frozen=True, slots=True)
class Hook:
    """A method of one of our classes that LiteLLM calls."""

    owner: str
    name: str
    parameters: tuple[str, ...]

    @property
    def signature(self) -> str:
        """As on the page: without `self` and types, with defaults."""
        return f"{self.name}({', '.join(self.parameters)})"


def modules(package: types.ModuleType) -> Iterator[types.ModuleType]:
    """A package's modules that may hold a hook or a rule, its own first."""
    yield package
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if package is adapter or _room(found.name):
            yield importlib.import_module(found.name)


def own_classes(module: types.ModuleType) -> Iterator[type]:
    """Public classes that a module defines itself."""
    for name, value in vars(module).items():
        if inspect.isclass(value) and _is_own(module, name, value):
            yield value


def _is_own(module: types.ModuleType, name: str, value: object) -> bool:
    return getattr(value, "__module__", "") == module.__name__ and not name.startswith("_")


@functools.cache
def hook_methods() -> list[Hook]:
    """Every method below `litellm_homelab.adapter` that has the name of a hook of LiteLLM."""
    return [
        Hook(cls.__name__, name, tuple(_parameters(value)))
        for module in modules(adapter)
        for cls in own_classes(module)
        for name, value in vars(cls).items()
        if name in HOOK_NAMES and inspect.isfunction(value)
    ]


def _parameters(function: Any) -> Iterator[str]:
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
        yield f"{parameter.name}{default}"


def entry_points() -> list[str]:
    """What router.yaml may load."""
    return [f"litellm_homelab.{name}" for name in ENTRY_POINTS]


@functools.cache
def rules() -> list[str]:
    """Classes and functions of a room that answer with a decision, as `room.module.Name`."""
    return sorted(
        f"{module.__name__}.{name}".removeprefix("litellm_homelab.")
        for module in modules(litellm_homelab)
        if _room(module.__name__)
        for name, value in vars(module).items()
        if getattr(value, "__module__", "") == module.__name__
        and not name.startswith("_")
        and _decides(value)
    )


def _room(module: str) -> str | None:
    parts = module.split(".")[1:]
    return parts[0] if len(parts) > 1 and parts[0] not in NO_ROOMS else None


def _decides(value: object) -> bool:
    methods = vars(value).values() if inspect.isclass(value) else (value,)
    functions = (getattr(method, "__func__", method) for method in methods)
    returned = (getattr(function, "__annotations__", {}).get("return", "") for function in functions)
    return any(DECISIONS.search(str(one)) for one in returned)


@functools.cache
def room_modules() -> list[str]:
    """Modules of rooms that the adapter imports, as `room.module`: where an answer comes from."""
    found = set()
    for path in sorted((PACKAGE / "adapter").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                below = [f"{node.module}.{alias.name}" for alias in node.names]
                found |= {name for name in (node.module, *below) if _room(name) and _is_module(name)}
    return sorted(name.removeprefix("litellm_homelab.") for name in found)


def _is_module(name: str) -> bool:
    return PACKAGE.parent.joinpath(*name.split(".")).with_suffix(".py").is_file()


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of the `homelab:` section."""

    path: str
    type: str
    default: str


def settings(model: type[BaseModel] = HOMELAB, path: str = "homelab") -> Iterator[Setting]:
    """Every field of a settings model, those of nested models after it."""
    for name, field in model.model_fields.items():
        here = f"{path}.{field.alias or name}"
        yield Setting(here, _type(field.annotation), _default(field))
        for nested, step in _nested(field.annotation):
            yield from settings(nested, here + step)


def _nested(annotation: Any, step: str = "") -> Iterator[tuple[type[BaseModel], str]]:
    """Models inside a type, with how a path goes on to one: `[]` in a list, `.<name>` in a mapping."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation, step
        return
    below = {list: "[]", tuple: "[]", dict: ".<name>"}.get(typing.get_origin(annotation), "")
    for part in typing.get_args(annotation):
        yield from _nested(part, step + below)


def _type(annotation: Any) -> str:
    """A type in words."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(parts[0])
    if origin is typing.Literal:
        return " or ".join(f"`{part}`" for part in parts)
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(_type(part) for part in parts if part is not types.NoneType)
    if origin in {list, tuple, frozenset, set}:
        return f"list of {_type(parts[0])}"
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return "section"
    return "section by name" if origin is dict else WORDS.get(annotation, str(annotation))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    empty = value is None or value in ("", [], {}, ()) or isinstance(value, BaseModel)
    return "-" if empty else f"`{_plain(value)}`"


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_plain(item) for item in value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
