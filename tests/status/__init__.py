"""Tests of what a gateway says of itself, for a terminal."""
