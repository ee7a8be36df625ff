"""LiteLLM, imported by the tests beside this file, fetches its price list unless a variable forbids it."""

from __future__ import annotations

import os

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
