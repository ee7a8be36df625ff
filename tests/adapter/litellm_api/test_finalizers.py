"""LiteLLM's finalizer of streams is removed where it can crash Python."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest
from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper

from litellm_homelab.adapter.litellm_api import finalizers

CRASH = textwrap.dedent("""
    import contextvars, gc
    from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper
    from litellm_homelab.adapter.litellm_api import finalizers

    finalizers.install()
    kept = [contextvars.ContextVar(f"kept-{number}") for number in range(20)]

    class Logging:
        def _restore_correlation_context_if_unclaimed(self):
            for one in kept:  # as LiteLLM's does with two
                one.set(object())

    Logging()._restore_correlation_context_if_unclaimed()
    for number in range(20_000):
        gc.collect(0)
        gc.set_threshold(1 + number % 11, 1, 1)  # so that collection starts at another allocation each time
        stream = CustomStreamWrapper.__new__(CustomStreamWrapper)
        stream.logging_obj, stream.itself = Logging(), stream
        del stream
        kept[number % 20].set(number)
    print("alive")
""")
"""Abandons streams, which only garbage collection can find, while it sets context variables."""


class Logging:
    """The part of LiteLLM's logging object that the finalizer calls."""

    def __init__(self) -> None:
        self.restored = 0

    def _restore_correlation_context_if_unclaimed(self) -> None:
        self.restored += 1


@pytest.fixture(autouse=True)
def stocks() -> Iterator[None]:
    """LiteLLM's own class before and after each test, whatever was loaded before."""
    before = vars(CustomStreamWrapper).get("__del__")
    if before is None:
        CustomStreamWrapper.__del__ = lambda stream: stream._restore_consumer_correlation_context(
            guarded=True
        )
    yield
    if before is not None:
        CustomStreamWrapper.__del__ = before
    elif "__del__" in vars(CustomStreamWrapper):
        del CustomStreamWrapper.__del__


def abandoned() -> int:
    """How often the finalizer of an abandoned stream restores ids."""
    logging = Logging()
    stream = CustomStreamWrapper.__new__(CustomStreamWrapper)
    stream.logging_obj = logging
    del stream
    return logging.restored


@pytest.mark.parametrize(
    ("python", "restored"),
    [
        pytest.param((3, 11), 0, id="3.11: can crash"),
        pytest.param((3, 12), 1, id="3.12: cannot"),
        pytest.param((3, 14), 1, id="3.14"),
    ],
)
def test_a_stream_that_is_abandoned(python: tuple[int, ...], restored: int) -> None:
    """Its finalizer sets context variables only on a Python that this cannot crash."""
    finalizers.install(python)
    assert abandoned() == restored


def test_twice() -> None:
    """A second installation finds nothing to do."""
    finalizers.install((3, 11))
    finalizers.install((3, 11))
    assert abandoned() == 0


def test_the_process_lives() -> None:
    """Garbage collection while context variables are being set does not crash this Python."""
    environ = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    command = [sys.executable, "-c", CRASH]  # without `install` it crashed in one of two runs (3.11.7)
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr[-2000:]
