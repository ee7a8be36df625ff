"""`litellm-homelab check`: what can be known about a router.yaml without a gateway, and without LiteLLM."""
