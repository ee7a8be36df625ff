"""A stand-in for OptiLLM 0.4.0: chooses an approach as it does, and calls back as it does.

Kept apart from ``litellm_homelab.optillm`` on purpose: that room holds the gateway's rules, and this one must
go wrong where OptiLLM goes wrong, so that the rules have something to be tested against.
"""
