"""Runs the checks, one after another, on one gateway."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from typing import Final

import litellm

from litellm_homelab import TESTED_LITELLM, __version__
from litellm_homelab.testing.selftest.check import Check, CheckResult
from litellm_homelab.testing.selftest.checks import CHECKS
from litellm_homelab.testing.selftest.gateway import SelfTestGateway
from litellm_homelab.testing.selftest.report import Report

SECONDS: Final = 30.0
"""Most seconds for one check: one takes 10 to 200 ms; more means that LiteLLM waits for something."""


def run(done: Callable[[CheckResult], object] = lambda _: None, checks: Sequence[Check] = CHECKS) -> Report:
    """
    Try every check; `done` is called with each as it ends.

    Raises:
        Exception: the gateway cannot start at all (wrong settings, a LiteLLM that cannot be imported).

    """
    return asyncio.run(tried(done, checks))


async def tried(
    done: Callable[[CheckResult], object] = lambda _: None, checks: Sequence[Check] = CHECKS
) -> Report:
    """As `run`, inside a loop."""
    began = time.perf_counter()
    results = []
    with _quiet():
        async with SelfTestGateway.running() as gateway:
            for one in checks:
                result = await _try(one, gateway)
                done(result)
                results.append(result)
    return Report(version("litellm"), __version__, TESTED_LITELLM, results, time.perf_counter() - began)


async def _try(check: Check, gateway: SelfTestGateway) -> CheckResult:
    gateway.probe.reset()
    try:
        seen = await asyncio.wait_for(check.run(gateway), SECONDS)
    except Exception as error:  # noqa: BLE001 - whatever LiteLLM raises is the finding
        saw = f"{type(error).__name__}: {error}"[:400]
        return CheckResult(check.name, check.promise, False, "no exception", saw)
    finally:
        gateway.probe.reset()
    return CheckResult(check.name, check.promise, seen.expected == seen.saw, seen.expected, seen.saw)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without LiteLLM's log and prints: requests are made to fail here."""
    before = logging.root.manager.disable
    suppressed, litellm.suppress_debug_info = litellm.suppress_debug_info, True
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)
        litellm.suppress_debug_info = suppressed
