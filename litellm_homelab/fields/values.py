"""Documented fields whose value names an address, a store, a tool server or another model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from litellm_homelab.fields import addresses

CONTENTS: Final = frozenset(
    {"messages", "input", "contents", "system", "systemInstruction", "prompt"}
    | {"frame_images", "input_references"}
)
"""Fields that hold messages and content parts."""
INNER: Final = ("content", "parts", "output", "functionResponse", "function_response")
"""Keys under which a message or part holds further parts; arguments of tools are not among them."""
UPLOADS: Final = frozenset({"file", "image", "mask", "video", "input_reference"})
"""Fields that are files in a form; as text some providers of LiteLLM take them for a path on the gateway."""
LONGEST_PATH: Final = 4096
"""Longer text cannot be a path (PATH_MAX of Linux), so it is the file itself in base64."""
DEEPEST: Final = 16
"""Levels of parts that are looked at; no API documents more than five."""
SERVERS: Final = ("server_url", "url")
"""Keys by which a tool names the server that runs it."""
STORES: Final = (
    *("vector_store_ids", "vector_store_id", "file_search_store_names", "fileSearchStoreNames"),
    *("retrieval", "vertexRagStore", "vertex_rag_store", "vertexAiSearch", "externalApi", "external_api"),
)
"""Keys by which a tool names a store of the gateway or of its account with a provider."""
CREDENTIALS: Final = ("api_base", "api_key", "base_url")
"""Keys by which a tool brings an address or a key (LiteLLM's advisor reads them, 1.106.2)."""
SCHEMAS: Final = frozenset(
    {"function", "functionDeclarations", "function_declarations", "input_schema", "parameters"}
)
"""Keys of a tool that describe a function of the client's; any name may occur in them."""
SKILL: Final = "litellm"
"""How the id of a skill begins that LiteLLM itself loads and runs (read from 1.106.2)."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is wrong with a value: the place inside the field, and why."""

    place: str
    why: str
    instead: str = "Remove it."
    is_state: bool = False
    """Whether it asks for what this gateway does not keep, though an upstream may: the operator decides."""


def problem(name: str, value: object) -> Found | None:
    """What a documented field's value reaches; None where it only is text, data or a public URL."""
    return next(_problems(name, value), None) if name in EXAMINED else None


def _problems(name: str, value: object) -> Iterator[Found]:
    if name in STATE and value:
        yield from STATE[name](value)
    if name in CONTENTS:
        yield from _parts(value, "", 0)
    elif name in {"tools", "mcp_servers"}:
        yield from _tools(name, value)
    elif name in UPLOADS:
        yield from _upload(value)
    elif name == "document":
        yield from _part(value, "", 0) if isinstance(value, Mapping) else ()
    elif name in _SPECIAL:
        yield from _SPECIAL[name](value)


# --- content ---------------------------------------------------------------------------------------


def _parts(value: object, place: str, depth: int) -> Iterator[Found]:
    if depth > DEEPEST:
        yield Found(place, f"it is nested more than {DEEPEST} levels deep")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            if isinstance(item, Mapping):
                yield from _part(item, f"{place}[{number}]", depth)
            elif isinstance(item, list):
                yield from _parts(item, f"{place}[{number}]", depth + 1)
    elif isinstance(value, Mapping):
        yield from _part(value, place, depth)


def _part(part: Mapping[str, object], place: str, depth: int) -> Iterator[Found]:
    """A message, an item or a content part, of any API."""
    if part.get("type") == "item_reference":
        yield Found(
            place,
            "it refers to an item of an earlier response, and this gateway keeps none",
            "Send the item itself in its place (in the AI SDK: providerOptions.openai.store = false).",
            is_state=True,
        )
    for key in filter(_FOLLOWED.__contains__, part):
        inner = part[key]
        if isinstance(inner, str) and key in INNER:  # a text, as nearly every message has
            continue
        if key in INNER:
            yield from _parts(inner, f"{place}.{key}", depth + 1)
        elif key in _ADDRESSES:
            yield from _address(_ADDRESSES[key], inner, f"{place}.{key}")
        elif key == "source" and isinstance(inner, Mapping):
            yield from _address(("url",), inner, f"{place}.source")
            yield from _parts(inner.get("content"), f"{place}.source.content", depth + 1)


_ADDRESSES: Final[Mapping[str, tuple[str, ...]]] = {
    "image_url": ("url", "file_id"),
    "video_url": ("url",),
    "audio_url": ("url",),
    "input_audio": ("url", "data"),
    "document_url": ("url",),
    "file": ("file_id", "file_url", "file_data", "url"),
    "file_url": (),
    "file_id": (),
    "fileUri": (),
    "file_uri": (),
    "file_data": ("file_uri", "fileUri"),
    "fileData": ("file_uri", "fileUri"),
}
"""Keys of content parts that hold an address, and where it is if they hold an object."""
_FOLLOWED: Final = frozenset({*INNER, *_ADDRESSES, "source"})
"""Keys of messages and parts whose values are looked at."""


def _address(keys: tuple[str, ...], value: object, place: str) -> Iterator[Found]:
    if isinstance(value, str):
        why = addresses.problem(value)
        if why is not None:
            yield Found(place, why)
    elif isinstance(value, Mapping):
        for key in keys:
            yield from _address((), value.get(key), f"{place}.{key}")


def _upload(value: object) -> Iterator[Found]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping):
            yield from _address(("url", "image_url", "file_id"), item, "")
        elif isinstance(item, str) and len(item) < LONGEST_PATH:
            why = addresses.problem(item)
            path = "://" not in item and not item.startswith("data:")
            if why is not None or path:
                yield Found("", why or "a file is uploaded, or sent as a data: URL")


# --- tools -----------------------------------------------------------------------------------------


def _tools(name: str, value: object) -> Iterator[Found]:
    for number, tool in enumerate(value if isinstance(value, list) else [value]):
        if isinstance(tool, Mapping):
            yield from _tool(tool, f"[{number}]", server=name == "mcp_servers")


def _tool(tool: Mapping[str, object], place: str, *, server: bool) -> Iterator[Found]:
    for key in CREDENTIALS:
        if key in tool:
            yield Found(f"{place}.{key}", "a tool brings no address and no key of its own")
    if "model" in tool:
        yield Found(f"{place}.model", "a tool may not name another model")
    yield from _stores(tool, place)
    if server or str(tool.get("type")).startswith("mcp"):
        yield from _server(tool, place)
    for key, inner in tool.items():  # Gemini's: {"fileSearch": {"fileSearchStoreNames": [..]}}
        if key == "tools":  # OpenAI's namespaces
            yield from _tools(key, inner)
        elif isinstance(inner, Mapping) and key not in SCHEMAS:
            yield from _stores(inner, f"{place}.{key}")


def _stores(tool: Mapping[str, object], place: str) -> Iterator[Found]:
    for key in STORES:
        if tool.get(key):
            yield Found(
                f"{place}.{key}", "it names a store of the gateway or of its account with the provider"
            )


def _server(tool: Mapping[str, object], place: str) -> Iterator[Found]:
    for key in SERVERS:
        address = tool.get(key)
        why = addresses.of_a_tool_server(address) if address is not None else None
        if why is not None:
            yield Found(f"{place}.{key}", why)


# --- what is not kept ------------------------------------------------------------------------------

WHOLE: Final = "Send the whole conversation in {field} instead."


def _earlier(field: str) -> Callable[[object], Iterator[Found]]:
    def found(_: object) -> Iterator[Found]:
        why = "this gateway keeps no conversations, so there is nothing to continue"
        yield Found("", why, WHOLE.format(field=field), is_state=True)

    return found


def _stored_prompt(value: object) -> Iterator[Found]:
    if isinstance(value, Mapping) and value.get("id") is not None:
        why = "this gateway keeps no prompts"
        yield Found(".id", why, "Send the prompt's text in instructions or input instead.", is_state=True)


def _background(value: object) -> Iterator[Found]:
    if value is True:
        why = "this gateway keeps no responses, so the answer could not be fetched"
        yield Found("", why, "Leave it out, and read the answer as it comes (stream: true).", is_state=True)


STATE: Final[Mapping[str, Callable[[object], Iterator[Found]]]] = {
    "previous_response_id": _earlier("input"),
    "previous_interaction_id": _earlier("input"),
    "conversation": _earlier("input"),
    "prompt": _stored_prompt,
    "background": _background,
}
"""
Fields that ask for what was kept of an earlier request.

LiteLLM keeps it in its database's spend logs, if it has one; without, it answers as if the field were not
there, and the conversation's history is silently lost (measured on 1.106.2).
"""


# --- others ----------------------------------------------------------------------------------------


def _moderation(value: object) -> Iterator[Found]:
    if isinstance(value, Mapping) and "model" in value:
        yield Found(".model", "it names another model")


def _guardrails(value: object) -> Iterator[Found]:
    """A guardrail with parameters of the client's own: LiteLLM sends them to the guardrail's server."""
    if not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        yield Found("", "it must be a list of names")


def _container(value: object) -> Iterator[Found]:
    skills = value.get("skills") if isinstance(value, Mapping) else None
    for number, skill in enumerate(skills if isinstance(skills, list) else ()):
        named = skill.get("skill_id") if isinstance(skill, Mapping) else None
        if isinstance(named, str) and named.startswith(SKILL):
            yield Found(f".skills[{number}].skill_id", "the gateway itself would run this skill")


def _config(value: object) -> Iterator[Found]:
    if isinstance(value, Mapping):
        for key in ("httpOptions", "http_options"):
            if key in value:
                yield Found(f".{key}", "it chooses another address for the request")
        yield from _tools("tools", value.get("tools"))


_SPECIAL: Final = {
    "moderation": _moderation,
    "guardrails": _guardrails,
    "container": _container,
    "config": _config,
}
"""Fields with a check of their own."""
EXAMINED: Final = CONTENTS | UPLOADS | STATE.keys() | _SPECIAL.keys() | {"tools", "mcp_servers", "document"}
"""Fields whose values are looked at; any other passes, whatever it holds."""
