"""Deployments of LiteLLM's router as the rule of attempts sees them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import litellm
from litellm.litellm_core_utils.credential_accessor import CredentialAccessor

from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.attempts import address
from litellm_homelab.attempts.address import Address
from litellm_homelab.attempts.target import CREDENTIALS, MODEL_FIELDS, Target

DEFAULTS: Final[Mapping[str, str]] = {
    "openai": "https://api.openai.com/v1",
    "text-completion-openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
    "anthropic_text": "https://api.anthropic.com",
    "gemini": "https://generativelanguage.googleapis.com",
    "openrouter": "https://openrouter.ai/api/v1",
    "cohere": "https://api.cohere.ai",
    "cohere_chat": "https://api.cohere.ai",
    "ollama": "http://localhost:11434",
    "ollama_chat": "http://localhost:11434",
    "codestral": "https://codestral.mistral.ai/v1",
    "text-completion-codestral": "https://codestral.mistral.ai/v1",
}
"""Addresses of providers for which `litellm.get_llm_provider` gives none (read from 1.106.2)."""
ALSO: Final[Mapping[str, tuple[str, ...]]] = {
    "cohere": ("https://api.cohere.com",),
    "cohere_chat": ("https://api.cohere.com",),
    "deepseek": ("https://api.deepseek.com",),
}
"""Further hosts of the same provider that LiteLLM asks on some routes."""
VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "text-completion-openai": ("OPENAI_API_BASE", "OPENAI_BASE_URL"),
    "anthropic_text": ("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"),
    "cohere_chat": ("COHERE_API_BASE",),
    "ollama_chat": ("OLLAMA_API_BASE",),
    "azure_text": ("AZURE_API_BASE",),
}
"""Variables that are not called `<PROVIDER>_API_BASE` or `<PROVIDER>_BASE_URL`."""
TOKENS: Final = frozenset(
    {"vertex_ai", "vertex_ai_beta", "bedrock", "bedrock_converse", "sagemaker", "sagemaker_chat", "watsonx"}
    | {"watsonx_text", "databricks", "github_copilot", "chatgpt", "oci", "sap", "gigachat", "snowflake"}
)
"""Providers whose credential is a token or a signature that LiteLLM makes itself."""
TOKEN_PARAMS: Final = ("azure_ad_token", "azure_ad_token_provider", "tenant_id", "client_id", "azure_scope")
VARIANTS: Final = ("responses/", "chat/", "o_series/", "gpt5_series/", "chat_completions/", "completions/")
"""Words before a model's name that tell LiteLLM which of a provider's APIs to use, and do not leave."""
AZURES: Final = frozenset({"azure", "azure_text", "azure_ai"})


class Targets:
    """Deployments as targets, each built once; `lanes` are the groups that are OptiLLM."""

    def __init__(self, deployments: Deployments, lanes: Collection[str]) -> None:
        self._deployments = deployments
        self._lanes = lanes
        self._known: dict[tuple[str, str | None], Target] = {}

    def of(self, deployment: str, model: str | None = None) -> Target | None:
        """
        The target of a deployment's id, None for an id that the router does not know.

        `model` is the deployment's model where its group is a wildcard.
        """
        group = self._deployments.group_of(deployment)
        if group is None:
            return None
        known = (deployment, model)
        if known not in self._known:
            params = self.params_of(deployment)
            params = {**params, "model": model} if model is not None else params
            self._known[known] = target_of(group, params, marked=group in self._lanes)
        return self._known[known]

    def all(self) -> list[Target]:
        """The targets of every deployment that the router knows."""
        ids = (str((one.get("model_info") or {}).get("id")) for one in self._deployments.all())
        return [found for one in ids if (found := self.of(one)) is not None]

    def params_of(self, deployment: str) -> Mapping[str, Any]:
        """A deployment's parameters, those of its `litellm_credential_name` included."""
        return with_credentials(self._deployments.params_of(deployment))


def with_credentials(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Parameters with those of their `litellm_credential_name`; their own come first."""
    name = params.get("litellm_credential_name")
    return {**CredentialAccessor.get_credential_values(name), **params} if name else params


def target_of(group: str, params: Mapping[str, Any], *, marked: bool = False) -> Target:
    """
    What a deployment's `litellm_params` lead to.

    Addresses and keys that they leave out are those of the environment, as LiteLLM finds them.
    """
    written = str(params.get("model") or "")
    name, provider, key, base = _provider(written, params)
    own_key = params.get("api_key")
    return Target(
        group=group,
        provider=provider,
        bases=tuple(_bases(provider, params.get("api_base") or params.get("base_url"), base)),
        keys=frozenset({*_keys(own_key, key), *_header_keys(params)}),
        models=frozenset(_models(written, name, provider)),
        any_key=not own_key and (provider in TOKENS or any(params.get(one) for one in TOKEN_PARAMS)),
        marked=marked,
        fields=frozenset(one for one in MODEL_FIELDS if one in {*params, *(params.get("extra_body") or {})}),
        accounts=frozenset(_accounts(params)),
    )


def _provider(written: str, params: Mapping[str, Any]) -> tuple[str, str, str | None, str | None]:
    """The model's name without its provider, the provider, and the key and address that LiteLLM knows."""
    try:
        name, provider, key, base = litellm.get_llm_provider(
            model=written,
            custom_llm_provider=params.get("custom_llm_provider"),
            api_base=params.get("api_base"),
            api_key=params.get("api_key"),
        )
    except Exception:  # noqa: BLE001 - a model that LiteLLM cannot place: it will not send either
        return written, str(params.get("custom_llm_provider") or ""), None, None
    return name, provider, key, base


def _bases(provider: str, own: str | None, found: str | None) -> Iterator[Address]:
    """Every address that may be the deployment's: its own and nothing else, if it has one."""
    names = (f"{provider.upper()}_API_BASE", f"{provider.upper()}_BASE_URL", *VARIABLES.get(provider, ()))
    everywhere = [found, *map(os.environ.get, names), litellm.api_base]
    if not any(everywhere[1:]):
        everywhere += [DEFAULTS.get(provider), *ALSO.get(provider, ())]
    for one in [own, _with_slash(provider, own)] if own else everywhere:
        parsed = address.parse(one) if isinstance(one, str) else None
        if parsed is not None:
            yield parsed


def _with_slash(provider: str, own: str) -> str | None:
    """Azure's addresses may end with a path that LiteLLM takes off: `.../openai/deployments/<name>`."""
    return own.partition("/openai/")[0] if provider in AZURES and "/openai/" in own else None


def _keys(own: object, found: str | None) -> Iterator[str]:
    if isinstance(own, str) and own:
        yield own
        return
    if found:
        yield found
    if isinstance(litellm.api_key, str):
        yield litellm.api_key
    yield from (value for name, value in os.environ.items() if value and _is_key(name))


def _is_key(variable: str) -> bool:
    return variable.endswith(("KEY", "TOKEN", "SECRET", "PASSWORD"))


def _header_keys(params: Mapping[str, Any]) -> Iterator[str]:
    for name in ("extra_headers", "headers"):
        headers = params.get(name)
        if isinstance(headers, Mapping):
            yield from (str(value) for key, value in headers.items() if str(key).lower() in CREDENTIALS)


def _models(written: str, name: str, provider: str) -> Iterator[str]:
    for one in (written, name, name.removeprefix(f"{provider}/")):
        yield one
        for variant in VARIANTS:
            if one.startswith(variant):
                yield one.removeprefix(variant)


def _accounts(params: Mapping[str, Any]) -> Iterator[str]:
    own = (params.get("organization"), litellm.organization)
    names = ("OPENAI_ORGANIZATION", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID")
    headers = params.get("extra_headers")
    given = headers.values() if isinstance(headers, Mapping) else ()
    for one in (*own, *map(os.environ.get, names), *given):
        if isinstance(one, str):
            yield one
