"""Tests of the rule of timeouts and of the reader of streams."""
