"""Embedded demo backends: small servers on 127.0.0.1 that behave like the real ones where it matters.

For trying the gateway without any model, and for tests: every answer calls itself a demo, every request is
recorded, and every backend can be made to fail (``Fault``).  ``OptillmConfig`` says how the OptiLLM stand-in
calls back.  Each name is imported when it is first used, so that `litellm-homelab --help` starts no server's
modules.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from litellm_homelab.demo.config import BACKENDS, DEFAULT_PORTS, DemoConfig, OptillmConfig
    from litellm_homelab.demo.faults import Fault
    from litellm_homelab.demo.recorder import RecordedRequest
    from litellm_homelab.demo.server import Demo
    from litellm_homelab.demo.thread import DemoThread, running_demo

__all__ = [
    "BACKENDS",
    "DEFAULT_PORTS",
    "Demo",
    "DemoConfig",
    "DemoThread",
    "Fault",
    "OptillmConfig",
    "RecordedRequest",
    "running_demo",
]

_HOMES = {
    "BACKENDS": "config",
    "DEFAULT_PORTS": "config",
    "Demo": "server",
    "DemoConfig": "config",
    "DemoThread": "thread",
    "Fault": "faults",
    "OptillmConfig": "config",
    "RecordedRequest": "recorder",
    "running_demo": "thread",
}
"""Which module of this folder has each public name."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
