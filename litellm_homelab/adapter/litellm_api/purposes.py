"""What LiteLLM uses an HTTP client for: it keeps its clients under keys that say so."""

from __future__ import annotations

import re
from typing import Any, Final
from weakref import WeakKeyDictionary

import litellm
from litellm.types.llms.custom_http import httpxSpecialProvider
from litellm.types.utils import LlmProviders

SEARCH: Final = "search"
IMAGES: Final = "images"
"""The client that fetches images and documents which a prompt names by URL."""
KEY: Final = "async_httpx_client"
LOOP: Final = re.compile(r"-\d+$")
"""The event loop that a client belongs to, at the end of its key."""
PROVIDERS: Final = tuple(one.value for one in LlmProviders)
SPECIAL: Final = frozenset(one.value for one in httpxSpecialProvider) - {*PROVIDERS}
"""Purposes; `a2a` is a provider as well, and is treated as one."""

_known: WeakKeyDictionary[Any, str | None] = WeakKeyDictionary()


def purpose(transport: object) -> str | None:
    """
    What a transport is used for: `search`, `images`, a service of the operator's; None for an upstream.

    `get_async_httpx_client` caches a client under its arguments and then the provider, or the purpose in
    the provider's place (`httpxSpecialProvider`; read from 1.106.2). A client that is not there is one for
    upstreams.
    """
    if transport not in _known:
        _known[transport] = _purpose(transport)
    return _known[transport]


def _purpose(transport: object) -> str | None:
    images = litellm.module_level_aclient
    if _transport(images) is transport:
        return IMAGES
    for key, handler in [*litellm.in_memory_llm_clients_cache.cache_dict.items()]:
        if str(key).startswith(KEY) and _transport(handler) is transport:
            return _special(str(key))
    return None


def _special(key: str) -> str | None:
    # The longest ending counts: a provider's name may end like a purpose's.
    bare = LOOP.sub("", key)
    endings = [one for one in (*SPECIAL, *PROVIDERS) if bare.endswith(one)]
    longest = max(endings, key=len, default="")
    return longest if longest in SPECIAL else None


def _transport(handler: object) -> object:
    client = getattr(handler, "_client", None)
    return getattr(client, "_transport", None)
