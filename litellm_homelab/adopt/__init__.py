"""`litellm-homelab init`: our section and our lines for a router.yaml that is already in use."""
