"""Published advisories of LiteLLM and OptiLLM, as dated data, and what the start makes of them."""
