"""deploy/mcp/server.json: what the MCP registry asks of an entry, and a command line that works."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from litellm_homelab import __version__
from tests.docs.blocks import REPOSITORY
from tests.docs.test_mcp_page import parser

ENTRY: dict[str, Any] = json.loads(
    (REPOSITORY / "deploy" / "mcp" / "server.json").read_text(encoding="utf-8")
)
_TEXT = {"type": "string", "minLength": 1}
_INPUT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        **dict.fromkeys(("name", "description", "value", "default", "placeholder", "valueHint"), _TEXT),
        "type": {"enum": ["named", "positional"]},
        "format": {"enum": ["string", "number", "boolean", "filepath"]},
        **{name: {"type": "boolean"} for name in ("isRequired", "isSecret", "isRepeated")},
    },
}
_ARGUMENT = {
    **_INPUT,
    "required": ["type"],
    "oneOf": [
        {"properties": {"type": {"const": "named"}}, "required": ["name"]},
        {
            "properties": {"type": {"const": "positional"}},
            "anyOf": [{"required": ["value"]}, {"required": ["valueHint"]}],
        },
    ],
}
_VERSION = {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+([-.+][0-9A-Za-z.-]+)?$"}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["$schema", "name", "description", "version", "packages"],
    "properties": {
        "$schema": {"const": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"},
        "name": {"type": "string", "pattern": r"^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$", "maxLength": 200},
        "title": {**_TEXT, "maxLength": 100},
        "description": {**_TEXT, "maxLength": 100},
        "version": _VERSION,
        "packages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["registryType", "identifier", "version", "transport"],
                "properties": {
                    "registryType": {"enum": ["npm", "pypi", "cargo", "oci", "nuget", "mcpb"]},
                    "identifier": _TEXT,
                    "version": _VERSION,
                    "runtimeHint": {"enum": ["npx", "uvx", "docker", "dnx"]},
                    "runtimeArguments": {"type": "array", "items": _ARGUMENT},
                    "packageArguments": {"type": "array", "items": _ARGUMENT},
                    "environmentVariables": {"type": "array", "items": {**_INPUT, "required": ["name"]}},
                    "transport": {"const": {"type": "stdio"}},
                },
                "dependentRequired": {"runtimeArguments": ["runtimeHint"]},
            },
        },
    },
}
"""What the registry's schema of 2025-12-11 demands of an entry such as ours, by hand; it allows more."""


def test_it_is_an_entry() -> None:
    """By the registry's schema."""
    jsonschema.Draft202012Validator(SCHEMA).validate(ENTRY)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("name",), "litellm-homelab"),
        (("description",), "x" * 101),
        (("version",), ">=0.1"),
        (("packages", 0, "version"), "latest"),
        (("packages", 0, "transport"), {"type": "http"}),
        (("packages", 0, "packageArguments", 0), {"type": "positional"}),
        (("packages", 0, "environmentVariables", 0), {"isSecret": True}),
    ],
)
def test_the_schema_finds_mistakes(path: tuple[str | int, ...], value: object) -> None:
    """It would be of no use else."""
    entry: Any = json.loads(json.dumps(ENTRY))
    place = entry
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(entry)


def test_its_versions_are_the_packages() -> None:
    """All three, or a client installs another release than the entry describes."""
    (package,) = ENTRY["packages"]
    (runtime,) = package["runtimeArguments"]
    assert (ENTRY["version"], package["version"]) == (__version__, __version__)
    assert f"{runtime['name']} {runtime['value']}" == f"--with {package['identifier']}[mcp]=={__version__}"


def test_its_command_line_works() -> None:
    """`mcp` with each option that a client may ask for, and the variables that the command reads."""
    (package,) = ENTRY["packages"]
    first, *options = package["packageArguments"]
    assert first == {"type": "positional", "value": "mcp"}
    words = [f"{one['name']}={one.get('default', '192.168.1.0/24')}" for one in options]
    args = parser().parse_args(words)
    assert (args.allow, args.tool) == (["192.168.1.0/24"], "searxng-search")
    variables = {one["name"]: one for one in package["environmentVariables"]}
    assert {*variables} == {args.key_env, "HOMELAB_URL"}
    assert variables["LAB_KEY"]["isSecret"]
    assert "default" not in variables["LAB_KEY"]
