"""Fields that name another model, address, key, account, file or switch, with a value that would be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.real.providers.target import TOKEN, Target


@dataclass(frozen=True, slots=True)
class Field:
    """A field, and the value that an attack gives it."""

    id: str
    name: str
    value: Callable[[Target], Any]
    kind: str = "deny-list"
    core: bool = False


def _planted(*names: str, core: bool = False) -> list[Field]:
    return [Field(name, name, lambda _: TOKEN, core=core) for name in names]


def _valued(name: str, value: Any, *, core: bool = False, kind: str = "deny-list", label: str = "") -> Field:
    return Field(label or name, name, value if callable(value) else lambda _: value, kind, core)


def _model(t: Target) -> str:
    return t.model(t.back)


def _back(t: Target) -> str:
    return t.back


def _entry(t: Target) -> dict[str, Any]:
    params = {"model": f"openai/{_model(t)}", "api_base": t.evil, "api_key": t.key(t.back)}
    return {"model_name": t.handle, "litellm_params": params}


FIELDS: tuple[Field, ...] = (
    _valued("deployment_id", f"../../admin/any?x={TOKEN}", core=True, label="deployment_id with dots"),
    _valued("deployment_id", _model, core=True, label="deployment_id of another"),
    _valued("deployment_id", lambda t: f"{_model(t)}/../x#", label="deployment_id with a fragment"),
    _valued("model", _model, core=True, label="model"),
    _valued("models", lambda t: [_model(t)], core=True),
    _valued("draft_model", f"/{TOKEN}", core=True),
    _valued("adapters", f"/{TOKEN}", core=True),
    _valued("lora", [{"id": 0, "path": TOKEN}], core=True),
    _valued("route", TOKEN, core=True),
    _valued("provider", {"order": [TOKEN]}, core=True),
    _valued("custom_llm_provider", "hosted_vllm", core=True, label="custom_llm_provider hosted_vllm"),
    _valued("custom_llm_provider", "openai", label="custom_llm_provider openai"),
    _valued("custom_llm_provider", "azure", label="custom_llm_provider azure"),
    _valued("custom_llm_provider", "ollama", label="custom_llm_provider ollama"),
    _valued("api_base", lambda t: t.evil, core=True),
    _valued("base_url", lambda t: t.evil, core=True),
    _valued("api_key", lambda t: t.key(t.back), core=True),
    _valued("headers", lambda t: {"authorization": f"Bearer {t.key(t.back)}", "x": TOKEN}, core=True),
    _valued("extra_headers", lambda t: {"api-key": t.key(t.back), "x": TOKEN}, core=True),
    _valued("extra_query", {"x": TOKEN}, core=True),
    _valued("azure_endpoint", lambda t: t.evil),
    _valued("azure_deployment", _model),
    _valued("fallbacks", lambda t: [t.back], core=True),
    _valued("context_window_fallbacks", lambda t: [{t.handle: [t.back]}]),
    _valued("content_policy_fallbacks", lambda t: [{t.handle: [t.back]}]),
    _valued("default_fallbacks", lambda t: [t.back]),
    _valued("mock_testing_fallbacks", True, kind="cooldown"),
    _valued("mock_testing_rate_limit_error", True, kind="cooldown"),
    _valued("mock_timeout", True, kind="cooldown"),
    _valued("mock_response", "litellm.InternalServerError", kind="cooldown"),
    _valued("timeout", 0.0001, kind="cooldown", core=True),
    _valued("request_timeout", 0.0001, kind="cooldown"),
    _valued("stream_timeout", 0.0001, kind="cooldown"),
    _valued("num_retries", 3, kind="limit"),
    _valued(
        "router_settings_override",
        lambda t: {"model_group_alias": {t.handle: t.back}, "fallbacks": [{t.handle: [t.back]}]},
    ),
    _valued("model_group_alias", lambda t: {t.handle: t.back}),
    _valued("model_alias_map", lambda t: {t.handle: t.back}),
    _valued("aliases", lambda t: {t.handle: t.back}),
    _valued("model_group", _back),
    _valued("model_info", lambda t: {"id": f"id-{t.back}", "base_model": t.back}),
    _valued("specific_deployment", True),
    _valued("silent_model", _back),
    _valued("user_config", lambda t: {"model_list": [_entry(t)]}),
    _valued("model_list", lambda t: [_entry(t)]),
    _valued("proxies", lambda t: {"http://": t.evil}),
    _valued("proxy", lambda t: t.evil),
    _valued(
        "provider_specific_header",
        lambda t: {"custom_llm_provider": t.provider, "extra_headers": {"x": TOKEN}},
    ),
    _valued("litellm_credential_name", _back),
    _valued("use_litellm_proxy", True),
    _valued("allowed_openai_params", ["draft_model"], label="allowed_openai_params"),
    _valued("additional_drop_params", ["model"]),
    _valued("proxy_server_request", lambda t: {"headers": {"x": TOKEN}, "body": {"model": t.back}}),
    _valued("langfuse_host", lambda t: t.evil),
    _valued("langsmith_base_url", lambda t: t.evil),
    _valued("success_callback", ["langfuse"]),
    _valued("guardrails", [TOKEN]),
    _valued("guardrail_config", lambda t: {"api_base": t.evil}),
    _valued("kv_transfer_params", {"remote_host": TOKEN, "remote_port": 1}),
    _valued("ec_transfer_params", {"remote_host": TOKEN}),
    _valued("plugins", [{"id": TOKEN}]),
    _valued("transforms", [TOKEN]),
    _valued("lora_request", {"lora_name": TOKEN, "lora_path": TOKEN}),
    _valued("vllm_xargs", {"x": TOKEN}),
    _valued("use_chat_completions_api", True),
    _valued("model_file", f"/{TOKEN}"),
    _valued("cache", lambda t: {"namespace": TOKEN, "s-maxage": 9}),
    _valued("mcp_server_url", lambda t: t.evil),
    _valued("allowed_model_region", "eu"),
    *_planted(
        *(
            "api_version",
            "organization",
            "project",
            "azure_ad_token",
            "azure_username",
            "client_id",
            "tenant_id",
        ),
        *(
            "region_name",
            "aws_region_name",
            "aws_bedrock_runtime_endpoint",
            "vertex_project",
            "vertex_location",
        ),
        *("prompt_id", "prompt_label", "vector_store_id", "litellm_session_id", "litellm_call_id"),
        *("chat_template", "template", "raw", "keep_alive", "preset", "adapter_id", "adapter", "engine"),
        *("no_such_field", "model_path", "session_id", "request_id", "id_slot", "priority", "text_model"),
        *(
            "hf_model_name",
            "api_type",
            "base_model",
            "input_cost_per_token",
            "litellm_logging_obj",
            "logger_fn",
        ),
    ),
)
"""
What LiteLLM's functions and routers take by name, and switches of local servers and clouds.

`core` ones are tried on every provider and route.
"""
