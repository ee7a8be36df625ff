"""What may leave for OptiLLM, field by field; and what of OptiLLM's must not leave for anyone else."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import filterfalse
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from litellm_homelab.optillm import tools
from litellm_homelab.optillm.catalogue import Selector
from litellm_homelab.optillm.parameters import RELATIVES, Parameter, readable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litellm_homelab.optillm.approaches import Approach

ALWAYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "model": "OptiLLM's upstream model",
        "messages": "the conversation",
        "stream": "OptiLLM answers in SSE; it never streams upstream",
        "max_tokens": "read by nearly every approach",
        "max_completion_tokens": "read before max_tokens",
        "temperature": "read by none, cot_reflection, deepthink, genselect, majority_voting",
        "top_p": "read by none and deepthink",
    }
)
"""OpenAI chat fields that go to OptiLLM with every approach, and why (`n` goes too, capped)."""

PASSED_ON: Final[Mapping[str, str]] = MappingProxyType(
    {
        "stop": "sampling",
        "seed": "sampling",
        "presence_penalty": "sampling",
        "frequency_penalty": "sampling",
        "logit_bias": "sampling",
        "logprobs": "part of the answer",
        "top_logprobs": "part of the answer",
        "reasoning_effort": "passed on to the model",
        "tools": "passed on to the model; every other approach silently drops them",
        "tool_choice": "goes with tools",
        "parallel_tool_calls": "goes with tools",
        "functions": "tools, older spelling",
        "function_call": "tool_choice, older spelling",
        "response_format": "passed on to the model; json reads it as well",
    }
)
"""OpenAI chat fields that go only with an approach that hands them to the model as they are, and why."""

CHOICES: Final = ("tool_choice", "parallel_tool_calls", "function_call")
"""Fields that say something of tools, and go with them."""

PASSING_ON: Final = frozenset({"none", "spl", "proxy"})
"""Approaches that make the request's fields arguments of their upstream call (measured, both versions)."""

READS_FORMAT: Final = frozenset({"json"})
"""Approaches that read `response_format` themselves (json_plugin.py, both versions)."""

NEVER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "extra_body": "replaces model, n and messages of OptiLLM's call back",
        "extra_headers": "replaces the bearer and every header of OptiLLM's call back",
        "extra_query": "adds a query to OptiLLM's call back",
        "headers": "becomes extra_headers",
    }
)
"""Forges OptiLLM's own calls (measured with none, proxy and spl): never leaves, not even as plumbing."""

DROPPED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "timeout": "OptiLLM's client would take it: 9 upstream requests with 0.001, measured",
        "api_key": "would become OptiLLM's upstream bearer",
        "user": "lost in every approach but none; identity is the gateway's own",
        "metadata": "lost in every approach but none; identity is the gateway's own",
        "store": "asks an upstream to keep the conversation",
        "stream_options": "0.3.12 sends it upstream without stream, which a strict server rejects",
        "web_search_options": "a server-side tool",
        "service_tier": "a price, which only the operator chooses",
    }
)
"""Fields a client may well send that do not leave either, unless they are LiteLLM's plumbing, and why not."""

SELECTORS: Final = frozenset(selector.value for selector in Selector)
"""The fields that say which approach: written by `reduce` alone."""

PARTS: Final = frozenset({"images", "audio", "files"})
"""Content parts that every approach drops (`dropped`)."""

FIELD_NAMES: Final = frozenset({*ALWAYS, *PASSED_ON, *NEVER, *DROPPED, *RELATIVES, *PARTS, "n"})
"""The field names that this module knows: what a metric may use as a label, anything else being `other`."""


@dataclass(frozen=True, slots=True)
class HandleLimits:
    """What may be sent to one handle: `max_n` caps `n`."""

    max_n: int = 1


@dataclass(frozen=True, slots=True)
class Reduced:
    """The fields of one attempt after reduction, and the names left out."""

    fields: dict[str, object]
    stripped: tuple[str, ...]


def reduce(
    fields: Mapping[str, object], approach: Approach, policy: HandleLimits, plumbing: frozenset[str]
) -> Reduced:
    """
    Build what one attempt sends to OptiLLM: known fields only, and the approach exactly once.

    `plumbing` names what the caller of this function uses and does not send; it passes untouched, except
    for `NEVER`. A parameter goes only where `approach` reads it. `none` is sent as no approach field at all:
    OptiLLM answers 500 to `optillm_approach` with none (measured, both versions). The input is not touched.
    """
    untouched = plumbing - NEVER.keys() - SELECTORS
    parameters = readable(approach.parts)
    kept = dict(fields)
    for name in filterfalse(untouched.__contains__, fields):
        sent = _sent(name, fields[name], approach, policy, parameters)
        if sent is None:
            del kept[name]
        else:
            kept[name] = sent
    if fields.get("tools") and "tools" not in kept:  # a choice among nothing is a 400 of most servers
        for name in CHOICES:
            kept.pop(name, None)
    gone = filterfalse(kept.__contains__, fields)
    stripped = tuple(name for name in gone if name != Selector.APPROACH)
    if not approach.is_none:
        kept[approach.selector.value] = approach.text
    return Reduced(kept, stripped)


def _sent(
    name: str, value: object, approach: Approach, policy: HandleLimits, parameters: Mapping[str, Parameter]
) -> object:
    """Return the value that leaves under a name; None for one that does not."""
    if name == "n":
        return _capped_n(value, policy.max_n)
    if name in parameters:
        return parameters[name].bounded(value)
    if name == "tools" and passes_on(name, approach):
        return value if tools.is_plain(value) else tools.sent(value)
    passes = name in ALWAYS or (name in PASSED_ON and passes_on(name, approach))
    return value if passes else None


def _capped_n(value: object, most: int) -> int | None:
    # 0 gives an answer without choices, null or a text a 500: measured, both versions.
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return min(max(value, 1), most)


def passes_on(name: str, approach: Approach) -> bool:
    """Whether a field of `PASSED_ON` reaches the model with an approach."""
    if approach.selector is Selector.DECODING or not PASSING_ON.isdisjoint(approach.parts):
        return True
    return name == "response_format" and not READS_FORMAT.isdisjoint(approach.parts)


def strip(fields: Mapping[str, object]) -> tuple[Mapping[str, object], tuple[str, ...]]:
    """
    Take OptiLLM's fields out of an attempt that goes elsewhere, at top level and inside `extra_body`.

    Returns the very same mapping when there is nothing to take; else a copy, its `extra_body` copied too, so
    that a later attempt at OptiLLM still finds them in the input. Every other key is left as it is.
    """
    body = fields.get("extra_body")
    inner = body if isinstance(body, dict) else {}
    if RELATIVES.isdisjoint(fields) and RELATIVES.isdisjoint(inner):
        return fields, ()
    stripped = tuple(dict.fromkeys(name for name in (*fields, *inner) if name in RELATIVES))
    kept = {name: value for name, value in fields.items() if name not in RELATIVES}
    if not RELATIVES.isdisjoint(inner):
        kept["extra_body"] = {name: value for name, value in inner.items() if name not in RELATIVES}
    return kept, stripped
