"""Every function of the installed LiteLLM that reads a model, deployment or provider out of an id."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import litellm
from litellm.llms.base_llm.managed_resources.utils import (
    extract_target_model_names_from_unified_id,
    parse_unified_id,
)
from litellm.proxy.openai_files_endpoints.common_utils import (
    decode_model_from_file_id,
    get_model_id_from_unified_batch_id,
    get_models_from_unified_file_id,
    is_base64_encoded_unified_file_id,
)
from litellm.proxy.pass_through_endpoints import managed_id_codec
from litellm.responses.utils import ResponsesAPIRequestUtils as Responses
from litellm.types.videos.utils import decode_character_id_with_provider, decode_video_id_with_provider

from tests import versions

ARGUMENTS = ("id", "uid", "content")
"""Endings of the first argument's name by which a decoder of ids is known in LiteLLM's source."""
KNOWN = frozenset(
    {
        versions.VIDEO_ID_DECODER,
        "decode_character_id_with_provider",
        "is_base64_encoded_unified_id",
        "decode_unified_id",
        "decode_encrypted_item_id",
        "unwrap_encrypted_content_with_model_id",
        "decode_responses_api_response_id",
        "decode_container_id",
        "is_base64_encoded_unified_file_id",
        "decode_model_from_file_id",
        "get_original_file_id",
        "extract_s3_uri_from_file_id",
        "decode",
    }
)
"""
Those of LiteLLM 1.106.0 to 1.110.2.

Two of them read no model: the original id of a file, and the S3 address of a Bedrock file. `decode` belongs
to pass-through routes, which are closed (`access/routes.txt`).
"""


def _unified(encoded: str) -> Iterator[object]:
    plain = is_base64_encoded_unified_file_id(encoded)
    if plain:
        yield from get_models_from_unified_file_id(plain)
        yield get_model_id_from_unified_batch_id(plain)
    yield from extract_target_model_names_from_unified_id(encoded)
    parsed = parse_unified_id(encoded) or {}
    yield parsed.get("model_id")
    yield from parsed.get("target_model_names") or ()


READERS: Mapping[str, Callable[[str], object]] = {
    "file": decode_model_from_file_id,
    "response": lambda text: Responses.decode_responses_api_response_id(text)["model_id"],
    "container": lambda text: Responses.decode_container_id(text)["model_id"],
    "item": lambda text: (Responses.decode_encrypted_item_id(text) or {}).get("model_id"),
    "content": lambda text: Responses.unwrap_encrypted_content_with_model_id(text)[0],
    "video": lambda text: decode_video_id_with_provider(text)["model_id"],
    "character": lambda text: decode_character_id_with_provider(text)["model_id"],
}
PROVIDERS: Mapping[str, Callable[[str], object]] = {
    "response": lambda text: Responses.decode_responses_api_response_id(text)["custom_llm_provider"],
    "container": lambda text: Responses.decode_container_id(text)["custom_llm_provider"],
    "video": lambda text: decode_video_id_with_provider(text)["custom_llm_provider"],
    "character": lambda text: decode_character_id_with_provider(text)["custom_llm_provider"],
    "pass-through": lambda text: getattr(managed_id_codec.decode(text), "provider", None),
}


def models(encoded: str) -> set[str]:
    """What any decoder takes for a model or a deployment."""
    found = [reader(encoded) for reader in READERS.values()] + [*_unified(encoded)]
    return {name for name in found if isinstance(name, str) and name.strip() and name != "None"}


def providers(encoded: str) -> set[str]:
    """What any decoder takes for a provider, though no decoder found a model: then the provider decides."""
    if models(encoded):
        return set()
    found = [reader(encoded) for reader in PROVIDERS.values()]
    return {name for name in found if isinstance(name, str) and name.strip() and name != "None"}


def installed() -> set[str]:
    """The names of all functions of the installed LiteLLM that decode base64 out of an id."""
    root = Path(litellm.__file__).parent
    texts = ((path, path.read_text(encoding="utf-8")) for path in root.rglob("*.py"))
    return {name for _, text in texts if "b64decode" in text for name in _decoders(ast.parse(text))}


def _decoders(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        arguments = [argument.arg for argument in node.args.args if argument.arg not in {"self", "cls"}]
        decodes = any(
            isinstance(each, ast.Attribute) and each.attr.endswith("b64decode") for each in ast.walk(node)
        )
        if decodes and arguments and arguments[0].endswith(ARGUMENTS):
            yield node.name
