"""
Variables from which LiteLLM takes a cloud's key for a deployment that has none.

Measured on LiteLLM 1.106.2: each provider with every variable of LiteLLM's source set, `api_base` at a
recording server, no `api_key`, on chat, completions, embeddings, rerank, responses and messages.
`tests/adapter/test_key_variables.py` repeats it for the providers of a home lab.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

OPENAI: Final = "OPENAI_API_KEY"
OWN: Final = frozenset(
    {
        *("lm_studio", "hosted_vllm", "llamafile", "infinity", "xinference", "docker_model_runner"),
        *("langflow", "langgraph", "litellm_proxy", "openai_like"),
    }
)
"""Providers that are servers of one's own: `LM_STUDIO_API_KEY` is the key of such a server, no cloud's."""
SEVERAL: Final[Mapping[str, tuple[str, ...]]] = {
    "ai21_chat": ("AI21_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
    "azure": ("AZURE_OPENAI_API_KEY", "AZURE_API_KEY", "AZURE_AD_TOKEN"),
    "azure_ai": ("AZURE_AI_API_KEY", "AZURE_OPENAI_API_KEY", "AZURE_API_KEY", "AZURE_AD_TOKEN"),
    "azure_text": ("AZURE_OPENAI_API_KEY", "AZURE_API_KEY"),
    "cometapi": ("COMETAPI_KEY",),
    "cohere": ("COHERE_API_KEY", "CO_API_KEY"),
    "cohere_chat": ("COHERE_API_KEY", "CO_API_KEY"),
    "datarobot": ("DATAROBOT_API_TOKEN",),
    "featherless_ai": ("FEATHERLESS_AI_API_KEY", "FEATHERLESS_API_KEY"),
    "fireworks_ai": (
        "FIREWORKS_API_KEY",
        "FIREWORKS_AI_API_KEY",
        "FIREWORKSAI_API_KEY",
        "FIREWORKS_AI_TOKEN",
    ),
    "friendliai": ("FRIENDLIAI_API_KEY", "FRIENDLI_TOKEN"),
    "gemini": ("GOOGLE_API_KEY", "GEMINI_API_KEY", "PALM_API_KEY"),
    "jina_ai": ("JINA_AI_API_KEY", "JINA_API_KEY", "JINA_AI_TOKEN"),
    "lambda_ai": ("LAMBDA_API_KEY",),
    "litellm_proxy": ("COHERE_API_KEY", "CO_API_KEY"),
    "meta_llama": ("LLAMA_API_KEY",),
    "mistral": ("MISTRAL_AZURE_API_KEY", "MISTRAL_API_KEY"),
    "ollama_chat": ("OLLAMA_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY", "OR_API_KEY"),
    "perplexity": ("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),
    "nano-gpt": ("NANOGPT_API_KEY",),
    "scaleway": ("SCW_SECRET_KEY",),
    "text-completion-codestral": ("CODESTRAL_API_KEY",),
    "together_ai": ("TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHERAI_API_KEY", "TOGETHER_AI_TOKEN"),
    "volcengine": ("VOLCENGINE_API_KEY", "ARK_API_KEY"),
    "voyage": ("VOYAGE_API_KEY", "VOYAGE_AI_API_KEY", "VOYAGE_AI_TOKEN"),
}
"""Variables of providers that have others than `<PROVIDER>_API_KEY`."""
WITHOUT_OPENAIS: Final = frozenset(
    {
        *("amazon_nova", "anthropic", "anthropic_text", "azure", "azure_text", "bedrock_mantle", "cohere"),
        *("cloudflare", "cohere_chat", "cometapi", "compactifai", "databricks", "datarobot", "deepseek"),
        *("docker_model_runner", "edenai", "gemini", "gigachat", "gradient_ai", "groq", "heroku", "voyage"),
        *("hosted_vllm", "huggingface", "infinity", "jina_ai", "langflow", "langgraph", "llamafile", "xai"),
        *("lemonade", "lm_studio", "manus", "maritalk", "minimax", "nlp_cloud", "ollama", "ollama_chat"),
        *("oobabooga", "openai_like", "openrouter", "ovhcloud", "petals", "text-completion-codestral"),
        *("triton", "vllm"),
    }
)
"""Providers for which LiteLLM does not go on to OPENAI_API_KEY, where the mode is one of TEXT_MODES."""
TEXT_MODES: Final = frozenset({"chat", "completion", "responses", "embedding", "rerank"})
"""Modes for which WITHOUT_OPENAIS holds: speech and moderation use OPENAI_API_KEY for every provider."""
HOSTS: Final[Mapping[str, tuple[str, ...]]] = {
    OPENAI: ("openai.com",),
    "ANTHROPIC_API_KEY": ("anthropic.com",),
    "AZURE_API_KEY": ("azure.com", "azure.us", "azure.cn", "azure-api.net", "windows.net", "microsoft.com"),
    "COHERE_API_KEY": ("cohere.com", "cohere.ai"),
    "DEEPSEEK_API_KEY": ("deepseek.com",),
    "GEMINI_API_KEY": ("googleapis.com",),
    "GROQ_API_KEY": ("groq.com",),
    "MISTRAL_API_KEY": ("mistral.ai",),
    "OPENROUTER_API_KEY": ("openrouter.ai",),
    "TOGETHER_API_KEY": ("together.ai", "together.xyz"),
    "XAI_API_KEY": ("x.ai",),
}
"""Where a cloud's key belongs; a key that is not listed is looked at only before local addresses."""


def variables(provider: str, mode: str) -> tuple[str, ...]:
    """Variables with a cloud's key that LiteLLM tries, in order, for a deployment without `api_key`."""
    simple = (f"{re.sub(r'[^A-Z0-9]+', '_', provider.upper())}_API_KEY",)
    names = SEVERAL.get(provider, () if provider in OWN else simple)
    if provider in WITHOUT_OPENAIS and mode in TEXT_MODES:
        return names
    return tuple(dict.fromkeys((*names, OPENAI)))


def hosts_of(variable: str) -> tuple[str, ...] | None:
    """Domains to which the key in a variable may go; None where this package does not know them."""
    for names in SEVERAL.values():
        if variable in names:
            return next((HOSTS[name] for name in names if name in HOSTS), None)
    return HOSTS.get(variable)
