"""LiteLLM's dicts, private names and exceptions, and every change to its objects."""
