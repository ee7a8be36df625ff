"""LiteLLM's finalizer of streams does not run where it could end the process."""

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
    import contextvars, gc, sys
    from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper
    from litellm_homelab.adapter.litellm_api import finalizers

    if sys.argv[1] == "ours":
        finalizers.install()
    kept = [contextvars.ContextVar(f"kept-{number}") for number in range(20)]

    class Logging:
        def _restore_correlation_context_if_unclaimed(self):
            for one in kept:  # as LiteLLM's does with two
                one.set(object())

    Logging()._restore_correlation_context_if_unclaimed()
    for number in range(20_000):
        gc.collect(0)
        gc.set_threshold(1 + number % 11, 1, 1)  # the collector strikes at another allocation each time
        stream = CustomStreamWrapper.__new__(CustomStreamWrapper)
        stream.logging_obj, stream.itself = Logging(), stream
        del stream
        kept[number % 20].set(number)
    print("alive")
""")
"""Streams that only the collector finds, while context variables are set."""


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
        pytest.param((3, 11), 0, id="3.11: the collector may run in the middle"),
        pytest.param((3, 12), 1, id="3.12: it does not"),
        pytest.param((3, 14), 1, id="3.14"),
    ],
)
def test_a_stream_that_is_abandoned(python: tuple[int, ...], restored: int) -> None:
    """Sets context variables only on a Python on which a finalizer may."""
    finalizers.install(python)
    assert abandoned() == restored


def test_twice() -> None:
    """A second installation finds nothing to do."""
    finalizers.install((3, 11))
    finalizers.install((3, 11))
    assert abandoned() == 0


def test_the_process_lives() -> None:
    """A collection while context variables are set ends nothing, on whatever Python this is."""
    environ = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    command = [sys.executable, "-c", CRASH, "ours"]  # with "stock" it dies, one time in two (3.11.7)
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr[-2000:]
