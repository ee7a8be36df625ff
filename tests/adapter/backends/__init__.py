"""Tests of litellm_homelab.adapter.backends."""
