"""Every parameter by which the installed LiteLLM takes a request's fields."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import litellm
from litellm.proxy.auth import auth_utils
from litellm.types.router import GenericLiteLLMParams
from litellm.types.utils import CallTypes, all_litellm_params

ASYNC: Final = ("_", "a", "a_")
"""What LiteLLM puts before the name of a call type's function."""
NAMESPACES: Final = ("interactions", "skills", "evals", "vector_stores", "images", "responses", "containers")
"""Modules of LiteLLM whose functions have short names (`litellm.interactions.acreate`)."""
VARIABLE: Final = frozenset({inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL})


def entry_functions() -> Mapping[str, Callable[..., Any]]:
    """
    The functions of `litellm` and its Router that get a request's fields, by their names.

    Found by walking: every function that a call type names (`CallTypes`, read from LiteLLM 1.106.2), with
    its asynchronous spelling, every public function of the namespaces, and every public method of the Router
    that takes further keyword arguments.
    """
    found = dict(_named(litellm, "litellm", _call_types()))
    for name in NAMESPACES:
        module = getattr(litellm, name, None)
        if module is not None:
            found |= dict(_public(module, f"litellm.{name}"))
    return found | dict(_public(litellm.Router, "Router"))


def parameters(functions: Mapping[str, Callable[..., Any]] | None = None) -> Mapping[str, tuple[str, ...]]:
    """Every name that they take, with the functions that take it; LiteLLM's own lists are among them."""
    found: dict[str, list[str]] = {}
    for function, call in (entry_functions() if functions is None else functions).items():
        for parameter in _signature(call):
            found.setdefault(parameter, []).append(function)
    for source, names in (
        ("all_litellm_params", all_litellm_params),
        ("GenericLiteLLMParams", GenericLiteLLMParams.model_fields),
    ):
        for name in names:
            found.setdefault(name, []).append(source)
    return {name: tuple(functions) for name, functions in found.items()}


@functools.cache
def names() -> frozenset[str]:
    """Every such name, read once in a process."""
    return frozenset(parameters())


def _call_types() -> frozenset[str]:
    bare = {value.lstrip("_") for value in (one.value for one in CallTypes)}
    bare |= {name.removeprefix("a") for name in bare}
    return frozenset(bare | {start + name for start in ASYNC for name in bare})


def _named(owner: Any, label: str, names: frozenset[str]) -> Iterator[tuple[str, Callable[..., Any]]]:  # noqa: ANN401
    for name in dir(owner):
        if name in names:
            yield from _function(owner, label, name)


def _public(owner: Any, label: str) -> Iterator[tuple[str, Callable[..., Any]]]:  # noqa: ANN401
    for name in dir(owner):
        if name.startswith("_"):
            continue
        for found, call in _function(owner, label, name):
            if _takes_more(call) and getattr(call, "__module__", "").startswith("litellm"):
                yield found, call


def _function(owner: Any, label: str, name: str) -> Iterator[tuple[str, Callable[..., Any]]]:  # noqa: ANN401
    found = getattr(owner, name, None)
    if callable(found) and not inspect.isclass(found):
        yield f"{label}.{name}", found


def _takes_more(call: Callable[..., Any]) -> bool:
    """Whether it takes keyword arguments that it does not name, as whatever gets a request's fields does."""
    try:
        kinds = [one.kind for one in inspect.signature(call).parameters.values()]
    except (TypeError, ValueError):
        return False
    return inspect.Parameter.VAR_KEYWORD in kinds


def _signature(call: Callable[..., Any]) -> list[str]:
    try:
        found = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return []
    return [one.name for one in found if one.kind not in VARIABLE]


def banned() -> frozenset[str]:
    """
    Names that LiteLLM takes from no client, neither in the body nor in metadata.

    It answers a 500 before it asks for a key (1.106.2). Empty where this LiteLLM keeps no such list:
    then it refuses none.
    """
    return frozenset(getattr(auth_utils, "_BANNED_REQUEST_BODY_PARAMS", ()))
