"""
Keeps LiteLLM's finalizer of streams from changing context variables while Python works on them.

Before Python 3.12 the garbage collector may run in the middle of `ContextVar.set` and of `copy_context`. A
finalizer that sets a context variable at that moment frees the mapping that they read, and the process dies
of a segmentation fault (python/cpython#148891; seen three times in some hours of tests on 3.11.7, in
`hamt_node_find` and `hamt_node_bitmap_assoc`). `CustomStreamWrapper.__del__` of LiteLLM 1.106.0 to 1.110.2
sets two of them for streams that the collector finds, whether or not ids are logged.
"""

from __future__ import annotations

import sys
from typing import Final

from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper

SAFE_SINCE: Final = (3, 12)
"""From here on the collector runs between two instructions only."""


def install(python: tuple[int, ...] = sys.version_info[:2]) -> None:
    """
    Take the finalizer away where it is dangerous.

    What is lost: after a stream that nobody read to its end, log lines of the same task may keep its ids
    (`litellm_settings.request_correlation_in_logs`). LiteLLM calls this clean-up best-effort itself.
    """
    if python < SAFE_SINCE and "__del__" in vars(CustomStreamWrapper):
        del CustomStreamWrapper.__del__
