"""Drivers of the clients that run on Python: each a program of its own, in a venv without LiteLLM."""
