"""What a backend really does with a request: found out by experiment, printed by ``litellm-homelab probe``."""
