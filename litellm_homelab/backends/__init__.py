"""Backends: which deployments share a server, and how many requests it takes at a time."""
