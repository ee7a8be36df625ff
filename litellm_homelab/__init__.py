"""Make a self-hosted LiteLLM gateway safe to put in front of your own models."""

__version__ = "0.1.0"

TESTED_LITELLM = ("1.106.2",)
"""LiteLLM versions that the whole test suite, real processes included, has run against."""
