"""What is around LiteLLM's ASGI app and around its router."""
