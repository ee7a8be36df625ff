"""A value that fits a JSON Schema: what a demo backend answers to structured output."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

DEEPEST: Final = 12
"""Levels of nesting that are filled; a schema that refers to itself ends there."""
SPARSE: Final = 4
"""From this level on only what is required is filled, and lists stay as short as they may be."""
LONGEST: Final = 8
"""Most items of a list, and most times a text is repeated to reach `minLength`."""
FORMATS: Final[Mapping[str, str]] = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "demo@example.org",
    "uri": "https://example.org/",
    "hostname": "example.org",
    "ipv4": "192.0.2.1",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
"""A text for each `format` of JSON Schema 2020-12 (section 7.3) that OpenAI's structured output names."""

Schema = Mapping[str, Any]


def example(schema: object, text: str = "demo") -> Any:  # noqa: ANN401 - JSON of any shape
    """
    Return a value that fits `schema`; its texts are `text` where the schema asks for nothing special.

    Known are the keywords of OpenAI's structured output: types, `properties`, `required`, `items`, `enum`,
    `const`, `anyOf`, `oneOf`, `allOf`, `$ref` within the schema, bounds of numbers, texts and lists, and
    `format`. `pattern` is not: such a text may not match.
    """
    return _Example(schema if isinstance(schema, Mapping) else {}, text).value(schema, 0)


class _Example:
    def __init__(self, root: Schema, text: str) -> None:
        self._root = root
        self._text = text

    def value(self, schema: object, depth: int) -> Any:  # noqa: ANN401 - JSON of any shape
        if not isinstance(schema, Mapping) or depth > DEEPEST:
            return None
        resolved = self._resolved(schema, depth)
        if "const" in resolved:
            return resolved["const"]
        for name in ("enum", "examples"):
            if isinstance(resolved.get(name), list) and resolved[name]:
                return resolved[name][0]
        for name in ("anyOf", "oneOf"):
            if isinstance(resolved.get(name), list) and resolved[name]:
                return self.value(_first_useful(resolved[name]), depth + 1)
        return self._typed(resolved, depth)

    def _resolved(self, schema: Schema, depth: int) -> Schema:
        """The schema with its reference followed and its `allOf` merged in."""
        parts = [*_list(schema.get("allOf"))]
        if isinstance(schema.get("$ref"), str):
            parts.append(self._referred(schema["$ref"]))
        if not parts or depth > DEEPEST:
            return schema
        merged: dict[str, Any] = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
        for part in parts:
            inner = self._resolved(part, depth + 1) if isinstance(part, Mapping) else {}
            properties = {**_mapping(merged.get("properties")), **_mapping(inner.get("properties"))}
            required = [*_list(merged.get("required")), *_list(inner.get("required"))]
            merged = {**inner, **merged}
            merged |= {"properties": properties} if properties else {}
            merged |= {"required": required} if required else {}
        return merged

    def _referred(self, reference: str) -> Schema:
        found: Any = self._root
        for part in reference.removeprefix("#").strip("/").split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            found = found if part == "" else _mapping(found).get(name)
        return _mapping(found)

    def _typed(self, schema: Schema, depth: int) -> Any:  # noqa: ANN401 - JSON of any shape
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, depth)
        if kind == "string":
            return self._string(schema)
        if kind in {"integer", "number"}:
            return _number(schema, whole=kind == "integer")
        return True if kind == "boolean" else None

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        properties, required = _mapping(schema.get("properties")), _list(schema.get("required"))
        names = [name for name in properties if depth < SPARSE or name in required]
        return {name: self.value(properties[name], depth + 1) for name in names}

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        least = _whole(schema.get("minItems"), 0 if depth >= SPARSE else 1)
        most = _whole(schema.get("maxItems"), LONGEST)
        fixed = [self.value(item, depth + 1) for item in _list(schema.get("prefixItems"))]
        count = max(0, min(least, most, LONGEST) - len(fixed))
        return fixed + [self.value(schema.get("items", {}), depth + 1) for _ in range(count)]

    def _string(self, schema: Schema) -> str:
        text = FORMATS.get(str(schema.get("format")), self._text)
        least, most = _whole(schema.get("minLength"), 0), _whole(schema.get("maxLength"), len(text))
        if len(text) < least and text:
            text = (text + " ") * min(LONGEST, math.ceil(least / len(text)))
        return text[: max(most, least)]


def _kind(schema: Schema) -> str:
    given = schema.get("type")
    if isinstance(given, list):
        given = next((one for one in given if one != "null"), "null")
    if isinstance(given, str):
        return given
    return "object" if "properties" in schema else "array" if "items" in schema else "string"


def _first_useful(options: list[Any]) -> object:
    """The first option that is not null, so that optional values are filled too."""
    return next((one for one in options if _mapping(one).get("type") != "null"), options[0])


def _number(schema: Schema, *, whole: bool) -> int | float:
    low, high = _bound(schema, "minimum", 1, whole=whole), _bound(schema, "maximum", -1, whole=whole)
    value = 1.0 if whole else 1.5
    value = value if low is None else max(value, low)
    value = value if high is None else min(value, high)
    step = schema.get("multipleOf")
    if isinstance(step, int | float) and not isinstance(step, bool) and step > 0:
        value = math.ceil(value / step) * step
    return int(value) if whole else value


def _bound(schema: Schema, name: str, inside: int, *, whole: bool) -> float | None:
    """A bound of a number; an exclusive one is moved `inside` by 1, or by a half for fractions."""
    value = schema.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    value = schema.get(f"exclusive{name.capitalize()}")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value + (inside if whole else inside / 2)
    return None


def _whole(value: object, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
