"""The only code that knows LiteLLM: its hooks, its ASGI app, its objects."""
