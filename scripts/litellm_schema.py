"""
Writes the JSON Schema of LiteLLM's part of a router.yaml to litellm_homelab/config/litellm.schema.json.

It is made from LiteLLM's own types: the router's arguments, the parameters of a deployment, the settings of
the proxy, the variables of the module. Run this when the lock gets another LiteLLM:

    .venv/bin/python scripts/litellm_schema.py

`tests/config/test_schema.py` fails where the file and the installed LiteLLM differ.
"""

from __future__ import annotations

import inspect
import json
import typing
from importlib.metadata import version
from typing import Any, ClassVar

from repository import REPOSITORY, main

# isort: split
import litellm
from litellm import router as router_module
from litellm.proxy._types import ConfigGeneralSettings
from litellm.types.router import LiteLLM_Params, ModelInfo
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from litellm_homelab.check.names import litellm_names

FILE = REPOSITORY / "litellm_homelab" / "config" / "litellm.schema.json"


class Quiet(GenerateJsonSchema):
    """Without warnings about defaults that JSON has not."""

    ignored_warning_kinds: ClassVar = {"skipped-choice", "non-serializable-default"}


def written() -> str:
    """The text of the file."""
    return json.dumps(schema(), indent=1, sort_keys=True) + "\n"


def schema() -> dict[str, Any]:
    """LiteLLM's part."""
    return {
        "version": version("litellm"),
        "retry_policy": sorted(litellm_names().retry_policy),
        "allowed_fails_policy": sorted(litellm_names().allowed_fails_policy),
        "router_settings": _router_settings(),
        "litellm_settings": _litellm_settings(),
        "general_settings": _of_model(ConfigGeneralSettings, litellm_names().settings["general_settings"]),
        "litellm_params": _of_model(LiteLLM_Params, litellm_names().parameters),
        "model_info": _of_model(ModelInfo, ()),
    }


def _router_settings() -> dict[str, Any]:
    names = litellm_names().settings["router_settings"]
    hints = typing.get_type_hints(litellm.Router.__init__, vars(router_module))
    arguments = inspect.signature(litellm.Router.__init__).parameters
    return {
        name: _simple(hints.get(name, Any)) | _default(arguments[name].default)
        for name in sorted(names & arguments.keys())
    }


def _default(value: object) -> dict[str, Any]:
    return {"default": value} if isinstance(value, bool | int | float | str) else {}


def _litellm_settings() -> dict[str, Any]:
    written_types = getattr(litellm, "__annotations__", {})
    names = litellm_names().settings["litellm_settings"]
    return {
        name: _simple(_evaluated(written_types.get(name, Any))) or _of_value(getattr(litellm, name, None))
        for name in sorted(names)
    }


def _of_value(value: object) -> dict[str, Any]:
    """The type of a variable that is written without one."""
    return {"type": "boolean"} if isinstance(value, bool) else {}


def _evaluated(kind: object) -> object:
    """The type of a variable of the module, which may be written as a text."""
    try:
        return eval(kind, {**vars(typing), **vars(litellm)}) if isinstance(kind, str) else kind  # noqa: S307
    except NameError:  # imported for type checkers only
        return Any


def _of_model(model: type[BaseModel], more: typing.Iterable[str]) -> dict[str, Any]:
    """The fields of a model with their types and descriptions, and names that it has not."""
    found = {}
    for name, field in model.model_fields.items():
        found[name] = _simple(field.annotation)
        if field.description:
            found[name]["description"] = field.description
    return {**{name: {} for name in sorted(more)}, **found}


def _simple(kind: object) -> dict[str, Any]:
    """The schema of a type, as far as it is of plain values; `{}` for what is more."""
    try:
        found = TypeAdapter(kind).json_schema(schema_generator=Quiet)
    except Exception:  # noqa: BLE001 - types that JSON cannot have: callables, clients
        return {}
    text = json.dumps(found)
    if "$ref" in text or len(text) > 400:
        return {"type": found["type"]} if found.get("type") in ("object", "array") else {}
    for noise in ("title", "$defs", "additionalProperties"):
        found.pop(noise, None)
    return found


if __name__ == "__main__":
    main(FILE, written())
