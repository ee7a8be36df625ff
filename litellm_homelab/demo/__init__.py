"""Embedded demo backends: small servers on 127.0.0.1 that behave like the real ones where it matters.

For trying the gateway without any model, and for tests: every answer calls itself a demo, every request is
recorded, and every backend can be made to fail (``Fault``).  ``OptillmConfig`` says how the OptiLLM stand-in
calls back.
"""

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
