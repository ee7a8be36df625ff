"""
Names of providers, servers and their software, as they occur in error texts.

From LiteLLM 1.106.2's `litellm.types.utils.LlmProviders` and the makers' own spelling, read on 2026-11-25.
Ordinary words among them (`custom`, `human`, `infinity`, `replicate`, `stability`, ...) are left out: they
would
be taken out of sentences that do not name a provider.
"""

from __future__ import annotations

from typing import Final

NAMES: Final = (
    # clouds
    "openai", "open ai", "azure", "azure openai", "azure_ai", "anthropic", "amazon bedrock", "bedrock",
    "sagemaker", "aws", "vertex ai", "vertex_ai", "vertexai", "google ai studio", "gemini",
    "openrouter", "groq", "mistral", "mistralai", "cohere", "together ai", "together_ai", "togetherai",
    "fireworks", "fireworks ai", "fireworks_ai", "deepinfra", "deepseek", "perplexity", "xai", "x.ai",
    "cerebras", "sambanova", "nvidia nim", "nvidia_nim", "hugging face", "huggingface", "databricks",
    "watsonx", "cloudflare", "nebius", "novita", "hyperbolic", "lambda_ai", "lambda labs", "baseten",
    "anyscale", "ai21", "moonshot", "dashscope", "volcengine", "featherless", "featherless_ai",
    "friendliai", "siliconflow", "chutes", "z.ai", "zai", "minimax", "github copilot", "github_copilot",
    "vercel ai gateway", "vercel_ai_gateway", "meta_llama", "nscale", "galadriel", "codestral",
    "jina_ai", "jina ai", "voyage ai", "voyageai", "elevenlabs", "deepgram", "assemblyai", "ovhcloud",
    "scaleway", "wandb", "heroku", "oci", "snowflake cortex", "clarifai", "aleph alpha", "aleph_alpha",
    "predibase", "parasail",
    # local servers and what they are made of
    "vllm", "hosted_vllm", "ollama", "ollama_chat", "lm studio", "lm_studio", "lmstudio", "llama.cpp",
    "llama-cpp", "llama_cpp", "llama-server", "llamafile", "llama-swap", "mlx_lm", "mlx-lm",
    "mlx_lm.server", "sglang", "tgi", "text-generation-inference", "text generation inference",
    "tabbyapi", "exllama", "exllamav2", "koboldcpp", "oobabooga", "localai", "xinference", "aphrodite",
    "tensorrt-llm", "triton inference server", "lemonade", "docker model runner", "docker_model_runner",
    "optillm", "litellm", "uvicorn", "gunicorn", "hypercorn", "fastapi", "starlette", "aiohttp",
    "httpx", "httpcore", "urllib3", "pytorch", "safetensors", "transformers", "nginx", "traefik",
    "caddy", "cloudfront", "kubernetes", "istio", "envoy",
)  # fmt: skip
