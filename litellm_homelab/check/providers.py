"""Traps in a provider and its address: what LiteLLM does not know, and routes that are there twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from litellm_homelab.check.finding import Found, check
from litellm_homelab.check.names import SLIP
from litellm_homelab.config.address_checks import SCHEMES
from litellm_homelab.config.key_checks import is_local
from litellm_homelab.config.references import is_unset
from litellm_homelab.config.wording import closest, quoted

if TYPE_CHECKING:
    from litellm_homelab.check.document import Document

CHAT_CLIENTS: Final = ("openai", "lm_studio")
"""Providers whose client puts `/chat/completions` behind whatever the address is (measured on 1.108.7)."""
VERSIONED: Final = (*CHAT_CLIENTS, "hosted_vllm")
OLLAMA: Final = ("ollama", "ollama_chat")
ROUTES: Final = ("/chat/completions", "/completions", "/embeddings", "/responses", "/messages")
KNOWN_BEGINNINGS: Final = (
    "gpt-",
    "o1",
    "o3",
    "o4",
    "claude",
    "gemini",
    "command",
    "text-",
    "ft:",
    "arn:",
    "chatgpt",
)
"""Names without a provider that LiteLLM takes by their beginning, or may."""


OPENAI_VARIABLES: Final = ("OPENAI_API_BASE", "OPENAI_BASE_URL")
OPENAIS_OWN: Final = (
    *("gpt-", "o1", "o3", "o4", "o5", "chatgpt-", "ft:", "text-", "tts-", "whisper-", "dall-e-", "sora-"),
    *("omni-", "codex-", "computer-use", "davinci", "babbage", "responses/"),
)
"""Beginnings of OpenAI's own names, for those that are newer than LiteLLM's list."""


@check("litellm-unknown-provider", "error", "A model whose provider LiteLLM does not know: it is left out.")
def unknown_provider(doc: Document) -> Iterator[Found]:
    """The router drops a deployment without a provider, with an ERROR in the log only (1.108.7)."""
    for where, provider, model in _providers(doc):
        if "/" in model and provider not in doc.names.providers and model not in doc.names.models:
            right = closest(provider, doc.names.providers, SLIP)
            meant = f"; did you mean {right}/?" if right else "; write <provider>/<model>, such as openai/..."
            yield (
                where,
                f"LiteLLM knows no provider {quoted(provider)} and would leave this deployment out{meant}",
            )


@check("litellm-no-provider", "error", "A model without a provider in front: it is left out.")
def no_provider(doc: Document) -> Iterator[Found]:
    """A name alone is enough only where LiteLLM's list of models has it."""
    for where, _, model in _providers(doc):
        if "/" in model or model in doc.names.models or model.startswith(KNOWN_BEGINNINGS):
            continue
        yield (
            where,
            (
                f"LiteLLM does not know whose model {quoted(model)} is and would leave this deployment "
                "out; write <provider>/<model>, such as openai/..."
            ),
        )


def _providers(doc: Document) -> Iterator[tuple[str, str, str]]:
    """(where, provider, model) of deployments whose provider is in the model's name alone."""
    listed = doc.section("litellm_settings").get("custom_provider_map")
    maps = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    custom = {str(one.get("provider")) for one in maps}
    for one in doc.deployments:
        known_server = bool(one.api_base) and not is_unset(one.api_base) and not is_local(one.api_base)
        if one.custom_provider or not one.model or is_unset(one.model) or "*" in one.model or known_server:
            continue
        provider = one.model.partition("/")[0]
        if (
            not one.wildcard
            and provider not in custom
            and not provider.startswith(("auto_router", "complexity"))
        ):
            yield f"{one.where}.litellm_params.model", provider, one.model


@check("litellm-address-with-route", "error", "An address that ends with a route, which is then there twice.")
def address_with_route(doc: Document) -> Iterator[Found]:
    """`openai/` and `lm_studio/` put `/chat/completions` behind any address (measured on 1.108.7)."""
    for where, provider, url, path in _addresses(doc):
        route = next((one for one in ROUTES if path.endswith(one)), None)
        if provider in CHAT_CLIENTS and route is not None:
            yield (
                where,
                f"LiteLLM adds the route itself; write the address without {route}: {_cut(url, route)}",
            )


@check("litellm-address-v1-twice", "error", "An address with `/v1` twice.")
def address_v1_twice(doc: Document) -> Iterator[Found]:
    """Where a page says to add `/v1` and a variable has it already."""
    for where, _, url, path in _addresses(doc):
        if path.endswith("/v1/v1"):
            yield where, f"/v1 is there twice; write {_cut(url, '/v1')}"


@check("litellm-address-forgotten", "warning", "A model that OpenAI does not have, without an address.")
def address_forgotten(doc: Document) -> Iterator[Found]:
    """`openai/` without `api_base` asks api.openai.com, with whatever key there is (1.108.7)."""
    if any(doc.environ.get(name) for name in OPENAI_VARIABLES) or doc.section("litellm_settings").get(
        "api_base"
    ):
        return
    for one in doc.deployments:
        name = one.model.partition("/")[2]
        elsewhere = one.api_base or one.params.get("litellm_credential_name") or one.wildcard
        if one.provider != "openai" or elsewhere or not one.model.startswith("openai/"):
            continue
        if "*" not in name and name not in doc.names.models and not name.startswith(OPENAIS_OWN):
            yield (
                f"{one.where}.litellm_params.model",
                (
                    f"without api_base LiteLLM asks api.openai.com, which has no {quoted(name)} that is "
                    "known here; add api_base for a server of your own"
                ),
            )


@check("litellm-ollama-address", "error", "An address of Ollama with `/v1`, or with a route of its own API.")
def ollama_address(doc: Document) -> Iterator[Found]:
    """`ollama/` asks `<address>/api/generate`, `ollama_chat/` `<address>/api/chat` (measured on 1.108.7)."""
    for where, provider, url, path in _addresses(doc):
        if provider in OLLAMA and (path == "/v1" or path.startswith("/api")):
            yield (
                where,
                (
                    f"{provider}/ asks for /api/... behind this address, which Ollama does not have; write "
                    "it without "
                    f"{path}: {_cut(url, path)}"
                ),
            )


@check("litellm-address-without-v1", "hint", "The address of a local server without `/v1`.")
def address_without_v1(doc: Document) -> Iterator[Found]:
    """LiteLLM asks `<address>/chat/completions`; vLLM, LM Studio and Ollama have it below /v1 only."""
    for where, provider, url, path in _addresses(doc):
        if provider in VERSIONED and not path and is_local(url):
            yield (
                where,
                (
                    "LiteLLM asks for /chat/completions right behind this address; most servers have "
                    "it below "
                    "/v1: add /v1, or leave it where this server needs none"
                ),
            )


def _addresses(doc: Document) -> Iterator[tuple[str, str, str, str]]:
    """(where, provider, address, its path without a final slash) of every address that is one."""
    for one in doc.deployments:
        name = "api_base" if one.params.get("api_base") else "base_url"
        if is_unset(one.api_base) or one.wildcard:
            continue
        try:
            parts = urlsplit(one.api_base)
        except ValueError:
            continue
        if parts.scheme in SCHEMES and parts.netloc:
            yield f"{one.where}.litellm_params.{name}", one.provider, one.api_base, parts.path.rstrip("/")


def _cut(url: str, end: str) -> str:
    return quoted(url.rstrip("/").removesuffix(end))
