"""What a LiteLLM brings, and how much of it this package has reviewed."""
