"""Tests of what a probe concludes from what a server does."""
