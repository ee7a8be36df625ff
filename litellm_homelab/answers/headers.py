"""Which headers an answer may have."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Final

from litellm_homelab.answers.shapes import names
from litellm_homelab.formats import header_pairs

Pairs = Collection[tuple[bytes, bytes]]

PASSED: Final = frozenset(
    name.encode()
    for name in names(
        # of the body, and of HTTP
        "content-type content-length content-disposition content-encoding content-language content-range "
        "accept-ranges cache-control transfer-encoding connection date vary allow location www-authenticate "
        # for browsers
        "access-control-allow-origin access-control-allow-credentials access-control-allow-methods "
        "access-control-allow-headers access-control-expose-headers access-control-max-age "
        "x-content-type-options x-frame-options referrer-policy strict-transport-security "
        "content-security-policy "
        # for clients: when and whether to ask again; the request's id in this gateway's log
        "retry-after retry-after-ms x-should-retry x-litellm-call-id x-accel-buffering "
        # which of the operator's guardrails have read the request (LiteLLM's documentation, "Guardrails")
        "x-litellm-applied-guardrails"
    )
)
"""
Headers of an answer on a model's route, all set by the server, by LiteLLM or by this package.

Not passed: `server`, `request-id`, `x-request-id`, `x-ratelimit-*` and `anthropic-ratelimit-*` (the
operator's
account), `openai-organization`, `openai-processing-ms`, `cf-ray`, `via`, `x-litellm-version`,
`x-litellm-response-cost`, `x-litellm-attempted-*`, and every one that LiteLLM takes from an upstream.
"""
OURS: Final = (b"x-homelab-",)
"""Beginnings of the names of this package's own headers."""
LEAKING: Final = (b"x-litellm-model-", b"llm_provider-", b"llm-provider-", b"x-litellm-version", b"server")
"""
Beginnings of headers that are removed everywhere, from listings and the Admin UI's routes too.

They name a deployment, an address, or the upstream's server. A callback can blank LiteLLM's headers but not
remove them, and errors raised before the hooks run have them too (measured on LiteLLM 1.106.2).
"""


def of_a_model(pairs: Pairs) -> list[tuple[bytes, bytes]]:
    """The headers of an answer that came, or may have come, from an upstream: those that are listed."""
    return header_pairs.those(pairs, _passes)


@lru_cache(maxsize=1024)
def _passes(name: bytes) -> bool:
    return name.lower() in PASSED or name.lower().startswith(OURS)


def of_the_gateway(pairs: Pairs) -> list[tuple[bytes, bytes]]:
    """The headers of any other answer: all but those that name an upstream."""
    return [pair for pair in pairs if not pair[0].lower().startswith(LEAKING)]
