"""Request fields, headers and metadata that steer LiteLLM instead of the model: refused, but for a few."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from litellm_homelab.decision import RefusalType, Refuse

ALLOWED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "metadata": "OpenAI's own field; steering keys inside it are refused one by one",
        "litellm_metadata": "as metadata, on routes where that is the upstream's; looked at alike",
        "cache": "asks for a fresh answer; what is cached is the operator's setting",
        "guardrails": "adds guardrails; it cannot take one away (measured on LiteLLM 1.106.2)",
        "allowed_openai_params": "lets an OpenAI field through to the upstream; ours are taken out after it",
        "litellm_session_id": "groups requests in traces",
        "litellm_trace_id": "groups requests in traces",
        "litellm_call_id": "names the request in logs; it is no identity",
        "search_tool_name": "names the search tool of /v1/search, which the showroom decides on",
        "prompt_id": "a stored prompt of the operator; OptiLLM handles refuse it",
        "prompt_variables": "fills in a stored prompt",
        "prompt_version": "picks a version of a stored prompt",
    }
)
"""Fields of LiteLLM's `all_litellm_params` that a client may send, and why each is harmless."""

MORE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "timeout": "0.0001 walks the operator's whole chain, down to the rung that costs money",
        "router_settings_override": "brings fallbacks of the client's own",
        "router_settings": "as router_settings_override",
        "user_config": "brings a router of the client's own",
        "base_url": "sends the prompt elsewhere",
        "extra_headers": "forges headers on the way to the upstream",
        "extra_query": "forges the query on the way to the upstream",
        "priority": "takes the request past the hooks into LiteLLM's scheduler",
        "max_tokens_per_minute": "sets a limit that is the operator's",
        "specific_deployment": "picks among the deployments",
        "model_id": "picks among the deployments",
        "weights": "changes how deployments are picked",
        "routing_strategy_args": "changes how deployments are picked",
        "routing_groups": "changes how deployments are picked",
        "model_group_retry_policy": "multiplies attempts",
        "disable_fallbacks": "switches off the operator's chain",
        "include_fallback_errors": "shows the errors of rungs that are not the client's to see",
        "passthrough": "goes past the translation that the rules rely on",
        "passthrough_on_no_deployment": "goes past the router",
        "organization": "chooses whose account pays",
        "litellm_params": "the deployment's own settings",
        "original_function": "what the router calls",
        "original_generic_function": "what the router calls",
        "callbacks": "registers loggers for everybody",
        "input_callback": "registers loggers for everybody",
        "success_callback": "registers loggers for everybody",
        "failure_callback": "registers loggers for everybody",
        "service_callback": "registers loggers for everybody",
        "standard_callback_dynamic_params": "sends logs elsewhere",
        "standard_logging_object": "forges what is logged",
        "disable_global_guardrail": "switches guardrails off",
        "disable_global_guardrails": "switches guardrails off",
        "opted_out_global_guardrails": "switches guardrails off",
        "applied_guardrails": "forges what is logged",
        "applied_policies": "forges what is logged",
        "policies": "the operator's policies",
    }
)
"""
Fields that LiteLLM reads although its list leaves them out, and what each does (read from, or measured on,
1.106.2). Some of them it takes out itself; here the client is told.
"""
MORE_PREFIXES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "_": "LiteLLM's own notes on a request",
        "mock_": "makes answers and failures up, and so walks the chain",
        "user_api_key": "forges who is asking",
        "aws_": "the provider's account and address",
        "azure_": "the provider's account and address",
        "vertex_": "the provider's account and address",
        "langfuse_": "sends logs elsewhere",
    }
)
"""Starts of such names, and what they do."""

HEADER_PREFIX: Final = "x-litellm-"
HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "x-litellm-api-key": "the caller's key, where Authorization is taken",
        "x-litellm-call-id": "names the request in logs; it is no identity",
        "x-litellm-trace-id": "groups requests in traces",
        "x-litellm-session-id": "groups requests in traces",
        "x-litellm-model": "names the handle of a file or batch, which the showroom decides on",
        "x-litellm-enable-message-redaction": "keeps a prompt out of the logs",
        "x-litellm-keepalive-seconds": "asks for a comment line in a silent stream",
        "x-litellm-customer-id": "names the end user, as the field `user` does",
        "x-litellm-end-user-id": "names the end user, as the field `user` does",
    }
)
"""`x-litellm-` headers that a client may send, and why each is harmless; any other is refused."""
MORE_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "custom-llm-provider": "sends files and batches to another provider, with the gateway's own account",
        "litellm-disable-message-redaction": "puts a prompt into logs that the operator keeps free of them",
    }
)
"""Headers under other names that LiteLLM takes orders from, and what each does (read from 1.106.2)."""

METADATA: Final = frozenset(
    {"model_group", "original_model_group", "deployment", "model_info", "model_config", "previous_models"}
    | {"disable_fallbacks", "disable_global_guardrails", "disable_global_guardrail", "max_retries"}
    | {"opted_out_global_guardrails", "policies", "policy", "tag_routing", "tags", "inherited_tags"}
    | {"routing_decision", "routing_plugin_signals", "quality_router_decision", "adaptive_router_decision"}
    | {"fallbacks", "timeout", "api_base", "api_key", "cache", "no-log", "attempted_fallbacks"}
    | {"attempted_retries", "request_retry_count", "enforced_params", "callback_settings"}
    | {"batch_ignore_default_logging", "standard_logging_object", "applied_guardrails"}
    | {"standard_logging_guardrail_information", "proxy_server_request", "secret_fields"}
    | {"redis_namespace", "caching_groups", "turn_off_message_logging", "requester_ip_address"}
    | {"homelab_caller"}
)
"""Keys of `metadata` that LiteLLM reads itself (read from 1.106.2); others are the client's."""
METADATA_PREFIXES: Final = ("user_api_key", "_", "litellm_")
METADATA_FIELDS: Final = ("metadata", "litellm_metadata")
"""Fields in which a client may put metadata."""
LONGEST_ECHO: Final = 120
"""Characters of a client's own text that a refusal repeats."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a client sent: the names of the body's fields, and those inside its metadata."""

    fields: tuple[str, ...]
    metadata: Mapping[str, tuple[str, ...]]
    """The keys of each metadata field that was sent."""

    @classmethod
    def of(cls, body: Mapping[str, object]) -> Sent:
        """Read a body before anybody changes it; metadata in a form is JSON text."""
        found = {name: _keys(body[name]) for name in METADATA_FIELDS if name in body}
        return cls(tuple(map(str, body)), found)


def _keys(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):  # no metadata to LiteLLM either
            return ()
    return tuple(map(str, value)) if isinstance(value, Mapping) else ()


def refusal(sent: Sent, headers: Iterable[str], litellms: frozenset[str]) -> Refuse | None:
    """
    Refuse a request for the first name in it that steers LiteLLM; None where there is none.

    `litellms` is the installed LiteLLM's `all_litellm_params`. A field that holds `fallbacks` is refused
    under any name: each that was tried reached a backroom model.
    """
    found = next((name for name in sent.fields if _steers(name, litellms)), None)
    if found is not None:
        return _refused("field", found)
    inside = next(_steering_metadata(sent.metadata), None)
    if inside is not None:
        return _refused("field", inside)
    header = next((name for name in map(str.lower, headers) if _orders(name)), None)
    return _refused("header", header) if header is not None else None


def _steers(name: str, litellms: frozenset[str]) -> bool:
    if name in ALLOWED:
        return False
    known = name in litellms or name in MORE or "fallbacks" in name
    return known or name.startswith(tuple(MORE_PREFIXES))


def _steering_metadata(metadata: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for field, keys in metadata.items():
        for key in keys:
            if key in METADATA or key.startswith(METADATA_PREFIXES):
                yield f"{field}.{key}"


def _orders(header: str) -> bool:
    return header in MORE_HEADERS or (header.startswith(HEADER_PREFIX) and header not in HEADERS)


def _refused(kind: str, name: str) -> Refuse:
    shown = name[:LONGEST_ECHO]
    return Refuse(
        RefusalType.PARAM_NOT_ALLOWED,
        f"The {kind} '{shown}' is not allowed: it would steer the gateway, which is the operator's. "
        "Leave it out.",
        param=shown,
    )
