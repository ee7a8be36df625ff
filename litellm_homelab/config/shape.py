"""Checks the shape of the `homelab:` section; no message repeats what may be a key."""

from __future__ import annotations

import functools
import re
from difflib import get_close_matches
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic import BaseModel, ValidationError, create_model

from litellm_homelab.config.sections import Homelab
from litellm_homelab.config.wording import HIDDEN, described, did_you_mean, looks_like_a_key
from litellm_homelab.policies import POLICIES

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

WORD: Final = re.compile(r"[A-Za-z_]\w{0,39}")
"""What a setting's name looks like."""
USUAL = frozenset(
    {"models", "model", "name", "token", "user", "team", "tags", "budget", "priority", "enabled"}
)
"""Names that people try below a caller, and that are not keys."""


@functools.cache
def model() -> type[Homelab]:
    """The whole section: config/sections.py, and the sections whose models policies register."""
    registered = {one.section: one.load_settings() for one in POLICIES if one.settings}
    if not registered:
        return Homelab
    fields: dict[str, Any] = {name: (found | None, None) for name, found in registered.items()}
    return create_model("Homelab", __base__=Homelab, **fields)


def validate(raw: object) -> tuple[Homelab | None, list[str]]:
    """The section as the rules read it, or what is wrong with its shape."""
    if not raw:
        least = "homelab: {showroom: {handles: [...]}}"
        return None, [f"homelab: missing or empty; the callbacks of litellm_homelab need at least `{least}`"]
    try:
        return model().model_validate(raw), []
    except ValidationError as error:
        errors = error.errors()
        unknown = {one["loc"][:-1] for one in errors if one["type"] == "extra_forbidden"}
        # `{key sk-...}` is one mistake: the key that is missing is the setting that is unknown.
        again = {(*loc, "key") for loc in unknown if loc[:1] == ("callers",)}
        found = [one for one in errors if one["type"] != "missing" or one["loc"] not in again]
        return None, [_shape_problem(one) for one in found]


def _shape_problem(error: ErrorDetails) -> str:
    loc = error["loc"]
    if error["type"] == "extra_forbidden":
        return _unknown(loc)
    where = _written(loc)
    if error["type"] == "missing":
        return f"{where}: missing; it is required"
    return f"{where}: {described(error, secret=_holds_a_key(loc))}"


def _written(loc: tuple[int | str, ...]) -> str:
    """A place as people write it: `homelab.callers.web.handles[0]`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{_name(part)}" for part in loc)
    return "homelab" + "".join(parts)


def _name(part: str) -> str:
    return HIDDEN if looks_like_a_key(part) else part


def _unknown(loc: tuple[int | str, ...]) -> str:
    """A setting that does not exist; its name is repeated only where it cannot be a key (`{key sk-...}`)."""
    *section, name = loc
    known = _fields(tuple(section))
    text = f"unknown setting (known: {', '.join(known)})"
    shown = bool(WORD.fullmatch(str(name))) and not looks_like_a_key(str(name))
    if section[:1] == ["callers"]:
        shown = shown and (str(name) in USUAL or bool(get_close_matches(str(name), known)))
    if shown:
        return f"{_written(loc)}: {text}{did_you_mean(name, known)}"
    return f"{_written(tuple(section))}: {text}; its name may be a key and is not shown"


def _holds_a_key(loc: tuple[int | str, ...]) -> bool:
    """Whether what is at `loc` is a key, or has one in it: then no message may repeat it."""
    section, *inner = loc or ("",)
    in_caller = section == "callers" and (len(inner) <= 1 or inner[1] in {"key", "next_key"})
    return in_caller or section in {"secret", "state"}


def _fields(loc: tuple[int | str, ...]) -> list[str]:
    """Settings of the section at `loc`; below a mapping any name has its one kind of section."""
    model: Any = Homelab
    for part in loc:
        model = _section(model)
        if isinstance(model, type) and issubclass(model, BaseModel):
            model = model.model_fields[str(part)].annotation
        else:
            model = get_args(model)[-1]
    return [one.alias or name for name, one in _section(model).model_fields.items()]


def _section(annotation: Any) -> Any:  # noqa: ANN401 - a type, or what stands in an annotation
    """The model of a section that may be left out (`Section | None`); anything else as it is."""
    models = [one for one in get_args(annotation) if isinstance(one, type) and issubclass(one, BaseModel)]
    return models[0] if isinstance(annotation, UnionType) and models else annotation
