"""
The words that types and codes of errors are made of; any other could be a name.

Collected on 2026-11-25 from LiteLLM 1.106.2's `ProxyErrorTypes`, pydantic's error types, and the types that
OpenAI, Anthropic, Google (`google.rpc.Code`), vLLM, Ollama, llama.cpp, Groq and OpenRouter are known to send.
The list was not compared word by word with their references: a type that is missing here becomes a general
one.
"""

from __future__ import annotations

import re
from typing import Final

from litellm_homelab.decision import RefusalType

_WORDS: Final = (
    "error errors exception failure failed invalid bad wrong missing unknown unsupported unexpected "
    "unprocessable required forbidden denied refused rejected blocked disabled expired revoked exceeded "
    "exhausted exceeds insufficient insufficiently reached aborted cancelled canceled timeout timed out "
    "unavailable overloaded busy conflict deprecated decommissioned duplicate exists already empty "
    "malformed violation flagged unauthorized unauthenticated unimplemented internal unhandled mismatch "
    "incorrect inactive deactivated suspended gone loss too large long short many few big small high low "
    "deep greater less than equal max maximum min minimum least most over under not no none never does "
    "allowed enabled supported found available authorized permitted ok request requests response message "
    "messages content contents context length window token tokens prompt input inputs output model models "
    "image images file files audio video url json schema format field fields param params parameter "
    "parameters argument arguments value values type types body header headers name id key keys api "
    "function functions tool tools call calls choice user users team member account project organization "
    "quota budget billing credit credits payment hard soft limit limits rate per minute day usage access "
    "permission permissions auth authentication authorization credentials server service client gateway "
    "proxy network connection connect socket stream streaming chunk data resource engine generation "
    "completion chat text string str int integer float number bool boolean list dict object mapping array "
    "tuple set enum literal union date datetime pattern precondition range state status code policy "
    "safety filter moderation guardrail region country territory location vector store thread run batch "
    "job upload download parse parsing decode decoding validation validate check cache ping database db "
    "route endpoint method media size count index position sequence session attribute frozen extra "
    "assertion only with from of in on to for by at and or is the a an has was be as system role "
    "assistant developer tokenizer encoding unicode bytes base64 template grammar logprobs seed "
    "temperature ended end stop reason refusal loop fanout lineage backend upstream retry later please "
    "contact customer org agent cost map provider search restricted decimal cyber above below deadline "
    "throttled throttling capacity concurrent concurrency process processing "
)
WORDS: Final = frozenset(_WORDS.split()) | {
    part for kind in RefusalType for part in str(kind.value).lower().split("_")
}
_PART: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d{1,6}|[_.\- ]")


def is_known(label: str) -> bool:
    """Whether a type or code (`rate_limit_exceeded`, `NotFoundError`, `400`) is made of `WORDS` only."""
    at = 0
    for part in _PART.finditer(label):
        word = part.group().lower()
        if part.start() != at or not (word in WORDS or word.isdecimal() or word in "_.- "):
            return False
        at = part.end()
    return at == len(label)
