"""
Removes a finalizer of LiteLLM's that can crash Python 3.11.

Before Python 3.12, garbage collection can start while Python is inside `ContextVar.set` or `copy_context`.
If a finalizer then sets a context variable, it frees the mapping that Python is reading, and the process
crashes with a segmentation fault (python/cpython#148891; seen three times in nine hours of tests on 3.11.7,
in `hamt_node_find` and `hamt_node_bitmap_assoc`). `CustomStreamWrapper.__del__` of LiteLLM 1.106.0 to 1.110.2
sets two context variables for every stream that the collector finds, even where request ids are not logged.
"""

from __future__ import annotations

import sys
from typing import Final

from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper

SAFE_SINCE: Final = (3, 12)
"""From this version on, garbage collection starts only between two instructions."""


def install(python: tuple[int, ...] = sys.version_info[:2]) -> None:
    """
    Remove the finalizer on a Python that it can crash.

    The cost: if a client does not read a stream to the end, later log lines of the same task may show that
    stream's request id (`litellm_settings.request_correlation_in_logs`). LiteLLM itself calls the finalizer's
    clean-up "best-effort".
    """
    if python < SAFE_SINCE and "__del__" in vars(CustomStreamWrapper):
        del CustomStreamWrapper.__del__
