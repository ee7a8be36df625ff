"""Tests of the map of a file."""
