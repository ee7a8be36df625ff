"""The shipped configuration: its files agree with each other and with the installed LiteLLM."""
