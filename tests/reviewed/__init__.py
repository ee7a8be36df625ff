"""What a LiteLLM brings."""
