"""Tests of backends: which deployments share a server, and who waits for it."""
