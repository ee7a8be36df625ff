"""One attempt at OptiLLM: which approach it runs, and what LiteLLM is given to send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from litellm_homelab.adapter.context import RequestContext, current
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.adapter.outcome import Level
from litellm_homelab.decision import Refuse
from litellm_homelab.optillm import wire
from litellm_homelab.optillm.approaches import Approach
from litellm_homelab.optillm.parameters import RELATIVES

SENT: Final = frozenset({"acompletion", "atext_completion"})
"""Call types whose arguments are what is sent; others become one of these first (measured on 1.106.2)."""
UNCACHED: Final[Mapping[str, Any]] = {"cache": {"no-cache": True, "no-store": True}}
"""LiteLLM's response cache does not know `optillm_approach`: one approach's answer would serve another."""
LITELLMS_OWN: Final = frozenset(
    {"metadata", "litellm_metadata", "litellm_call_id", "litellm_logging_obj", "proxy_server_request"}
    | {"model_info", "secret_fields", "cache", "num_retries", "prompt"}
)
"""
Arguments that LiteLLM writes itself on every attempt, whatever a client sent under that name; and the
`prompt` of a text completion, which it turns into messages.
"""
CREDENTIALS: Final = frozenset(
    {"api_key", "api_base", "base_url", "custom_llm_provider", "headers", "extra_headers", "extra_query"}
    | {"provider_specific_header", "timeout", "request_timeout", "stream_timeout", "max_retries"}
    | {"drop_params", "additional_drop_params", "allowed_openai_params"}
)
"""
Fields of a client that would reach or steer the call itself: a key of its own makes LiteLLM build another
deployment for the request, the rest changes what is sent and for how long (measured on 1.106.2).
"""
REQUEST_FIELDS: Final = frozenset(
    {*wire.ALWAYS, *wire.PASSED_ON, *wire.NEVER, *RELATIVES, "n", "stream_options"}
)
"""Arguments that are the request itself: the wire rule decides on each of them."""


def is_sent(call_type: Any) -> bool:  # noqa: ANN401 - LiteLLM's enum, or None
    """Whether an attempt of this call type is the one that is sent."""
    return str(getattr(call_type, "value", call_type)) in SENT


def is_message(call_type: object) -> bool:
    """Whether it is a request of Anthropic's API, before LiteLLM makes a chat of it."""
    return "anthropic_messages" in str(getattr(call_type, "value", call_type))


def asked(record: RequestContext) -> list[object]:
    """Every approach that the client named: in the body, in `extra_body`, before the handle's name."""
    extra = record.fields.get("extra_body")
    places = [record.fields, extra if isinstance(extra, Mapping) else {}]
    found: list[object] = [place["optillm_approach"] for place in places if "optillm_approach" in place]
    return found + ([record.prefix] if record.prefix is not None else [])


def refuse(refusal: Refuse, rule: str = "approach") -> NoReturn:
    """
    Refuse, and remember it: inside a fallback LiteLLM would try the next one and show the first error.

    Raises:
        Refused: always.

    """
    record = current()
    if record is not None:
        record.outcome.refuse(rule, refusal, Level.ATTEMPT)
    raise Refused(refusal, rule)


def reduced(
    kwargs: Mapping[str, Any],
    policy: wire.HandleLimits,
    approach: Approach,
    body: Mapping[str, Any],
    deployment: Mapping[str, Any],
) -> tuple[dict[str, Any], set[str]]:
    """
    The arguments of an attempt, of which LiteLLM sends known fields only; and the client's that are not sent.

    `body` is the client's, `deployment` the deployment's own parameters: where a client sent a field under
    such a name, the deployment's value is put back. OptiLLM's own fields travel in `extra_body`, which every
    OpenAI-compatible provider of LiteLLM sends as it is: at top level some answer 500 before any call
    (measured on 1.106.2).
    """
    # The client's arguments that are neither part of the request nor overwritten by LiteLLM.
    clients = body.keys() - LITELLMS_OWN - REQUEST_FIELDS
    seen = {name: value for name, value in kwargs.items() if name not in clients} if clients else {**kwargs}
    seen |= {name: deployment[name] for name in body if name in clients and name in deployment}
    reduction = wire.reduce(seen, approach, policy, frozenset(seen) - REQUEST_FIELDS)
    stripped = (clients & kwargs.keys()) | (body.keys() & reduction.stripped)
    sent = reduction.fields
    own = {name: sent.pop(name) for name in [*filter(RELATIVES.__contains__, sent)]}
    return {**sent, **({"extra_body": own} if own else {}), **UNCACHED}, stripped
