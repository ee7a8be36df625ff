"""The JSON Schema of a whole router.yaml: ours from the settings' models, LiteLLM's from its own types."""

from __future__ import annotations

import ast
import functools
import inspect
import json
import pkgutil
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic import BaseModel

from litellm_homelab.config import shape
from litellm_homelab.showroom.modes import MODES

if TYPE_CHECKING:
    from types import ModuleType

Schema = dict[str, Any]
DRAFT: Final = "http://json-schema.org/draft-07/schema#"
"""What editors' language servers know best."""
FILE: Final = "homelab.schema.json"
"""Beside the shipped router.yaml, which names it in its first lines."""
MODELINE: Final = f"# yaml-language-server: $schema={FILE}"
REFERENCE: Final[Schema] = {
    "type": "string",
    "pattern": "^os\\.environ/.+$",
    "description": "A variable of the environment that LiteLLM starts in.",
}
NAMES: Final[Schema] = {"type": "array", "items": {"type": ["string", "object"]}}
FALLBACKS: Final[Schema] = {
    "type": "array",
    "items": {"type": "object", "additionalProperties": NAMES},
    "description": "One group an entry, with the groups that are asked after it: `- main: [spare]`.",
}
TEXTS: Final[Schema] = {"type": ["string", "array"], "items": {"type": "string"}}
SECONDS: Final[Schema] = {"type": ["number", "null"]}


@functools.cache
def _litellms() -> Mapping[str, Any]:
    data: dict[str, Any] = json.loads(pkgutil.get_data(__package__, "litellm.schema.json") or "{}")
    return data


def router_schema() -> Schema:
    """The schema of router.yaml; a value may be a reference to the environment wherever it is not a text."""
    homelab, definitions = _homelab()
    return {
        "$schema": DRAFT,
        "$id": FILE,
        "title": "router.yaml of a LiteLLM gateway with litellm-homelab",
        "description": f"LiteLLM's part is made from LiteLLM {_litellms()['version']}.",
        "type": "object",
        "properties": {"homelab": homelab, **_sections()},
        "$defs": {"reference": REFERENCE, **definitions},
    }


def written() -> str:
    """The schema as the file that is shipped."""
    return json.dumps(router_schema(), indent=1) + "\n"


# --- ours ------------------------------------------------------------------------------------------


def _homelab() -> tuple[Schema, Schema]:
    """The schema of the `homelab:` section, and what it refers to."""
    model = shape.model()
    found = model.model_json_schema()
    definitions: Schema = found.pop("$defs", {})
    _time_of_day(definitions)
    described = {one.__name__: one for one in _models(model)}
    for name, definition in {model.__name__: found, **definitions}.items():
        _describe(definition, described[name])
    return _referable(found), {name: _referable(one) for name, one in definitions.items()}


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and every model that one of its fields has in it."""
    yield model
    todo: list[Any] = [field.annotation for field in model.model_fields.values()]
    while todo:
        one = todo.pop()
        if isinstance(one, type) and issubclass(one, BaseModel):
            yield from _models(one)
        todo.extend(get_args(one))


def _describe(definition: Schema, model: type[BaseModel]) -> None:
    """Put the sentence behind each field into the schema."""
    texts: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if isinstance(one, type) and issubclass(one, BaseModel) and one is not BaseModel:
            texts |= dict(_sentences(inspect.getmodule(one), one.__name__))
    for name, field in definition.get("properties", {}).items():
        field.pop("title", None)
        if name in texts:
            field["description"] = texts[name]
    definition.pop("title", None)


def _sentences(module: ModuleType | None, name: str) -> Iterator[tuple[str, str]]:
    """(field, sentence) for each field of a class that has a text behind it."""
    source = inspect.getsource(module) if module is not None and hasattr(module, "__file__") else ""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and node.name == name:
            for field, text in zip(node.body, node.body[1:], strict=False):
                written_text = getattr(getattr(text, "value", None), "value", None)
                if isinstance(field, ast.AnnAssign) and isinstance(written_text, str):
                    yield ast.unparse(field.target), " ".join(written_text.split())


# --- LiteLLM's -------------------------------------------------------------------------------------


def _sections() -> Schema:
    data = _litellms()
    router = {**data["router_settings"], **_router_shapes()}
    litellm = {**data["litellm_settings"], **_litellm_shapes()}
    return {
        "include": {"type": "array", "items": {"type": "string"}},
        "model_list": {"type": ["array", "null"], "items": _deployment()},
        "router_settings": _open(router) | {"additionalProperties": False},
        "litellm_settings": _open(litellm),
        "general_settings": _open(data["general_settings"]),
        "environment_variables": {"type": "object"},
        "credential_list": {"type": ["array", "null"], "items": _credential()},
        "search_tools": {"type": ["array", "null"], "items": {"type": "object"}},
        "guardrails": {"type": ["array", "null"], "items": {"type": "object"}},
        "mcp_servers": {"type": "object"},
        "callback_settings": {"type": "object"},
    }


def _open(properties: Schema) -> Schema:
    """A section that may be there and empty."""
    return {
        "type": ["object", "null"],
        "properties": {key: _referable(one) for key, one in properties.items()},
    }


def _deployment() -> Schema:
    data = _litellms()
    params = {**data["litellm_params"], "timeout": SECONDS, "stream_timeout": SECONDS}
    info = {**data["model_info"], "mode": {"type": ["string", "null"], "examples": list(MODES)}}
    return {
        "type": "object",
        "properties": {
            "model_name": {
                "type": "string",
                "description": "The group's name; several entries may share it.",
            },
            "litellm_params": _open(params) | {"type": "object", "required": ["model"]},
            "model_info": _open(info),
        },
        "required": ["model_name", "litellm_params"],
    }


def _credential() -> Schema:
    return {
        "type": "object",
        "properties": {"credential_name": {"type": "string"}, "credential_values": {"type": "object"}},
        "required": ["credential_name"],
    }


def _router_shapes() -> Schema:
    """Settings of the router whose types LiteLLM does not say exactly."""
    fallbacks = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")
    retries, fails = (_counts(_litellms()[name]) for name in ("retry_policy", "allowed_fails_policy"))
    return {
        **dict.fromkeys(fallbacks, FALLBACKS),
        "default_fallbacks": NAMES,
        "retry_policy": retries,
        "allowed_fails_policy": fails,
        "model_group_retry_policy": {"type": ["object", "null"], "additionalProperties": retries},
        "model_group_alias": {"type": ["object", "null"]},
        "timeout": SECONDS,
        "stream_timeout": SECONDS,
    }


def _counts(names: list[str]) -> Schema:
    """A policy: LiteLLM ignores names that it does not know."""
    properties = {name: {"type": ["integer", "null"]} for name in names}
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": False}


def _litellm_shapes() -> Schema:
    """Settings of the module whose types LiteLLM does not say exactly."""
    return {
        "callbacks": TEXTS,
        "cache": {"type": "boolean"},
        "cache_params": {"type": "object"},
        "request_timeout": SECONDS,
        **{name: value for name, value in _router_shapes().items() if "fallbacks" in name},
    }


# --- references ------------------------------------------------------------------------------------


def _referable(schema: Schema) -> Schema:
    """The schema, with a reference to the environment allowed for each value in it that is not a text."""
    found = {key: _inner(key, value) for key, value in schema.items()}
    return found if _takes_texts(found) or _is_container(found) else _or_reference(found)


def _inner(key: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    if key in {"properties", "$defs"}:
        return {name: _referable(one) for name, one in value.items()}
    if key in {"items", "additionalProperties"} and isinstance(value, dict):
        return _referable(value)
    if key == "anyOf":
        return [{name: _inner(name, one) for name, one in choice.items()} for choice in value]
    return value


def _time_of_day(definitions: Schema) -> None:
    """YAML 1.1 reads `12:30` without quotes as a number, which the settings take for the time that it is."""
    for definition in definitions.values():
        reset = definition.get("properties", {}).get("reset")
        if reset is not None:
            reset.setdefault("anyOf", []).append({"type": "integer"})


def _kinds(schema: Schema) -> set[str]:
    kinds = schema.get("type", [])
    own = {kinds} if isinstance(kinds, str) else set(kinds)
    return own.union(*(_kinds(one) for one in schema.get("anyOf", ())))


def _takes_texts(schema: Schema) -> bool:
    """Whether a reference is allowed already, as any text is, or nothing is said."""
    if "anyOf" in schema:
        return any(_takes_texts(one) for one in schema["anyOf"])
    bounded = "enum" in schema or "pattern" in schema or schema.get("minLength", 0) > 1
    return ("string" in _kinds(schema) and not bounded) or not _kinds(schema)


def _is_container(schema: Schema) -> bool:
    return "$ref" in schema or _kinds(schema) <= {"object", "array", "null"}


def _or_reference(schema: Schema) -> Schema:
    about: Schema = {key: schema.pop(key) for key in ("description", "default") if key in schema}
    choices = schema.pop("anyOf", None) or [schema]
    off = [{"const": False}] if "off" in schema.get("enum", ()) else []  # YAML 1.1 reads `off` so
    return {**about, "anyOf": [*choices, *off, {"$ref": "#/$defs/reference"}]}
