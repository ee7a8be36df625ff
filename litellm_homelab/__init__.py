"""Make a self-hosted LiteLLM gateway safe to put in front of your own models."""

__version__ = "0.1.0"
