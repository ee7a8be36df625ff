"""`litellm-homelab init`: our section and our lines for a router.yaml that somebody runs already."""
