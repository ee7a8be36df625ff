"""Tests of loading models before the first client asks."""
