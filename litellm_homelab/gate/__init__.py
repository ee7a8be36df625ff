"""The gate: which of LiteLLM's routes there are for whom."""
