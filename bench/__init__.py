"""Measurements that anyone can repeat; none of them is a test."""

import os

# Before LiteLLM is imported: its price table would be fetched.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
